import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const LIFE = fileURLToPath(new URL('./process.ts', import.meta.url));
const LOG = fileURLToPath(new URL('./log.ts', import.meta.url));

/** Runs `body` in a process of its own; `drain` may be given there. Signals are sent when it says it is up. */
function run(body: string, signals: NodeJS.Signals[], pauseMs = 0): Promise<{ status: number | null; stderr: string }> {
  const script = `
    import { runUntilSignal } from ${JSON.stringify(LIFE)};
    import { createLog } from ${JSON.stringify(LOG)};
    let drain = async () => {};
    let graceMs = 5000;
    const hold = setInterval(() => {}, 1000);
    ${body}
    runUntilSignal({ log: createLog('info'), graceMs, drain });
    process.stdout.write('up');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.once('data', async () => {
    for (const signal of signals) {
      child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  });
  return new Promise((resolve) => child.on('exit', (status) => resolve({ status, stderr })));
}

test('a signal drains and ends with 0', async () => {
  const { status, stderr } = await run(`drain = async () => { console.error('drained'); };`, ['SIGTERM']);
  expect(status).toBe(0);
  expect(stderr).toContain('drained');
});

test('a drain that fails, hangs or is cut short ends with 1', async () => {
  expect((await run(`drain = async () => { throw new Error('no'); };`, ['SIGINT'])).status).toBe(1);
  expect((await run(`graceMs = 50; drain = () => new Promise(() => {});`, ['SIGTERM'])).status).toBe(1);
  expect((await run(`drain = () => new Promise(() => {});`, ['SIGTERM', 'SIGTERM'], 200)).status).toBe(1);
});

test('an error nobody caught ends the process, and the log says which', async () => {
  const { status, stderr } = await run(`setTimeout(() => Promise.reject(new Error('lost')), 50);`, []);
  expect([status, stderr]).toEqual([1, expect.stringContaining('process.unhandled_rejection')]);
});
