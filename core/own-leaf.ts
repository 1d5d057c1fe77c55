// A leaf as the process that wrote it reads it again. It made and checked these bytes itself and the ledger holds them to
// their hash, so nothing about them is judged a second time. What comes from anywhere else is read by receipt.ts.

import { payloadOf } from './dsse.ts';
import { isReceiptKind, predicateType, type ReceiptKind } from './receipt.ts';

export type OwnLeaf = {
  readonly kind: ReceiptKind;
  readonly actionId: string;
  readonly predicate: Readonly<Record<string, unknown>>;
};

type Statement = {
  readonly subject: readonly [{ readonly name: string }];
  readonly predicateType: string;
  readonly predicate: OwnLeaf['predicate'];
};

const BEFORE_KIND = 'urn:beacon:'.length;
const AFTER_KIND = ':v1'.length;

/** Undefined for what is none of our receipts. */
export function readOwnLeaf(leaf: Uint8Array): OwnLeaf | undefined {
  const payload = payloadOf(leaf);
  return payload && readStatement(payload);
}

/** The trace of the request that was decided, where the receipt names one. */
export function traceIdOf(leaf: Uint8Array): string | undefined {
  const payload = payloadOf(leaf);
  // Most receipts name none, and are not read any further.
  if (!payload?.includes('"trace_id":"')) return undefined;
  const traceId = readStatement(payload)?.predicate.trace_id;
  return typeof traceId === 'string' ? traceId : undefined;
}

function readStatement(payload: Buffer): OwnLeaf | undefined {
  try {
    const { subject, predicateType: type, predicate } = JSON.parse(payload.toString()) as Statement;
    const kind = type.slice(BEFORE_KIND, -AFTER_KIND);
    return isReceiptKind(kind) && type === predicateType(kind)
      ? { kind, actionId: subject[0].name, predicate }
      : undefined;
  } catch {
    return undefined;
  }
}
