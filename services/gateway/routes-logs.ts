// C2SP tlog-tiles under each log's prefix, the list of logs, and the keys.

import { create } from '@bufbuild/protobuf';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import {
  GetCheckpointRequestSchema,
  GetKeysRequestSchema,
  GetStatusRequestSchema,
  GetTileRequestSchema,
  RotateKeyRequestSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Logs } from './logs.ts';
import type { Answer, Call, Route } from './types.ts';

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';
const FOREVER = 'max-age=31536000, immutable';
const FULL_WIDTH = 256;
const ENTRIES = -1;

export function logRoutes(logs: Logs): Route[] {
  const remembered = new Map<string, string>();
  return [
    { method: 'GET', path: '/api/logs', operation: 'list_logs', handle: (call) => listLogs(call, logs) },
    {
      method: 'GET',
      path: '/.well-known/jwks.json',
      operation: 'get_keys',
      handle: (call) => keys(call, logs, remembered),
    },
    {
      method: 'POST',
      path: '/api/logs/:log_id/rotate-key',
      operation: 'rotate_key',
      async handle(call) {
        const { reader } = await logOf(call, logs);
        const { keyId } = await reader.rotateKey(create(RotateKeyRequestSchema), call.context);
        return { json: { log_id: call.params.log_id, kid: keyId } };
      },
    },
    {
      method: 'GET',
      path: '/logs/:log_id/checkpoint',
      operation: 'get_checkpoint',
      async handle(call) {
        const { reader } = await logOf(call, logs);
        const { checkpoint } = await reader.getCheckpoint(create(GetCheckpointRequestSchema), call.context);
        return { bytes: checkpoint, headers: { 'content-type': TEXT, 'cache-control': 'no-cache' } };
      },
    },
    {
      method: 'GET',
      path: '/logs/:log_id/tile/entries/*',
      operation: 'get_entries',
      handle: (call) => tile(call, logs, ENTRIES, 'private'),
    },
    {
      method: 'GET',
      path: '/logs/:log_id/tile/:level/*',
      operation: 'get_hash_tile',
      handle: (call) => tile(call, logs, levelOf(call.params.level ?? ''), 'public'),
    },
  ];
}

async function listLogs(call: Call, logs: Logs): Promise<Answer> {
  const listed = (await logs.all()).map(async ({ logId, origin, vkey, reader }) => {
    // A log whose writer is away is still a log; how long it has grown is not known then.
    const size = await reader.getStatus(create(GetStatusRequestSchema), call.context).then(
      (status) => Number(status.size),
      () => null,
    );
    return { origin, prefix: `/logs/${logId}`, vkey, size };
  });
  return { json: await Promise.all(listed) };
}

/** Every signing key of every log, old ones too, each once. A log that cannot be asked now is remembered. */
async function keys(call: Call, logs: Logs, remembered: Map<string, string>): Promise<Answer> {
  const found = new Map<string, unknown>();
  let answered = 0;
  for (const { reader, logId } of await logs.all()) {
    const jwks = await reader.getKeys(create(GetKeysRequestSchema), call.context).then(
      ({ jwksJson }) => jwksJson,
      () => remembered.get(logId),
    );
    if (jwks === undefined) continue;
    remembered.set(logId, jwks);
    answered += 1;
    for (const key of (JSON.parse(jwks) as { keys: { kid: string }[] }).keys) found.set(key.kid, key);
  }
  // A set that lacks a log's keys is worth asking for again at once.
  const life = answered === logs.count ? 'public, max-age=60' : 'no-store';
  const headers = { 'content-type': 'application/jwk-set+json', 'cache-control': life };
  return { bytes: JSON.stringify({ keys: [...found.values()] }), headers };
}

async function tile(call: Call, logs: Logs, level: number, visibility: string): Promise<Answer> {
  const { reader } = await logOf(call, logs);
  const { index, width } = parseTilePath(call.params['*'] ?? '');
  const request = create(GetTileRequestSchema, { level, index: BigInt(index), width });
  const { tile: bytes } = await reader.getTile(request, call.context);
  // A partial tile is complete for its width, but may be dropped once the full one exists.
  const life = width === FULL_WIDTH ? FOREVER : 'max-age=3600';
  return { bytes, headers: { 'content-type': BYTES, 'cache-control': `${visibility}, ${life}` } };
}

async function logOf(call: Call, logs: Logs) {
  const log = await logs.find(call.params.log_id ?? '');
  if (log === undefined) throw new BeaconError('not_found', 'there is no such log', { field: 'log_id' });
  return log;
}

function levelOf(text: string): number {
  const level = /^(0|[1-9][0-9]?)$/.test(text) ? Number(text) : Number.NaN;
  if (level <= 63) return level;
  throw invalidArgument('level', 'must be 0 to 63');
}

/** `x001/x234/067` or `067.p/12`: groups of three digits, all but the last marked, a width for a partial tile. */
export function parseTilePath(path: string): { index: number; width: number } {
  const match = /^((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path);
  const groups = match?.[1]?.split('/').map((group) => group.replace('x', '')) ?? [];
  const index = Number(groups.join('') || Number.NaN);
  const width = match?.[2] === undefined ? FULL_WIDTH : Number(match[2]);
  const spelt = groups.length === 1 || groups[0] !== '000';
  const partial = match?.[2] !== undefined;
  if (!Number.isSafeInteger(index) || !spelt || (partial && width >= FULL_WIDTH)) {
    throw new BeaconError('not_found', 'there is no such tile', { field: 'tile' });
  }
  return { index, width };
}
