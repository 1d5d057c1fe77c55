// Replaces what detectors find by `[kind:digest8]`, and collects the findings. Nothing found is kept in clear.

import type { SensitivePayload } from '../externality.ts';
import type { Finding } from './types.ts';

/** A finding with its place in the text it was found in, UTF-16 code units. */
export type LocatedFinding = Finding & { readonly start: number; readonly end: number };
/** What a text is: what a tool gave back, what its server says it is, what a person asks, or anything else of a proposal. */
export type Place = 'prompt' | 'output' | 'description' | 'action';
/** Bound to the tenant's key by the caller. Without a place the text is part of an action. */
export type Detect = (text: string, where: string, place?: Place) => readonly LocatedFinding[];

/** What a detector gives, bound to a tenant: `digest` is an HMAC under the tenant's key. */
export function bindDetector(
  find: (
    text: string,
    place?: Place,
  ) => readonly (Omit<Finding, 'where' | 'digest'> & { readonly start: number; readonly end: number })[],
  digest: (text: string) => string,
): Detect {
  return (text, where, place) =>
    find(text, place).map(({ kind, class: group, confidence, start, end }) => ({
      kind,
      class: group,
      confidence,
      start,
      end,
      where,
      digest: digest(text.slice(start, end)),
    }));
}

/** Findings kept per proposal. */
export const MAX_FINDINGS = 256;

export class Findings {
  readonly #detect: Detect;
  readonly #seen = new Map<string, Finding>();

  constructor(detect: Detect) {
    this.#detect = detect;
  }

  /** Looks through a text of the proposal; what `passes` is no finding there. */
  scan(
    text: string,
    where: string,
    place?: Place,
    passes?: (item: LocatedFinding) => boolean,
  ): readonly LocatedFinding[] {
    if (text === '') return [];
    const all = this.#detect(text, where, place);
    const found = passes ? all.filter((item) => !passes(item)) : all;
    for (const item of found) this.add(item);
    return found;
  }

  add(finding: Finding): void {
    const { kind, class: group, where, confidence, digest } = finding;
    const key = `${kind} ${digest} ${group}`;
    if (this.#seen.size < MAX_FINDINGS && !this.#seen.has(key))
      this.#seen.set(key, { kind, class: group, where, confidence, digest });
  }

  /** The text without what is found in it. */
  mask(text: string, where: string): string {
    return replaceFound(text, this.scan(text, where));
  }

  list(): Finding[] {
    return [...this.#seen.values()];
  }
}

export function replaceFound(text: string, found: readonly LocatedFinding[]): string {
  if (found.length === 0) return text;
  let out = '';
  let at = 0;
  for (const { start, end, kind, digest } of [...found].sort(
    (left, right) => left.start - right.start || right.end - left.end,
  )) {
    if (end <= at) continue;
    out += `${text.slice(at, Math.max(at, start))}[${kind}:${digest.slice(0, 8)}]`;
    at = end;
  }
  return out + text.slice(at);
}

/** What findings say about the payload they were found in; low confidence alone says nothing. */
export function payloadOf(found: readonly Finding[]): SensitivePayload | undefined {
  let payload: SensitivePayload | undefined;
  for (const item of found) {
    if (item.class === 'secret' && item.confidence !== 'low') return 'secret';
    if (item.class === 'pii' && item.confidence !== 'low') payload = 'pii';
  }
  return payload;
}
