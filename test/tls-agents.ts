// Certificates of a test's own for the doors that agents reach, and calls of Beacon over them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestBytes } from '../clients/transport/request.ts';
import {
  type Authority,
  type Leaf,
  type LeafOptions,
  newAuthority,
  writeTlsFiles,
} from '../runtime/certificates.fixture.ts';

export const SERVER_NAMES = ['127.0.0.1', 'localhost'];
export const agentName = (agent: string, tenant = 'local') => `spiffe://beacon/beacon/agent/${tenant}/${agent}`;

export type Pki = {
  readonly folder: string;
  /** Of the servers' authority. */
  readonly caFile: string;
  readonly servers: Authority;
  readonly agents: Authority;
  /** Knobs of a Beacon with these files. */
  readonly env: Readonly<Record<string, string>>;
  /** A new certificate for the listeners, put in place of the old one. */
  rotate(): Promise<void>;
  /** A client's, from the agents' authority unless told otherwise. */
  client(name: string, options?: LeafOptions, from?: Authority): Promise<Shown>;
  remove(): void;
};
/** A certificate, and the files it lies in. */
export type Shown = Leaf & { readonly certFile: string; readonly keyFile: string };

export async function newPki(): Promise<Pki> {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-pki-'));
  const [servers, agents] = [await newAuthority('CN=servers'), await newAuthority('CN=agents')];
  const issue = () => servers.issue({ names: SERVER_NAMES });
  const { certFile, keyFile, caFile } = await writeTlsFiles(await issue(), servers.cert, folder);
  const clientCa = join(folder, 'agents.crt');
  writeFileSync(clientCa, agents.cert);
  let made = 0;
  return {
    folder,
    caFile,
    servers,
    agents,
    env: {
      BEACON_AGENT_TLS_CERT_FILE: certFile,
      BEACON_AGENT_TLS_KEY_FILE: keyFile,
      BEACON_AGENT_TLS_CLIENT_CA_FILE: clientCa,
    },
    async rotate() {
      await writeTlsFiles(await issue(), servers.cert, folder);
    },
    async client(name, options = {}, from = agents) {
      const leaf = await from.issue({ names: [name], ...options });
      made += 1;
      const files = { certFile: join(folder, `client-${made}.crt`), keyFile: join(folder, `client-${made}.key`) };
      writeFileSync(files.certFile, leaf.cert);
      writeFileSync(files.keyFile, leaf.key, { mode: 0o600 });
      return { ...leaf, ...files };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export type Credential = { readonly token?: string | undefined; readonly shown?: Leaf | undefined };
export type TlsAnswer = { readonly status: number; readonly body: Record<string, unknown> };

/** One request over HTTPS; throws when there is no answer. */
export async function callTls(
  { servers }: Pki,
  at: string,
  [method, path, body]: readonly [string, string, unknown?],
  { token, shown }: Credential = {},
): Promise<TlsAnswer> {
  const answer = await requestBytes(new URL(path, at), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    signal: AbortSignal.timeout(20_000),
    maxBytes: 1_048_576,
    trust: { ca: servers.cert, ...(shown ? { cert: shown.cert, key: shown.key } : {}) },
  });
  return { status: answer.status, body: JSON.parse(Buffer.from(answer.body).toString()) };
}

export const proposed = (agent: string, code = 'ls -la') =>
  ['POST', '/api/execute', { agent_id: agent, tenant_id: 'local', code }] as const;
