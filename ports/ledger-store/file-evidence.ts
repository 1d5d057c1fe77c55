// Evidence bundles: what lies beside 256 leaves, in a file of its own so that erasing touches nothing else.
// Leaves are checked against the tree; evidence is not in the tree, so its file carries a checksum.

import { crc32 } from 'node:zlib';
import { encodeTileIndex, TILE_WIDTH } from '../../core/ledger/tiles.ts';

export type Evidence = { readonly tenantId: string; readonly evidence?: Uint8Array };

const MAGIC = Buffer.from('BEACNEVI');
const HEADER_BYTES = MAGIC.length + 8;
const ITEM_HEADER_BYTES = 6;
const NO_EVIDENCE = 0xffffffff;

export function evidencePath(bundle: number): string {
  return `evidence/${encodeTileIndex(bundle)}`;
}

export function encodeEvidence(bundle: number, items: readonly Evidence[]): Uint8Array {
  let length = HEADER_BYTES + 4;
  for (const { tenantId, evidence } of items) {
    length += ITEM_HEADER_BYTES + Buffer.byteLength(tenantId) + (evidence?.length ?? 0);
  }
  const bytes = Buffer.allocUnsafe(length);
  MAGIC.copy(bytes, 0);
  let at = bytes.writeDoubleLE(bundle, MAGIC.length);
  for (const { tenantId, evidence } of items) {
    const tenantBytes = bytes.write(tenantId, at + ITEM_HEADER_BYTES);
    bytes.writeUInt16LE(tenantBytes, at);
    bytes.writeUInt32LE(evidence === undefined ? NO_EVIDENCE : evidence.length, at + 2);
    at += ITEM_HEADER_BYTES + tenantBytes;
    if (evidence !== undefined) bytes.set(evidence, at);
    at += evidence?.length ?? 0;
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at);
  return bytes;
}

/** Views into `file`, 256 of them; undefined when a bit of it is wrong or it is another bundle's. */
export function decodeEvidence(bundle: number, file: Uint8Array): Evidence[] | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const end = bytes.length - 4;
  if (end < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) return undefined;
  if (bytes.readDoubleLE(MAGIC.length) !== bundle) return undefined;
  const items: Evidence[] = [];
  let at = HEADER_BYTES;
  while (at + ITEM_HEADER_BYTES <= end) {
    const length = bytes.readUInt32LE(at + 2);
    const tenantEnd = at + ITEM_HEADER_BYTES + bytes.readUInt16LE(at);
    const tenantId = bytes.toString('utf8', at + ITEM_HEADER_BYTES, tenantEnd);
    at = length === NO_EVIDENCE ? tenantEnd : tenantEnd + length;
    items.push(length === NO_EVIDENCE ? { tenantId } : { tenantId, evidence: bytes.subarray(tenantEnd, at) });
  }
  return at === end && items.length === TILE_WIDTH ? items : undefined;
}
