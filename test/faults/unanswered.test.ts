// Decision replicas are killed outright under load. Whatever they had sealed and told nobody is found afterwards and closed
// by a void: every decision that stands in a log was answered.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Fleet, type ServiceProcess, startFleet } from '../separate.ts';
import { type Ledgers, Load, readLedgers, standing } from './chaos.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let fleet: Fleet;
let load: Load;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function allowsAgain(): Promise<void> {
  const from = Date.now();
  await vi.waitFor(() => expect(load.allowedSince(from)).toBe(true), { timeout: 30_000, interval: 50 });
}

/** Stopped first: what its signers answer meanwhile, it cannot read. Then it dies with that. */
async function strike(replica: ServiceProcess): Promise<void> {
  replica.signal('SIGSTOP');
  await sleep(150);
  await replica.end('SIGKILL');
  await replica.start();
}

const reasons = ({ leaves }: Ledgers) =>
  Map.groupBy(
    leaves.filter(({ kind }) => kind === 'void'),
    ({ predicate }) => String(predicate.reason),
  );

/** Decision leaves that stand although nobody was told of them. */
function untold(ledgers: Ledgers): readonly string[] {
  const told = new Set(load.answered.map(({ receiptId }) => receiptId));
  return standing(ledgers, 'decision')
    .filter(({ receiptId }) => !told.has(receiptId))
    .map(({ receiptId, predicate }) => `${receiptId} ${predicate.decision} ${predicate.opportunity_id}`);
}

async function allTold(): Promise<Ledgers> {
  const looked = async () => {
    const ledgers = await readLedgers(fleet);
    expect(untold(ledgers)).toEqual([]);
    return ledgers;
  };
  return vi.waitFor(looked, { timeout: 45_000, interval: 1_000 });
}

beforeAll(async () => {
  fleet = await startFleet({}, { decisionReplicas: 2 });
  load = new Load(
    fleet,
    Array.from({ length: 24 }, (_, i) => `told-${i}`),
  );
  load.start();
  await allowsAgain();
});
afterAll(async () => {
  await load?.stop();
  await fleet?.stop();
});

test('what a killed replica had sealed and told nobody is voided, and nothing that was answered', async () => {
  for (const replica of [...fleet.decisions, ...fleet.decisions]) {
    await strike(replica);
    await allowsAgain();
  }
  await load.stop();
  const ledgers = await allTold();
  const unanswered = reasons(ledgers).get('unanswered') ?? [];
  console.info(`voided as unanswered: ${unanswered.length} of ${ledgers.leaves.length} leaves`);
  expect(unanswered.length).toBeGreaterThan(0);
  for (const { receiptId } of load.answered) expect(ledgers.voided.has(receiptId)).toBe(false);
  // Once each, and with everything that was sealed together.
  const voids = ledgers.leaves.filter(({ kind }) => kind === 'void').map(({ predicate }) => predicate.voids);
  expect(new Set(voids).size).toBe(voids.length);
  const decided = new Set(standing(ledgers, 'decision').map(({ actionId }) => actionId));
  for (const { actionId } of standing(ledgers, 'action')) expect(decided).toContain(actionId);
});

// Again where nothing happened to be under way at that signer when it stopped: then there is nothing to suspect.
test('what a replica suspected of a signer outlives the replica', { retry: 3 }, async () => {
  const [signer] = fleet.signers;
  const before = reasons(await readLedgers(fleet)).get('orphan')?.length ?? 0;
  load.start();
  await allowsAgain();
  signer?.signal('SIGSTOP');
  // Longer than an attempt lasts: answered by the other signer, and sealed here as well when it wakes.
  await sleep(2_500);
  await Promise.all(fleet.decisions.map((replica) => replica.end('SIGKILL')));
  signer?.signal('SIGCONT');
  await Promise.all(fleet.decisions.map((replica) => replica.start()));
  await allowsAgain();
  await load.stop();
  const ledgers = await allTold();
  const orphans = (reasons(ledgers).get('orphan')?.length ?? 0) - before;
  console.info(`voided as orphans by replicas that never sent them: ${orphans}`);
  expect(orphans).toBeGreaterThan(0);
  for (const { receiptId } of load.answered) expect(ledgers.voided.has(receiptId)).toBe(false);
});
