// Reading what a stranger sent, one field at a time: every wrong type is `invalid_argument` with the field's dotted path,
// every field nobody knows is refused by name. Absent and empty are told apart only where it matters.

import { invalidArgument } from '../../core/errors.ts';
import { requireName } from '../../core/ids.ts';
import { SHOWN_KEY } from '../../core/nul.ts';

/** One object of a body and where in the body it stands. */
export type Fields = { readonly path: string; readonly values: Readonly<Record<string, unknown>> };
type Bounds = { readonly required?: boolean; readonly max?: number; readonly pattern?: RegExp };

const DEFAULT_MAX_CHARACTERS = 4096;

/** `known` undefined accepts any field name. */
export function openObject(value: unknown, path: string, known?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(path === '' ? 'body' : path, 'must be an object');
  }
  for (const key of Object.keys(value)) {
    if (known !== undefined && !known.includes(key)) {
      throw invalidArgument(at({ path, values: {} }, SHOWN_KEY.test(key) ? key : '*'), 'is not a field here');
    }
  }
  return { path, values: value as Record<string, unknown> };
}

export function at(fields: Fields, name: string): string {
  return fields.path === '' ? name : `${fields.path}.${name}`;
}

export function has(fields: Fields, name: string): boolean {
  return Object.hasOwn(fields.values, name);
}

/** The value as sent; undefined when absent. */
export function raw(fields: Fields, name: string): unknown {
  return has(fields, name) ? fields.values[name] : undefined;
}

/** '' when absent. A required text is not empty either. */
export function text(fields: Fields, name: string, bounds: Bounds = {}): string {
  const value = raw(fields, name);
  if (value === undefined && bounds.required !== true) return '';
  if (typeof value !== 'string')
    throw invalidArgument(at(fields, name), value === undefined ? 'is required' : 'must be a string');
  if (value === '' && bounds.required === true) throw invalidArgument(at(fields, name), 'must not be empty');
  const max = bounds.max ?? DEFAULT_MAX_CHARACTERS;
  if (value.length > max) throw invalidArgument(at(fields, name), `must be at most ${max} characters`);
  if (bounds.pattern !== undefined && value !== '' && !bounds.pattern.test(value)) {
    throw invalidArgument(at(fields, name), 'holds characters that are not accepted');
  }
  return value;
}

/** An agent's, tenant's, session's or opportunity's name. */
export function requiredName(fields: Fields, name: string): string {
  if (!has(fields, name)) throw invalidArgument(at(fields, name), 'is required');
  return requireName(at(fields, name), fields.values[name]);
}

export function optionalName(fields: Fields, name: string): string {
  return has(fields, name) ? requiredName(fields, name) : '';
}

export function flag(fields: Fields, name: string, required = false): boolean | undefined {
  const value = raw(fields, name);
  if (value === undefined && !required) return undefined;
  if (typeof value !== 'boolean') throw invalidArgument(at(fields, name), 'must be true or false');
  return value;
}

export function integer(fields: Fields, name: string, min: number, max: number): number | undefined {
  const value = raw(fields, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalidArgument(at(fields, name), `must be a whole number from ${min} to ${max}`);
  }
  return value;
}

export function choice<T extends string>(fields: Fields, name: string, choices: readonly T[], fallback?: T): T {
  const value = has(fields, name) ? raw(fields, name) : fallback;
  const found = choices.find((known) => known === value);
  if (found === undefined) throw invalidArgument(at(fields, name), `must be one of ${choices.join(', ')}`);
  return found;
}

/** [] when absent. */
export function list(fields: Fields, name: string, max: number): readonly unknown[] {
  const value = raw(fields, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidArgument(at(fields, name), 'must be a list');
  if (value.length > max) throw invalidArgument(at(fields, name), `must have at most ${max} entries`);
  return value;
}

/** An object as JSON text, its keys as sent; '' when absent. */
export function objectJson(fields: Fields, name: string, max?: number): string {
  const value = raw(fields, name);
  if (value === undefined) return '';
  openObject(value, at(fields, name));
  const json = JSON.stringify(value);
  if (max !== undefined && Buffer.byteLength(json) > max) {
    throw invalidArgument(at(fields, name), `must be at most ${max} bytes of JSON`);
  }
  return json;
}
