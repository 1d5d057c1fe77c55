// How the process ends: on a signal it drains and exits 0; on a second signal, a drain that takes too long or an error
// nobody caught it exits 1. It never goes on after an uncaught error, whose damage it cannot know.

import type { Log } from './log.ts';

export type LifeOptions = {
  readonly log: Log;
  /** Longest drain. */
  readonly graceMs: number;
  drain(): Promise<void>;
  exit?(status: number): void;
};

/** Installs the handlers; gives a function that starts the same drain from within. */
export function runUntilSignal(options: LifeOptions): (reason: string) => void {
  const exit = options.exit ?? ((status: number) => process.exit(status));
  let draining = false;
  const stop = (reason: string) => {
    if (draining) {
      options.log.warn('process.killed', { reason });
      return exit(1);
    }
    draining = true;
    options.log.info('process.draining', { reason });
    const timer = setTimeout(() => {
      options.log.error('process.drain_too_long', { grace_ms: options.graceMs });
      exit(1);
    }, options.graceMs);
    timer.unref();
    options.drain().then(
      () => exit(0),
      (error: unknown) => {
        options.log.error('process.drain_failed', { error });
        exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
  const die = (event: string) => (error: unknown) => {
    options.log.error(event, { error });
    exit(1);
  };
  process.on('uncaughtException', die('process.uncaught_exception'));
  process.on('unhandledRejection', die('process.unhandled_rejection'));
  return stop;
}
