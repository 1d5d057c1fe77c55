// Names and ids, and what they may look like.

import { invalidArgument } from './errors.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;
const RECEIPT_ID = /^([0-9a-f]{12})-(0|[1-9][0-9]{0,15})$/;

/** Agent, tenant, session and opportunity names. Throws `invalid_argument` naming the field. */
export function requireName(field: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidArgument(field, 'must be a string');
  if (!NAME.test(value)) {
    throw invalidArgument(field, 'must be 1 to 128 of A-Z a-z 0-9 . _ @ - and start with a letter or digit');
  }
  return value;
}

/** A receipt's id names its log (12 hex digits) and its index in it, so that finding one needs no database. */
export function receiptId(logId: string, index: number): string {
  return `${logId}-${index}`;
}

/** Undefined when the text is not a receipt id. */
export function parseReceiptId(text: string): { logId: string; index: number } | undefined {
  const match = RECEIPT_ID.exec(text);
  if (!match) return undefined;
  const index = Number(match[2]);
  return Number.isSafeInteger(index) ? { logId: match[1] as string, index } : undefined;
}

/** The log an origin names: its last part. */
export function logIdOf(origin: string): string {
  return origin.slice(origin.lastIndexOf('/') + 1);
}
