// Shows from the logs alone that a revocation was kept: in no signer's log does an ALLOW in its scope stand behind the
// fence, or under a lease that outlived the barrier, until the scope was reinstated. Each log is read once, in order.
// What an attacker controls: every byte of the logs. What is trusted: the keys handed in, and nothing else.

import type { PublicKey } from '../jwk.ts';
import { type Checkpoint, verifyCheckpoint } from '../ledger/checkpoint.ts';
import type { NoteKey } from '../ledger/note.ts';
import { WholeLog } from '../ledger/whole-log.ts';
import { VerifyError } from '../verify-error.ts';
import { Changes, type Stop } from './changes.ts';
import { type KillCode, KillProofError } from './codes.ts';
import { type SignerFinding, SignerLog } from './signer-log.ts';

export type TrustedKeys = { readonly receiptKeys: readonly PublicKey[]; readonly logKeys: readonly NoteKey[] };

/** A log as a stranger gets it: its checkpoint, and its entry bundles in order (`bundlesOf` names them). */
export type LogCopy = {
  readonly checkpoint: Uint8Array;
  bundles(checkpoint: Checkpoint): AsyncIterable<Uint8Array>;
};

export type KillProof = {
  readonly revocation_id: string;
  readonly scope: string;
  readonly operation: string;
  readonly epoch: number;
  readonly reinstated: boolean;
  /** Milliseconds from the revocation's leaf to its barrier's, both of the kill switch's log; null where there is no barrier. */
  readonly stopped_after_ms: number | null;
  readonly logs: readonly SignerFinding[];
  readonly proven: boolean;
  /** Why not: the first fault found. */
  readonly code?: KillCode;
  readonly message?: string;
};

/** Never throws for what a log says: what does not verify is `proven: false` with a code. */
export async function proveKill(
  revocationId: string,
  copies: readonly LogCopy[],
  keys: TrustedKeys,
): Promise<KillProof> {
  let stop: Stop | undefined;
  const logs: SignerFinding[] = [];
  const said = () => ({
    revocation_id: revocationId,
    scope: stop?.scope ?? '',
    operation: stop?.operation ?? '',
    epoch: stop?.epoch ?? 0,
    reinstated: stop?.lifted !== undefined,
    stopped_after_ms: stop === undefined ? null : stop.barrier.sealedAtMs - stop.sealedAtMs,
    logs,
  });
  try {
    const opened = copies.map((copy) => ({ copy, checkpoint: verifyCheckpoint(copy.checkpoint, keys.logKeys) }));
    requireDistinct(opened);
    const changes = new Changes(keys.receiptKeys);
    for (const log of opened.filter(isKillSwitch)) await readLog(log, changes);
    stop = changes.stop(revocationId);
    const signers: SignerLog[] = [];
    for (const log of opened.filter((one) => !isKillSwitch(one))) {
      const signer = new SignerLog(log.checkpoint.origin, stop, keys.receiptKeys);
      await readLog(log, signer);
      signers.push(signer);
    }
    // A permit of one log may have been opened in another.
    const stopped = new Set(signers.flatMap((signer) => [...signer.stoppedActions()]));
    logs.push(...signers.map((signer) => signer.finding(stopped)));
    requireEveryLog(stop, signers);
    for (const signer of signers) signer.judge(stopped);
    return { ...said(), proven: true };
  } catch (thrown) {
    if (!(thrown instanceof KillProofError || thrown instanceof VerifyError)) throw thrown;
    return { ...said(), proven: false, code: thrown.code, message: thrown.message };
  }
}

type Opened = { readonly copy: LogCopy; readonly checkpoint: Checkpoint };
type Reader = { leaf(envelope: Uint8Array, logId: string, index: number): void };

async function readLog({ copy, checkpoint }: Opened, reader: Reader): Promise<void> {
  const whole = new WholeLog(checkpoint);
  const logId = checkpoint.origin.split('/').at(-1) ?? '';
  for await (const bundle of copy.bundles(checkpoint)) {
    const { first, leaves } = whole.add(bundle);
    leaves.forEach((leaf, i) => {
      reader.leaf(leaf, logId, first + i);
    });
  }
  whole.end();
}

/** `beacon.local/<role>/<log id>` */
function isKillSwitch({ checkpoint }: Opened): boolean {
  return checkpoint.origin.split('/').at(-2) === 'kill-switch';
}

function requireDistinct(logs: readonly Opened[]): void {
  if (new Set(logs.map(({ checkpoint }) => checkpoint.origin)).size === logs.length) return;
  throw new VerifyError('malformed', 'the same log was given twice');
}

function requireEveryLog(stop: Stop, signers: readonly SignerLog[]): void {
  const missing = (message: string) => new KillProofError('missing_log', message);
  if (signers.length === 0) throw missing('no signer’s log was given');
  const named = stop.barrier.logs ?? [];
  for (const { origin } of named) {
    if (origin !== '' && !signers.some((log) => log.origin === origin)) {
      throw missing(`the barrier names ${origin}, which was not given`);
    }
  }
  const unnamed = named.filter(({ origin }) => origin === '').length;
  const given = signers.filter(({ mayBeUnnamed }) => mayBeUnnamed).length;
  if (given < unnamed) {
    throw missing(
      `the barrier waited for ${unnamed} signers whose logs it could not name; ${given} such logs were given`,
    );
  }
}
