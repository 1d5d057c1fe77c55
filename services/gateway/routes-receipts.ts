// Receipts, proofs, logs and tiles: what strangers need in order not to believe us.

import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../../core/errors.ts';
import { parseReceiptId } from '../../core/ids.ts';
import type { Principal } from '../../core/principal.ts';
import {
  GetProofRequestSchema,
  GetReceiptRequestSchema,
  ListReceiptsRequestSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { ImportReceiptsRequestSchema } from '../../gen/beacon/v1/scoring_service_pb.js';
import type { Log, Logs } from './logs.ts';
import { readImport } from './read-bodies.ts';
import { openQuery, queryWaitMs, readReceiptsQuery } from './read-query.ts';
import type { Answer, Call, Route, RouteDependencies } from './types.ts';
import { time } from './write.ts';

const MAX_PROOF_WAIT_MS = 10_000;
const DSSE = 'application/vnd.dsse.envelope.v1+json';

export function receiptRoutes({ services, access }: RouteDependencies, logs: Logs): Route[] {
  const find = async (call: Call): Promise<{ log: Log; receiptId: string }> => {
    const receiptId = call.params.receipt_id ?? '';
    const log = await logs.find(parseReceiptId(receiptId)?.logId ?? '');
    if (log === undefined) throw new BeaconError('not_found', 'there is no such receipt', { field: 'receipt_id' });
    return { log, receiptId };
  };
  /** The receipt's bytes, when this caller may see them. */
  const read = async (call: Call): Promise<{ log: Log; receiptId: string; envelope: Uint8Array }> => {
    const { log, receiptId } = await find(call);
    const { envelope } = await log.reader.getReceipt(create(GetReceiptRequestSchema, { receiptId }), call.context);
    if (call.context.principal.role === 'agent') {
      const { tenantId, agentId } = subjectOf(envelope);
      const fields = { tenant: 'receipt_id', agent: 'receipt_id' };
      await access.authorizeSubject(call.context.principal, tenantId, agentId, fields);
    }
    return { log, receiptId, envelope };
  };
  return [
    {
      method: 'GET',
      path: '/api/receipts/:receipt_id',
      operation: 'get_receipt',
      async handle(call) {
        const { envelope } = await read(call);
        return {
          bytes: envelope,
          headers: { 'content-type': DSSE, 'cache-control': 'private, max-age=31536000, immutable' },
        };
      },
    },
    {
      method: 'GET',
      path: '/api/receipts/:receipt_id/proof',
      operation: 'get_proof',
      patienceMs: MAX_PROOF_WAIT_MS,
      async handle(call) {
        const waitMs = queryWaitMs(openQuery(call.query, ['wait']), MAX_PROOF_WAIT_MS);
        const { log, receiptId } = await read(call);
        const { proof } = await log.reader.getProof(create(GetProofRequestSchema, { receiptId, waitMs }), call.context);
        return { bytes: proof, headers: { 'content-type': 'text/plain; charset=utf-8' } };
      },
    },
    {
      method: 'GET',
      path: '/api/receipts/:receipt_id/evidence',
      operation: 'get_evidence',
      async handle(call) {
        const { receiptId, log } = await find(call);
        const asked = create(GetReceiptRequestSchema, { receiptId });
        const { evidence } = await log.reader.getReceipt(asked, call.context);
        if (evidence.length === 0) {
          throw new BeaconError('not_found', 'no evidence is kept of this receipt', { field: 'receipt_id' });
        }
        // Evidence can be erased: nobody between keeps a copy.
        return { bytes: evidence, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } };
      },
    },
    {
      method: 'GET',
      path: '/api/receipts',
      operation: 'list_receipts',
      handle: (call) => listReceipts(call, logs),
    },
    {
      method: 'POST',
      path: '/api/receipts',
      operation: 'import_receipts',
      async handle(call) {
        const request = create(ImportReceiptsRequestSchema, readImport(call.json(), call.bytes));
        const { findings } = await services.scoring.importReceipts(request, call.context);
        return {
          json: {
            findings: findings.map(({ qualified, reason, receiptId }) => ({
              qualified,
              reason,
              receipt_id: receiptId,
            })),
          },
        };
      },
    },
  ];
}

async function listReceipts(call: Call, logs: Logs): Promise<Answer> {
  const { logId, start, ...query } = readReceiptsQuery(call.query);
  const log = logId === '' ? await logs.first() : await logs.find(logId);
  if (log === undefined) throw new BeaconError('not_found', 'there is no such log', { field: 'log' });
  const request = create(ListReceiptsRequestSchema, {
    ...query,
    ...ownOnly(call.context.principal, query),
    start: BigInt(start),
  });
  const { receipts, next, size } = await log.reader.listReceipts(request, call.context);
  return {
    json: {
      receipts: receipts.map((sealed) => ({
        receipt_id: sealed.receiptId,
        index: Number(sealed.index),
        sealed_at: time(sealed.sealedAt),
        receipt: JSON.parse(Buffer.from(sealed.envelope).toString()),
      })),
      next: Number(next),
      size: Number(size),
    },
  };
}

/** An agent's list is its own; asking for another's is refused rather than answered with nothing. */
function ownOnly(principal: Principal, query: { tenantId: string; agentId: string }) {
  if (principal.role !== 'agent') return {};
  const { tenantId = '', agentId = '' } = principal;
  for (const [field, asked, own] of [
    ['tenant_id', query.tenantId, tenantId],
    ['agent_id', query.agentId, agentId],
  ] as const) {
    if (asked !== '' && asked !== own) {
      throw new BeaconError('permission_denied', `${field}: the token or certificate is bound to another`, { field });
    }
  }
  return { tenantId, agentId };
}

/** Whose receipt it is, by the payload that was signed. Nobody's, when it names none. */
function subjectOf(envelope: Uint8Array): { tenantId: string; agentId: string } {
  const { payload } = JSON.parse(Buffer.from(envelope).toString()) as { payload: string };
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as { predicate: Record<string, unknown> };
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return { tenantId: text(predicate.tenant_id), agentId: text(predicate.agent_id) };
}
