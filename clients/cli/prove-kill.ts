// `beacon prove-kill`: shows from the logs alone that a revocation was kept. Asks Beacon for nothing but bytes that it
// then verifies, and with --logs asks nobody.

import type { Command } from 'commander';
import { type KillProof, proveKill } from '../../core/kill-proof/prove.ts';
import type { SignerFinding } from '../../core/kill-proof/signer-log.ts';
import { findBeacon } from './beacon.ts';
import { EXIT, usage } from './failure.ts';
import { fetchLogs, readLogs, savingTo } from './log-copies.ts';
import { stoppedAfter } from './revoke.ts';
import { plain, terminal } from './terminal.ts';
import { keysOf, readTrustedKeys } from './trusted-keys.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = { logs?: string; save?: string; key?: string[]; json?: true };
const REVOCATION_ID = /^rev_[0-9a-f]{32}$/;

export function define(program: Command, world: World, exits: Exits): void {
  const collect = (value: string, before: string[] = []) => [...before, value];
  program
    .command('prove-kill')
    .description('show from the logs alone that no ALLOW in a revoked scope follows its fence')
    .argument('<revocation>', 'a revocation id, as beacon revoke prints it')
    .option('--logs <folder>', 'read the logs from a folder instead (needs --key)')
    .option('--save <folder>', 'keep the logs that were read, for --logs')
    .option('--key <file or URL>', 'a JWK set (receipts) or vkeys (checkpoints); repeatable', collect)
    .option('--json')
    .addHelpText(
      'after',
      '\nReading logs needs an auditor. Without --key the keys that the running Beacon publishes are trusted.',
    )
    .action(exits((id: string, options: Options) => prove(id, options, world)));
}

async function prove(id: string, options: Options, world: World): Promise<number> {
  if (!REVOCATION_ID.test(id)) throw usage(`not a revocation id: ${id}`);
  const { logs: folder, save, key: sources = [] } = options;
  // Keys that lie beside the logs would be vouched for by whoever made the logs.
  if (folder !== undefined && sources.length === 0) throw usage('--logs needs --key: a JWK set and the logs’ vkeys');
  const beacon = folder === undefined ? await findBeacon(world) : undefined;
  const keys = beacon && sources.length === 0 ? await keysOf(beacon) : await readTrustedKeys(sources, world);
  const copies = beacon ? await fetchLogs(beacon) : await readLogs(folder as string);
  const proof = await proveKill(id, save === undefined ? copies : savingTo(save, copies), keys);
  if (options.json) world.out(`${JSON.stringify(proof)}\n`);
  else await show(proof, world);
  if (!proof.proven) world.err(`beacon: ${proof.code}: ${plain(proof.message)}\n`);
  return proof.proven ? EXIT.yes : EXIT.no;
}

async function show(proof: KillProof, world: World): Promise<void> {
  const { headline, fields, table, line, style } = terminal(world);
  const { scope, proven, code, message, logs } = proof;
  if (proven) headline('good', 'proven', `no ALLOW for ${plain(scope)} ${style('dim', untilWhen(proof))}`);
  else headline('bad', 'not proven', `${style('bold', code ?? '')}  ${plain(message)}`);
  fields([
    ['revocation', proof.revocation_id],
    ['scope', scope],
    ['epoch', proof.epoch || undefined],
    ['stopped', proof.stopped_after_ms === null ? undefined : stoppedAfter(proof.stopped_after_ms)],
  ]);
  if (logs.length > 0)
    await table(['log', 'leaves read', 'stopped by', 'ALLOWs before', 'last at', 'after', 'voided'], logs.map(row));
  for (const { allows_after_in_scope } of logs) {
    for (const id of allows_after_in_scope) line(`  ${style('red', plain(id))} is allowed where nothing may be`);
  }
}

function untilWhen({ reinstated }: KillProof): string {
  return reinstated
    ? 'from its fence to its reinstatement, in all that was read'
    : 'behind its fence, in all that was read';
}

function row(log: SignerFinding): unknown[] {
  const { origin, leaves, fence_index, allows_before, last_allow_index, allows_after_in_scope, voided } = log;
  const stoppedBy = fence_index === null ? 'end of lease' : `fence at leaf ${fence_index}`;
  return [
    origin,
    leaves,
    stoppedBy,
    allows_before,
    last_allow_index ?? '',
    allows_after_in_scope.length,
    voided.join(' '),
  ];
}
