// Servers under measurement run in processes of their own; each prints one line of JSON on stdout when it is ready.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 60_000;
const TICKS_PER_SECOND = 100;

export type Child = {
  readonly ready: Readonly<Record<string, string>>;
  /** CPU the process has used so far, in seconds; NaN where /proc does not tell. */
  cpuSeconds(): number;
  stop(): Promise<void>;
};

/** `env` is all that the child sees beside PATH. */
export async function startChild(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Child> {
  const child = spawn(process.execPath, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  });
  process.on('exit', () => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (text) => {
    errors = `${errors}${text}`.slice(-4_000);
  });
  let stopping = false;
  const ended = new Promise<void>((resolve) =>
    child.on('exit', (code, signal) => {
      if (!stopping) process.stderr.write(`${args[0]} ended by itself (${signal ?? code})\n${errors}\n`);
      resolve();
    }),
  );
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time: ${args[0]}\n${errors}`)), START_TIMEOUT_MS);
    timer.unref();
    createInterface({ input: child.stdout }).once('line', resolve);
    ended.then(() => reject(new Error(`ended before it was ready: ${args[0]}\n${errors}`)));
  });
  return {
    ready: JSON.parse(line),
    cpuSeconds: () => cpuOf(child.pid as number),
    stop() {
      stopping = true;
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** CPU a process has used so far, in seconds; NaN where /proc does not tell. */
export function cpuOf(pid: number): number {
  try {
    // The program's name may hold spaces, so the fields are counted from its closing bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}
