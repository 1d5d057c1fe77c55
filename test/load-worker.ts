// Callers in a process of their own, so that what they measure is the server's doing and not a busy test's: so many lanes
// ask one after the other over kept connections for a stated time. Prints one line of JSON when it is done.

import { Agent, request } from 'node:http';

export type LoadPlan = {
  readonly http: string;
  readonly lanes: number;
  readonly durationMs: number;
  /** How long a refused lane waits before it asks again. */
  readonly afterRefusalMs: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly token?: string;
};
export type LoadResult = {
  /** Of each decision, in milliseconds. */
  readonly tookMs: number[];
  readonly refused: number;
  readonly other: number;
};

async function run({ http, lanes, durationMs, afterRefusalMs, body, token }: LoadPlan): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  const sent = Buffer.from(JSON.stringify(body));
  const headers = {
    'content-type': 'application/json',
    'content-length': sent.length,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      request(`${http}/api/execute`, { method: 'POST', agent, headers }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      })
        .on('error', reject)
        .end(sent);
    });
  const result = { tookMs: [] as number[], refused: 0, other: 0 };
  const untilMs = performance.now() + durationMs;
  const lane = async () => {
    while (performance.now() < untilMs) {
      const before = performance.now();
      const status = await ask().catch(() => 0);
      if (status === 200) result.tookMs.push(performance.now() - before);
      else if (status === 429) result.refused += 1;
      else result.other += 1;
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, afterRefusalMs));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  agent.destroy();
  return result;
}

const [plan] = process.argv.slice(2);
if (plan !== undefined) process.stdout.write(`${JSON.stringify(await run(JSON.parse(plan) as LoadPlan))}\n`);
