// What a value says of itself: drawn by lot, made up for an example, public by its shape, or a reference to where it is kept.

import { entropy } from './secret-rules.ts';

/** Documentation and examples: nobody's secret. */
export function isExample(value: string): boolean {
  return /EXAMPLE|example|XXXX|xxxx|placeholder|PLACEHOLDER|your[_-]|YOUR[_-]|\*\*\*|<[a-z _-]{2,}>|changeme|dummy|redacted|REDACTED|^(?:my|test|some|fake)?[-_]?(?:token|secret|password|api[-_]?key|key|foo|bar|abc|xyz)[-_]?\d{0,4}$/.test(
    value,
  );
}

/** Rows of the alphabet and of digits, or a few characters again and again: perhaps an example. */
export function isRegular(value: string): boolean {
  return /0000000|1234567890|abcdefgh|\.\.\./i.test(value) || entropy(value.slice(0, 64)) < 2;
}

export function isWordCharacter(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}

/** Small, big and digits, spread as chance spreads them; no path, no words. */
export function isRandom(value: string): boolean {
  return (
    /[a-z]/.test(value) &&
    /[A-Z]/.test(value) &&
    /[0-9]/.test(value) &&
    !/[a-z]{7}|[A-Z]{7}|\/[a-z]+\//.test(value) &&
    entropy(value) >= Math.min(4.5, Math.log2(value.length) - 0.7)
  );
}

/** Digests, identifiers and public keys: long, random, and no secret. */
export function isPublic(value: string): boolean {
  return (
    /^(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{7,12})$/.test(value) ||
    /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value) ||
    /^(?:sha(?:1|256|384|512)[-:]|h1:|AAAA[BEC]3Nza|iVBORw0KGgo|R0lGOD|\/9j\/|UklGR|data:|urn:|pk_(?:live|test)_|0x[0-9a-f]{40}$)/i.test(
      value,
    ) ||
    /^\d{4}-\d{2}-\d{2}|^\d+(?:\.\d+){3,}$/.test(value)
  );
}

/** What is plainly no secret: references, placeholders, types, code, paths. */
const REFERENCE =
  /^(?:\$|%[A-Za-z_]|\{\{|<|process\.|os\.|env\.|ENV\[|secrets\.|vault:|op:\/\/|arn:|[a-z][a-z0-9+.-]*:\/\/|\{\w*\}|\/|\.\/|~\/|@|\*+$|x+$|\[|#|!|--)|\$\{|\$\(/i;
export function isReference(value: string): boolean {
  return REFERENCE.test(value);
}
