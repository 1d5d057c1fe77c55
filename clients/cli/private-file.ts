// A file of this user's alone, whose place is taken before there is anything to write into it: what cannot be kept there is
// known before it is made.

import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { usage } from './failure.ts';

export type PrivateFile = {
  /** The whole file, or what was there before, whatever happens. */
  fill(content: string): Promise<void>;
  drop(): Promise<void>;
};

/** Never for a moment readable by others, never half a file under that name, never through a link. */
export async function newPrivateFile(path: string): Promise<PrivateFile> {
  const scratch = join(dirname(path), `.beacon-${randomBytes(8).toString('hex')}`);
  const file = await placeFor(path, scratch);
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

async function placeFor(path: string, scratch: string) {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const found = await stat(path).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'ENOENT') throw thrown;
    });
    if (!found?.isDirectory()) return await open(scratch, 'wx', 0o600);
  } catch (thrown) {
    throw usage(`cannot write ${path} (${(thrown as NodeJS.ErrnoException).code})`);
  }
  throw usage(`cannot write ${path}: it is a folder`);
}
