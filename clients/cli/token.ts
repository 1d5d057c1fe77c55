// `beacon token`: mints an agent's token (admin). As a client file it is all that a hook may believe in: where Beacon
// is, who the agent is, and under which keys an answer's receipt must verify.

import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { requireName } from '../../core/ids.ts';
import { parseJwks } from '../../core/jwk.ts';
import { type Beacon, findBeacon, type Json } from './beacon.ts';
import { CliFailure, EXIT, unreachable, usage } from './failure.ts';
import { newFile } from './new-file.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = { tenant: string; clientFile?: string; json?: true };

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('token')
    .description('mint a token for an agent; --client-file writes what a hook needs (needs the admin role)')
    .argument('<agent>')
    .requiredOption('--tenant <name>')
    .option(
      '--client-file <file>',
      'write {url, token, agent_id, tenant_id, jwks, ca_file} there, mode 0600, and show no token',
    )
    .option('--json')
    .action(exits((agent: string, options: Options) => token(agent, options, world)));
}

async function token(agent: string, options: Options, world: World): Promise<number> {
  requireName('agent', agent);
  requireName('--tenant', options.tenant);
  const beacon = await findBeacon(world);
  if (options.clientFile !== undefined)
    return tokenFile(beacon, agent, resolve(world.cwd, options.clientFile), options, world);
  const minted = await mint(beacon, agent, options);
  if (options.json) world.out(`${JSON.stringify(minted)}\n`);
  else showToken(minted, world);
  return EXIT.yes;
}

/** The token alone on stdout, for a variable or a file; what ends it beside it. */
function showToken(minted: Json, world: World): void {
  world.out(`${plain(minted.token)}\n`);
  const id = plain(minted.token_id);
  world.err(`beacon: token id ${id}, until ${plain(minted.expires_at)}; beacon revoke-token ${id} ends it before\n`);
}

async function mint(beacon: Beacon, agent: string, { tenant }: Options): Promise<Json> {
  const path = `/api/agents/${encodeURIComponent(agent)}/tokens`;
  const minted = await beacon.ask('POST', path, { tenant_id: tenant });
  if (typeof minted.token !== 'string') throw unreachable('the answer holds no token');
  return minted;
}

async function tokenFile(beacon: Beacon, agent: string, path: string, options: Options, world: World): Promise<number> {
  // Before anything is minted: a name once minted can no longer be proposed under without its token.
  requireNamedTrust(beacon, world);
  await ensureFolder(dirname(path));
  const file = await newFile(path, 0o600);
  let jwks: Uint8Array;
  let minted: Json;
  try {
    jwks = await beacon.fetchBytes('/.well-known/jwks.json');
    parseJwks(jwks);
    minted = await mint(beacon, agent, options);
  } catch (thrown) {
    await file.drop();
    throw thrown;
  }
  await file.fill(`${JSON.stringify(clientFile(beacon, minted, jwks, world), undefined, 2)}\n`).catch((thrown) => {
    const id = plain(minted.token_id);
    const why = (thrown as NodeJS.ErrnoException).code;
    const lost = `the token ${id} was minted, but ${path} cannot be written (${why})`;
    throw new CliFailure(EXIT.no, 'internal', `${lost}: end it with beacon revoke-token ${id}, and mint another`);
  });
  const { token: _kept, ...rest } = minted;
  if (options.json) world.out(`${JSON.stringify({ client_file: path, ...rest })}\n`);
  else showFile(path, minted, world);
  return EXIT.yes;
}

/** A hook looks up nothing by itself: whom it believes must stand in its file. */
function requireNamedTrust(beacon: Beacon, world: World): void {
  const { BEACON_URL: url, BEACON_CA_FILE: ca } = world.env;
  if (!beacon.url.startsWith('https:') || url || ca) return;
  throw usage(
    'the running Beacon speaks TLS: set BEACON_URL to the name in its certificate, BEACON_CA_FILE, and BEACON_TOKEN to its admin token',
  );
}

function clientFile(beacon: Beacon, minted: Json, jwks: Uint8Array, world: World): Json {
  const { token: secret, agent_id, tenant_id } = minted;
  const { BEACON_CA_FILE: ca } = world.env;
  return {
    ...{ url: beacon.url, token: secret, agent_id, tenant_id, jwks: JSON.parse(Buffer.from(jwks).toString()) },
    ...(beacon.url.startsWith('https:') && ca ? { ca_file: resolve(world.cwd, ca) } : {}),
  };
}

async function ensureFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw usage(`cannot make the folder ${folder} (${(thrown as NodeJS.ErrnoException).code})`);
  }
}

function showFile(path: string, minted: Json, world: World): void {
  const { headline, fields } = terminal(world);
  headline('good', 'client file written', plain(path));
  fields([
    ['agent', `${plain(minted.agent_id)} of tenant ${plain(minted.tenant_id)}`],
    ['token id', minted.token_id],
    ['expires', minted.expires_at],
  ]);
}
