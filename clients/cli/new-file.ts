// A file whose place is taken before there is anything to write into it: what cannot be kept there is
// known before it is made.

import { randomBytes } from 'node:crypto';
import { open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { usage } from './failure.ts';

export type NewFile = {
  /** The whole file, or what was there before, whatever happens. */
  fill(content: string | Uint8Array): Promise<void>;
  drop(): Promise<void>;
};

/** Never for a moment of another mode, never half a file under that name, never through a link. */
export async function newFile(path: string, mode: number): Promise<NewFile> {
  const scratch = join(dirname(path), `.beacon-${randomBytes(8).toString('hex')}`);
  const file = await placeFor(path, scratch, mode);
  const drop = async () => {
    await file.close();
    await unlink(scratch).catch(() => undefined);
  };
  return {
    drop,
    async fill(content) {
      try {
        await file.writeFile(content);
        await file.sync();
        await rename(scratch, path);
      } finally {
        await drop();
      }
    },
  };
}

async function placeFor(path: string, scratch: string, mode: number) {
  try {
    const found = await stat(path).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'ENOENT') throw thrown;
    });
    if (!found?.isDirectory()) return await open(scratch, 'wx', mode);
  } catch (thrown) {
    throw usage(`cannot write ${path} (${(thrown as NodeJS.ErrnoException).code})`);
  }
  throw usage(`cannot write ${path}: it is a folder`);
}
