// Every text in what a tool gave back, and what it is called where a server chose the names.

import { BeaconError } from '../../core/errors.ts';

const MAX_DEPTH = 32;
/** What clients and servers call the parts of a picture. */
const PICTURE_FIELDS = new Set(
  'type isImage data mimeType mime_type media_type file base64 source image_url originalSize stdout stderr'.split(' '),
);
const PICTURE_TYPE = /^(?:image|image\/(?:png|jpeg|gif|webp)|base64)$/;
/** The bytes of one that clients show (PNG, JPEG, GIF, WebP), whole or in lines. */
const PICTURE_BYTES =
  /^(?:data:image\/[a-z]{3,4};base64,)?(?=iVBOR|\/9j\/|R0lGOD|UklGR)(?:[A-Za-z0-9+/]{60,}\r?\n)*[A-Za-z0-9+/]+={0,2}\s*$/;

export function textsOf(value: unknown): string[] {
  return textsIn(value, 0, false);
}

/** Pictures cannot be looked through; whatever else is called one, or stands beside it, the model may read. */
function textsIn(value: unknown, depth: number, inPicture: boolean): string[] {
  if (depth > MAX_DEPTH)
    throw new BeaconError('payload_too_large', 'the output is nested too deeply to be looked through');
  if (typeof value === 'string') return inPicture && isOfPicture(value) ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, depth + 1, inPicture));
  const fields = value as Record<string, unknown>;
  const isPicture = inPicture || fields.type === 'image' || fields.isImage === true;
  return Object.entries(fields).flatMap(([name, item]) => [
    ...(depth === 0 || (isPicture && PICTURE_FIELDS.has(name)) ? [] : [name]),
    ...textsIn(item, depth + 1, isPicture),
  ]);
}

function isOfPicture(text: string): boolean {
  return PICTURE_TYPE.test(text) || PICTURE_BYTES.test(text);
}
