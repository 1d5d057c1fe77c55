// A small file that may be replaced while the process runs: a credential, a set of keys. What cannot be read or used is
// told once and leaves what was read before in force.

import { readFile, stat } from 'node:fs/promises';
import { BeaconError } from '../core/errors.ts';

const MAX_BYTES = 1_048_576;

export type WatchedFileOptions<T> = {
  readonly path: string;
  /** By the clock: a mounted secret is swapped by links, which watching does not see on every system. */
  readonly everyMs: number;
  /** Whether somebody outside the owner's group reading it makes it useless. */
  readonly secret: boolean;
  /** Throws for what cannot be used. */
  readonly parse: (bytes: Uint8Array) => T;
  readonly refused: (error: BeaconError) => void;
  readonly changed?: () => void;
};

export type WatchedFile<T> = { current(): T; reload(): Promise<void>; close(): void };

/** Throws `failed_precondition` when the file cannot be used at the start. */
export async function watchFile<T>(options: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
  let bytes = await read(options);
  let value = parse(options, bytes);
  let refused = '';
  const reload = async () => {
    try {
      const next = await read(options);
      if (!next.equals(bytes)) {
        value = parse(options, next);
        bytes = next;
        options.changed?.();
      }
      refused = '';
    } catch (error) {
      if (String(error) !== refused) options.refused(error as BeaconError);
      refused = String(error);
    }
  };
  const timer = setInterval(() => void reload(), options.everyMs).unref();
  return { current: () => value, reload, close: () => clearInterval(timer) };
}

async function read({ path, secret }: WatchedFileOptions<unknown>): Promise<Buffer> {
  let why: string;
  try {
    const { mode, size } = await stat(path);
    if (secret && (mode & 0o007) !== 0) why = `is open to others (mode ${(mode & 0o777).toString(8)})`;
    else if (size > MAX_BYTES) why = `is larger than ${MAX_BYTES} bytes`;
    else return await readFile(path);
  } catch (cause) {
    throw new BeaconError('failed_precondition', `${path} cannot be read`, { cause });
  }
  throw new BeaconError('failed_precondition', `${path} ${why}`);
}

function parse<T>({ path, parse }: WatchedFileOptions<T>, bytes: Uint8Array): T {
  try {
    return parse(bytes);
  } catch (cause) {
    throw new BeaconError('failed_precondition', `${path} cannot be used: ${(cause as Error).message}`, { cause });
  }
}
