// What several doors to the disk share: a small file that is replaced whole and is on disk when that is said. No word of
// the domain. The one file of this room that every port may import (docs/decisions/002-rooms.md).

import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Written under another name, synced, renamed (0600), and the folder synced: a reader, and a restart after a loss of power,
 * finds what was there before or all of `text`. The folder must exist; one writer at a time.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  await syncFolder(dirname(path));
}

/** The names in it are on disk when this resolves. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
