// A sidecar as a process of its own, with the files it is given; and somebody who sits between it and its gateway.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DecideResponse, DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { host } from '../runtime/rpc.ts';
import { dial } from '../runtime/rpc-dial.ts';
import type { IncomingCall } from '../runtime/rpc-incoming.ts';
import { createRpcServer, listenRpc } from '../runtime/rpc-server.ts';
import { type Beacond, call, removeDataDir } from './beacond.ts';
import { ServiceProcess } from './separate.ts';

export const AGENT = 'beside';
export const TENANT = 'local';

export type Sidecar = {
  readonly process: ServiceProcess;
  readonly http: string;
  readonly grpc: string;
  /** Where its files are. */
  readonly file: (name: string) => string;
  remove(): Promise<void>;
};

export async function mintToken(beacond: Beacond, agent = AGENT): Promise<string> {
  const minted = await call(beacond, 'POST', `/api/agents/${agent}/tokens`, { tenant_id: TENANT }, beacond.adminToken);
  return minted.body.token as string;
}

/** Beside one agent of `beacond`'s, its keys pinned; `gateways` where it dials. */
export async function startSidecar(
  beacond: Beacond,
  gateways: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Sidecar> {
  const jwks = (await call(beacond, 'GET', '/.well-known/jwks.json')).body;
  return startSidecarWith({ token: await mintToken(beacond), jwks }, gateways, env);
}

/** With these in its files; an agent's certificate comes by `env`. */
export async function startSidecarWith(
  { token, jwks }: { readonly token?: string; readonly jwks: unknown },
  gateways: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Sidecar> {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-sidecar-'));
  const file = (name: string) => join(folder, name);
  if (token !== undefined) writeFileSync(file('agent.token'), `${token}\n`, { mode: 0o600 });
  writeFileSync(file('jwks.json'), JSON.stringify(jwks));
  const sidecar = new ServiceProcess('sidecar', 'sidecar', {
    BEACON_AGENT_ID: AGENT,
    BEACON_TENANT_ID: TENANT,
    BEACON_GATEWAYS: gateways.join(','),
    ...(token === undefined ? {} : { BEACON_AGENT_TOKEN_FILE: file('agent.token') }),
    BEACON_RECEIPT_KEYS_FILE: file('jwks.json'),
    BEACON_OPEN_LOOPBACK: 'true',
    BEACON_HTTP_LISTEN: '127.0.0.1:0',
    BEACON_GRPC_LISTEN: '127.0.0.1:0',
    ...env,
  });
  try {
    await sidecar.start();
  } catch (error) {
    removeDataDir(folder);
    throw error;
  }
  return {
    process: sidecar,
    http: sidecar.ready.http as string,
    grpc: sidecar.ready.grpc as string,
    file,
    async remove() {
      await sidecar.end('SIGKILL');
      removeDataDir(folder);
    },
  };
}

export type Between = {
  readonly address: string;
  /** What is done to each answer that is not a probe's; one may be delayed, changed, or kept back (undefined). */
  alter: (response: DecideResponse) => Promise<DecideResponse | undefined>;
  /** Cuts every connection and takes no new ones. */
  close(): void;
};

/** A man in the middle: sidecars take it for the gateway. */
export async function sitBetween(gateway: string): Promise<Between> {
  type Context = { readonly authorization: string };
  const options = { metadata: ({ authorization }: Context) => ({ authorization }) };
  const upstream = dial<typeof DecisionService, Context>(DecisionService, gateway, options);
  const scoring = dial<typeof ScoringService, Context>(ScoringService, gateway, options);
  const server = createRpcServer();
  const between: Between = {
    address: '',
    alter: async (response) => response,
    close() {
      server.forceShutdown();
      upstream.close();
      scoring.close();
    },
  };
  const hostOptions = {
    authenticate: async (incoming: IncomingCall) => ({ authorization: incoming.metadata('authorization') ?? '' }),
    onError: () => {},
  };
  const decide: typeof upstream.service.decide = async function* decide(requests, context) {
    for await (const response of upstream.service.decide(requests, context)) {
      const altered = response.result.case === 'answer' ? await between.alter(response) : response;
      if (altered) yield altered;
    }
  };
  host<typeof DecisionService, Context>(server, DecisionService, { ...upstream.service, decide }, hostOptions);
  host<typeof ScoringService, Context>(server, ScoringService, scoring.service, hostOptions);
  return Object.assign(between, { address: await listenRpc(server, '127.0.0.1:0') });
}
