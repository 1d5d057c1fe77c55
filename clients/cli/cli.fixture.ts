// A scripted Beacon on loopback and a way to run one command line against it, for the tests of the verbs.

import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwks, ORIGIN, vkey } from '../../test/sealed-log.ts';
import { run } from './main.ts';
import type { PolicyTools } from './policy-tools.ts';

export type Answer = { status?: number; type?: string; location?: string; body: unknown; afterMs?: number };
export type Seen = { method: string; url: string; authorization: string | undefined; body: unknown };
export type Ran = { exit: number; out: string; bytes: Buffer; err: string };

export type StubBeacon = {
  readonly url: string;
  /** A folder for the test's files; also where the command runs. */
  readonly folder: string;
  /** Keyed by `METHOD /path`, with the query or for any. */
  answers: Record<string, Answer>;
  seen: Seen[];
  /** Back to a Beacon that publishes keys and knows nothing else. */
  reset(): void;
  beacon(argv: string[], given?: Partial<Given>): Promise<Ran>;
  save(name: string, content: string | Uint8Array): Promise<string>;
  close(): void;
};

export async function startStubBeacon(): Promise<StubBeacon> {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-cli-'));
  const server = createServer(async (request: IncomingMessage, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { method = '', url: target = '', headers } = request;
    stub.seen.push({ method, url: target, authorization: headers.authorization, body: text && JSON.parse(text) });
    const missing: Answer = { status: 404, body: { code: 'not_found', detail: 'no such thing' } };
    const answer = stub.answers[`${method} ${target}`] ?? stub.answers[`${method} ${target.split('?')[0]}`] ?? missing;
    const { status = 200, type = 'application/json', location, body } = answer;
    if (answer.afterMs) await new Promise((resolve) => setTimeout(resolve, answer.afterMs));
    response.writeHead(status, { 'content-type': type, ...(location ? { location } : {}) });
    response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stub: StubBeacon = {
    url,
    folder,
    answers: {},
    seen: [],
    reset: () => {
      stub.answers = {
        'GET /.well-known/jwks.json': { body: jwks },
        'GET /api/logs': { body: [{ origin: ORIGIN, prefix: '/log', vkey, size: 5 }] },
      };
      stub.seen = [];
    },
    beacon: (argv, given = {}) =>
      runIn(folder, argv, { env: { BEACON_URL: url, BEACON_TOKEN: 'secret-token' }, ...given }),
    save: async (name, content) => {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    },
    close: () => {
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
  return stub;
}

type Given = { env: Record<string, string>; stdin?: Uint8Array; colour?: boolean; policyTools?: PolicyTools };

async function runIn(folder: string, argv: string[], given: Given): Promise<Ran> {
  const out: Uint8Array[] = [];
  let err = '';
  const exit = await run(argv, {
    env: { HOME: join(folder, 'nobody'), ...given.env },
    cwd: folder,
    colour: given.colour ?? false,
    width: 100,
    out: (text) => void out.push(Buffer.from(text)),
    err: (text) => {
      err += text;
    },
    readStdin: async () => given.stdin ?? new Uint8Array(),
    onInterrupt: () => undefined,
    ...(given.policyTools ? { policyTools: async () => given.policyTools as PolicyTools } : {}),
  });
  return { exit, out: Buffer.concat(out).toString(), bytes: Buffer.concat(out), err };
}
