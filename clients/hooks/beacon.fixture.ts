// A small real HTTP server that answers as Beacon does, with receipts it signs; tests spoil what they like.

import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thumbprint } from '../../core/jwk.ts';
import { buildStatement, signEnvelope } from '../../core/receipt.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests reach into answers to spoil them
type Json = Record<string, any>;
export type Signer = { jwks: Json; envelope(predicate: Json, signerFields: Json): Json };

export const ACTION = `act_${'a'.repeat(32)}`;
const PERMIT = `pmt_${'b'.repeat(32)}`;
const FINGERPRINT = 'c'.repeat(64);
const RECEIPT = '0123456789ab-7';
const T0 = Date.parse('2026-01-01T00:00:00.000Z');
const at = (ms: number) => new Date(T0 + ms).toISOString();

export function makeSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  const bytes = Buffer.from(jwk.x as string, 'base64url');
  const keyId = thumbprint(bytes);
  return {
    jwks: { keys: [{ ...jwk, kid: keyId, use: 'sig', alg: 'EdDSA' }] },
    envelope(predicate, signerFields) {
      const payload = buildStatement({
        kind: 'decision',
        actionId: ACTION,
        fingerprint: FINGERPRINT,
        signer: { receipt_id: RECEIPT, sealed_at: at(0), ...signerFields },
        predicate,
      });
      const key = { publicKey: { keyId }, sign: (message: Uint8Array) => sign(null, message, privateKey) };
      return JSON.parse(Buffer.from(signEnvelope(payload, key)).toString());
    },
  };
}

export type Script = {
  route?: string;
  constraints?: Json[];
  /** Milliseconds between sealing and the end of permit and lease. */
  permitMs?: number;
  leaseMs?: number;
  /** Changes what the receipt says before it is signed. */
  predicate?: (predicate: Json) => void;
  /** Changes the answer after that. */
  answer?: (answer: Json) => void;
  /** HTTP status of the answer; default 200. */
  status?: number;
  /** Answers in its own way altogether. */
  instead?: (response: ServerResponse, request: IncomingMessage) => void;
  signer?: Signer;
};

export function answerFor(request: Uint8Array, script: Script, signer: Signer): Json {
  const body = JSON.parse(Buffer.from(request).toString());
  const route = script.route ?? 'ALLOW';
  const allowed = route === 'ALLOW' || route === 'WARN';
  const constraints = script.constraints ?? [];
  const digest = createHash('sha256').update(request).digest('hex');
  const predicate: Json = {
    decision: allowed ? 'ALLOW' : 'DENY',
    route,
    obligations: constraints.map(({ kind }) => ({ kind })),
    tenant_id: body.tenant_id,
    agent_id: body.agent_id,
    request_digest: digest,
  };
  script.predicate?.(predicate);
  const permit = { id: PERMIT, not_after: at(script.permitMs ?? 30_000) };
  const runs = predicate.route === 'ALLOW' || predicate.route === 'WARN';
  const lease = { term: 3, not_after: at(script.leaseMs ?? 30_000) };
  const answer: Json = {
    decision: allowed ? 'ALLOW' : 'DENY',
    route,
    receipt_id: RECEIPT,
    reason: allowed ? 'Inside the workspace.' : 'It deletes what cannot be brought back.',
    reasons: [
      {
        rule: 'beacon.effects.delete',
        code: allowed ? 'ok' : 'destructive',
        message: allowed ? 'Inside the workspace.' : 'It deletes what cannot be brought back.',
      },
    ],
    constraints,
    action_id: ACTION,
    permit: allowed ? { ...permit, term: 3 } : null,
    request_digest: digest,
    receipt: (script.signer ?? signer).envelope(predicate, runs ? { lease, permit } : {}),
  };
  script.answer?.(answer);
  return answer;
}

export type FakeBeacon = {
  url: string;
  script: Script;
  readonly signer: Signer;
  readonly requests: { path: string; authorization: string | undefined; body: Json }[];
  readonly folder: string;
  /** Writes a client file for this server and gives its path. */
  clientFile(change?: (fields: Json) => void, mode?: number): string;
  close(): Promise<void>;
};

export async function startFakeBeacon(): Promise<FakeBeacon> {
  const signer = makeSigner();
  const folder = mkdtempSync(join(tmpdir(), 'beacon-hook-'));
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { authorization } = request.headers;
    fake.requests.push({ path: request.url ?? '', authorization, body: JSON.parse(body.toString() || '{}') });
    if (fake.script.instead) return fake.script.instead(response, request);
    response.writeHead(fake.script.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answerFor(body, fake.script, signer)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeBeacon = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script: {},
    signer,
    requests: [],
    folder,
    clientFile(change = () => {}, mode = 0o600) {
      const path = join(folder, `client-${Math.random()}.json`);
      const fields = { url: fake.url, token: 'agent-token', agent_id: 'bot', tenant_id: 'acme', jwks: signer.jwks };
      change(fields);
      writeFileSync(path, JSON.stringify(fields));
      chmodSync(path, mode);
      return path;
    },
    close() {
      rmSync(folder, { recursive: true, force: true });
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return fake;
}
