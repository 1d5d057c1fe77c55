// A signer's log and keys as scoring reads them through ReceiptSignerService, in this process or over the wire.

import { setTimeout } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../../core/errors.ts';
import { type PublicKey, parseJwks } from '../../core/jwk.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  GetKeysRequestSchema,
  GetStatusRequestSchema,
  ListReceiptsRequestSchema,
  type ReceiptSignerService,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';
import type { FollowedLog } from './follow-stream.ts';

/** Pages stay below 4 MiB, gRPC's limit, whatever the receipts' sizes. */
const PAGE = 50;
const CALL_TIMEOUT_MS = 5_000;
const LEAST_BETWEEN_REFRESHES_MS = 1_000;
const ORIGIN_LOG = /\/([0-9a-f]{12})$/;

export type SignerToFollow = Pick<
  Service<typeof ReceiptSignerService, CallContext>,
  'getStatus' | 'getKeys' | 'listReceipts'
>;

/** Asks the signer once for its keys and its region ('' where there are none); throws as the call does, or `failed_precondition` for an origin without a log. */
export async function followSigner(
  signer: SignerToFollow,
  now: () => number,
): Promise<FollowedLog & { readonly region: string }> {
  const context = (): CallContext => ({
    principal: { role: 'auditor', provenance: 'authenticated', subject: 'service:scoring' },
    deadlineMs: now() + CALL_TIMEOUT_MS,
    requestDigest: '',
    traceId: '',
  });
  let keys: readonly PublicKey[] = [];
  let askedMs = 0;
  const ask = async () => {
    askedMs = now();
    const { jwksJson, origin } = await signer.getKeys(create(GetKeysRequestSchema), context());
    keys = parseJwks(Buffer.from(jwksJson));
    return origin;
  };
  // A question that has been put already may have been answered before the key was there: only one still to be put serves.
  let next: Promise<void> | undefined;
  const refresh = () => {
    const waitMs = Math.min(LEAST_BETWEEN_REFRESHES_MS, askedMs + LEAST_BETWEEN_REFRESHES_MS - now());
    next ??= setTimeout(Math.max(0, waitMs)).then(async () => {
      next = undefined;
      await ask();
    });
    return next;
  };
  const origin = await ask();
  const logId = ORIGIN_LOG.exec(origin)?.[1];
  if (logId === undefined) throw new BeaconError('failed_precondition', `the signer's origin ${origin} names no log`);
  const { region } = await signer.getStatus(create(GetStatusRequestSchema), context());
  const scan = async (start: number, limit: number) => {
    const found: { readonly index: number; readonly leaf: Uint8Array }[] = [];
    while (found.length < limit) {
      const page = { start: BigInt(start + found.length), limit: Math.min(PAGE, limit - found.length) };
      const { receipts } = await signer.listReceipts(create(ListReceiptsRequestSchema, page), context());
      found.push(...receipts.map(({ index, envelope }) => ({ index: Number(index), leaf: envelope })));
      if (receipts.length < page.limit) break;
    }
    return found;
  };
  return {
    region,
    source: {
      logId,
      size: async () => Number((await signer.getStatus(create(GetStatusRequestSchema), context())).size),
      scan,
    },
    keys: { all: () => keys, refresh },
  };
}
