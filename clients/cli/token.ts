// `beacon token`: mints an agent's token (admin). As a client file it is all that a hook may believe in: where Beacon
// is, who the agent is, and under which keys an answer's receipt must verify.

import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { requireName } from '../../core/ids.ts';
import { parseJwks } from '../../core/jwk.ts';
import { type Beacon, findBeacon, type Json } from './beacon.ts';
import { EXIT, unreachable, usage } from './failure.ts';
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
  const path = options.clientFile === undefined ? undefined : resolve(world.cwd, options.clientFile);
  // Before anything is minted: a name once minted can no longer be proposed under without its token.
  if (path !== undefined) {
    requireNamedTrust(beacon, world);
    await ensureFolder(dirname(path));
  }
  const minted = await beacon.ask('POST', `/api/agents/${encodeURIComponent(agent)}/tokens`, {
    tenant_id: options.tenant,
  });
  if (typeof minted.token !== 'string') throw unreachable('the answer holds no token');
  if (path === undefined) {
    if (options.json) world.out(`${JSON.stringify(minted)}\n`);
    else world.out(`${plain(minted.token)}\n`);
    return EXIT.yes;
  }
  await writePrivately(path, `${JSON.stringify(await clientFile(beacon, minted, world), undefined, 2)}\n`);
  const { token: _kept, ...rest } = minted;
  if (options.json) world.out(`${JSON.stringify({ client_file: path, ...rest })}\n`);
  else showFile(path, minted, world);
  return EXIT.yes;
}

/** A hook looks up nothing by itself: whom it believes must stand in its file. */
function requireNamedTrust(beacon: Beacon, world: World): void {
  const { BEACON_URL: url, BEACON_CA_FILE: ca } = world.env;
  if (!beacon.url.startsWith('https:') || url || ca) return;
  throw usage('the running Beacon speaks TLS: set BEACON_URL to the name in its certificate, and BEACON_CA_FILE');
}

async function clientFile(beacon: Beacon, minted: Json, world: World): Promise<Json> {
  const jwks = await beacon.fetchBytes('/.well-known/jwks.json');
  parseJwks(jwks);
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

/** Never for a moment readable by others, never half a file under that name, never through a link. */
async function writePrivately(path: string, content: string): Promise<void> {
  const scratch = join(dirname(path), `.beacon-${randomBytes(8).toString('hex')}`);
  const file = await open(scratch, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
    await rename(scratch, path);
  } catch (thrown) {
    await unlink(scratch).catch(() => undefined);
    throw thrown;
  } finally {
    await file.close();
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
