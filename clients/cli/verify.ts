// `beacon verify`: checks receipts without Beacon, from public keys and, for the ledger, a proof file.
// Says yes only to the exact bytes of a receipt; a copy with a newline added is another file.

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { contradictions, type Verified } from '../../core/contradictions.ts';
import { type Inclusion, verifyInclusion, verifyReceipt } from '../../core/verify.ts';
import { VerifyError } from '../../core/verify-error.ts';
import { findBeacon } from './beacon.ts';
import { EXIT, usage } from './failure.ts';
import { many, plain, terminal } from './terminal.ts';
import { keysOf, readTrustedKeys, type TrustedKeys } from './trusted-keys.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = { key?: string[]; proof?: string[]; json?: true };
type Finding = { file: string } & (Verified | { refused: VerifyError });

export function define(program: Command, world: World, exits: Exits): void {
  const collect = (value: string, before: string[] = []) => [...before, value];
  program
    .command('verify')
    .description('check receipts offline, with public keys alone')
    .argument('<file...>', 'receipts as Beacon stores them; - reads stdin')
    .option(
      '--key <file or URL>',
      'a JWK set (receipts), a vkey or the answer of /api/logs (checkpoints); repeatable',
      collect,
    )
    .option('--proof <file>', 'a tlog-proof for the receipt in the same place; repeatable', collect)
    .option('--json', 'one document with a result for each file')
    .addHelpText('after', '\nWithout --key the keys that the running Beacon publishes are trusted.')
    .action(exits((files: string[], options: Options) => verify(files, options, world)));
}

async function verify(files: string[], options: Options, world: World): Promise<number> {
  const { key: sources = [], proof: proofs = [] } = options;
  if (proofs.length > 0 && proofs.length !== files.length) {
    throw usage(
      `${many(proofs.length, 'proof')} for ${many(files.length, 'receipt')}: give one for each, in the same order`,
    );
  }
  const keys = sources.length > 0 ? await readTrustedKeys(sources, world) : await keysOf(await findBeacon(world));
  const alone: Finding[] = [];
  for (const [at, file] of files.entries()) {
    const bytes = await read(file, world);
    const proof = proofs[at] === undefined ? undefined : await read(proofs[at], world);
    alone.push(check(file, bytes, proof, keys));
  }
  const findings = together(alone);
  if (options.json) world.out(`${JSON.stringify(asDocument(findings))}\n`);
  else for (const finding of findings) show(finding, keys, world);
  for (const finding of findings) {
    if ('refused' in finding)
      world.err(`beacon: ${finding.file}: ${finding.refused.code}: ${finding.refused.message}\n`);
  }
  return findings.every((finding) => 'receipt' in finding) ? EXIT.yes : EXIT.no;
}

function check(file: string, bytes: Uint8Array, proof: Uint8Array | undefined, keys: TrustedKeys): Finding {
  try {
    const receipt = verifyReceipt(bytes, keys.receiptKeys);
    if (proof === undefined) return { file, receipt };
    return { file, receipt, inclusion: verifyInclusion(bytes, proof, keys.logKeys) };
  } catch (thrown) {
    if (thrown instanceof VerifyError) return { file, refused: thrown };
    throw thrown;
  }
}

function together(findings: readonly Finding[]): Finding[] {
  const found = contradictions(findings.map((finding) => ('receipt' in finding ? finding : undefined)));
  return findings.map((finding, at) => {
    const refused = found[at];
    return refused ? { file: finding.file, refused } : finding;
  });
}

async function read(file: string, world: World): Promise<Uint8Array> {
  if (file === '-') return world.readStdin();
  try {
    return await readFile(file);
  } catch (thrown) {
    throw usage(`cannot read ${file} (${(thrown as NodeJS.ErrnoException).code})`);
  }
}

function asDocument(findings: Finding[]) {
  const results = findings.map((finding) => {
    if ('refused' in finding) {
      return { file: finding.file, verified: false, code: finding.refused.code, message: finding.refused.message };
    }
    const { receipt, inclusion } = finding;
    return {
      file: finding.file,
      verified: true,
      receipt_id: receipt.receiptId,
      kind: receipt.kind,
      action_id: receipt.actionId,
      fingerprint: receipt.fingerprint,
      sealed_at: receipt.sealedAt,
      keyid: receipt.keyId,
      in_ledger: inclusion !== undefined,
      ...(inclusion && {
        origin: inclusion.checkpoint.origin,
        index: inclusion.index,
        tree_size: inclusion.checkpoint.size,
      }),
      predicate: receipt.predicate,
    };
  });
  const code = results.find((result) => !result.verified)?.code;
  return { verified: code === undefined, ...(code && { code }), results };
}

function show(finding: Finding, keys: TrustedKeys, world: World): void {
  const { headline, fields, style } = terminal(world);
  if ('refused' in finding) {
    headline('bad', 'refused', `${plain(finding.file)}  ${style('bold', finding.refused.code)}`);
    return;
  }
  const { receipt, inclusion } = finding;
  const { route, reasons } = receipt.predicate as { route?: string; reasons?: { rule: string; code: string }[] };
  headline('good', 'verified', `${receipt.kind} ${receipt.receiptId}`);
  fields([
    ['says', [route, ...(reasons ?? []).map(({ rule, code }) => `${rule}: ${code}`)].filter(Boolean).join(' · ')],
    ['about', receipt.agentId && `agent ${receipt.agentId} of tenant ${receipt.tenantId}`],
    ['action', receipt.actionId],
    ['fingerprint', receipt.fingerprint],
    ['sealed at', receipt.sealedAt],
    ['signed by', receipt.keyId],
    ['ledger', inclusion ? ledgerLine(inclusion, keys) : 'not checked (no --proof given)'],
  ]);
}

function ledgerLine({ index, checkpoint }: Inclusion, keys: TrustedKeys): string {
  const key = keys.logKeys.find(({ name }) => name === checkpoint.origin);
  const by = key ? `, checkpoint signed by key ${key.keyHash.toString(16).padStart(8, '0')}` : '';
  return `leaf ${index} of ${checkpoint.size} in ${checkpoint.origin}${by}`;
}
