// Every subject in turn, round after round: what is compared is measured within the same seconds.

import { type Call, load } from './load.ts';
import { IN_TURN, type Measured } from './report.ts';

export type Subject = {
  readonly name: string;
  readonly inFlight: number;
  readonly call: Call;
  /** The processes that answer; absent for what runs in this one. */
  readonly server?: { cpuSeconds(): number };
};

export type Effort = {
  readonly rounds: number;
  /** For each figure and round. */
  readonly seconds: number;
  /** Calls before anything is measured. */
  readonly warmup: number;
};

export function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

export async function measure(subjects: readonly Subject[], { rounds, seconds }: Effort): Promise<Measured[]> {
  const measured = subjects.map(({ name, inFlight }): Measured => {
    return { name, inFlight, perSecond: [], serverCpuSeconds: [], latenciesMs: [] };
  });
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const [index, { call, inFlight, server }] of subjects.entries()) {
      const into = measured[index] as Measured;
      const cpuBefore = server?.cpuSeconds();
      const sample = await load(call, inFlight, { seconds });
      for (const ms of sample.latenciesMs) into.latenciesMs.push(ms);
      into.perSecond.push(sample.latenciesMs.length / sample.seconds);
      if (server && cpuBefore !== undefined) into.serverCpuSeconds.push(server.cpuSeconds() - cpuBefore);
    }
  }
  return measured;
}

/**
 * One call of each after the other: each finds caches, cores and the disk as a single call of an agent does. In a loop of its
 * own a floor is measured hot, which no step of a longer path ever is.
 */
export async function measureInTurn(subjects: readonly Subject[], { rounds, seconds }: Effort): Promise<Measured[]> {
  const alone = subjects.filter(({ inFlight }) => inFlight === 1);
  const measured = alone.map(({ name }): Measured => {
    return { name: name + IN_TURN, inFlight: 1, perSecond: [], serverCpuSeconds: [], latenciesMs: [] };
  });
  say('each in turn');
  const until = performance.now() + rounds * seconds * alone.length * 1000;
  while (performance.now() < until) {
    for (const [index, { call }] of alone.entries()) {
      const before = performance.now();
      await call();
      (measured[index] as Measured).latenciesMs.push(performance.now() - before);
    }
  }
  return measured;
}

export async function warmUp(subjects: readonly Subject[], { warmup }: Effort): Promise<void> {
  const first = performance.now();
  for (const { call, inFlight, server } of subjects) {
    // At 64 in flight only: one at a time would take many times as long and warm the same code.
    if (server && inFlight === 1) continue;
    await load(call, inFlight, { seconds: 120, calls: server ? warmup : Math.min(warmup, 2_000) });
  }
  say(`warmed up in ${((performance.now() - first) / 1000).toFixed(0)} s`);
}
