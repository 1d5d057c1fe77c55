// U+0000 in a text: what reads it later as a C string would see another value than the one that was judged.

import { invalidArgument } from './errors.ts';

/** A key is repeated to the caller only when it looks like a field's name and not like a credential. */
export const SHOWN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

/** No text in `value` may hold one, and no key. Throws `invalid_argument` naming the field below `path`. */
export function refuseNul(value: unknown, path = ''): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw invalidArgument(path === '' ? 'body' : path, 'holds a NUL character');
    return;
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (key.includes('\0')) throw invalidArgument(path === '' ? 'body' : path, 'has a key with a NUL character');
    const shown = Array.isArray(value) || SHOWN_KEY.test(key) ? key : '*';
    refuseNul(item, path === '' ? shown : `${path}.${shown}`);
  }
}
