// The file store's one door to the disk. Everything it does to a file system goes through these calls, so that a test can
// record them, tear them or make them fail. Files are 0600, folders 0700.

import * as fs from 'node:fs';
import { dirname } from 'node:path';

export type FileDoor = {
  /** Writes at a position; may write fewer bytes than given and says how many. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** The same on the calling thread: for small writes into blocks that exist, where a thread hop would cost more. */
  writeNow(bytes: Uint8Array, position: number): number;
  /** Resolves when the bytes written are on the disk; metadata only as far as reading them back needs it. */
  datasync(): Promise<void>;
  /** The same, waited for on the calling thread. */
  datasyncNow(): void;
  /** The same with all metadata. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

export type FileSystemDoor = {
  /** With its parents; an existing folder is no error. */
  makeDirectory(path: string): Promise<void>;
  /** Opens for writing, created empty or emptied. */
  create(path: string): Promise<FileDoor>;
  /** Opens an existing file for writing in place. */
  edit(path: string): Promise<FileDoor>;
  /** The whole file, or undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Names in a folder, in no order. */
  list(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): Promise<void>;
};

export const realFileSystem: FileSystemDoor = {
  async makeDirectory(path) {
    await fs.promises.mkdir(path, { mode: 0o700, recursive: true });
  },
  create: (path) => openFile(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC),
  edit: (path) => openFile(path, fs.constants.O_RDWR),
  async read(path) {
    return fs.promises.readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  },
  list: (path) => fs.promises.readdir(path),
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.unlink(path),
  async syncDirectory(path) {
    const handle = await fs.promises.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Bare descriptors and callbacks: the promise layer of file handles costs more than a write to the page cache. */
async function openFile(path: string, flags: number): Promise<FileDoor> {
  const fd = await new Promise<number>((resolve, reject) => {
    fs.open(path, flags, 0o600, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  return {
    write: (bytes, position) =>
      new Promise((resolve, reject) => {
        fs.write(fd, bytes, 0, bytes.length, position, (error, written) => (error ? reject(error) : resolve(written)));
      }),
    writeNow: (bytes, position) => fs.writeSync(fd, bytes, 0, bytes.length, position),
    datasync: () => settled((done) => fs.fdatasync(fd, done)),
    datasyncNow: () => fs.fdatasyncSync(fd),
    sync: () => settled((done) => fs.fsync(fd, done)),
    close: () => settled((done) => fs.close(fd, done)),
  };
}

function settled(call: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
}

/** All of the bytes, however short single writes are. */
export async function writeAll(file: FileDoor, bytes: Uint8Array, position: number): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += requireProgress(await file.write(bytes.subarray(at), position + at));
}

/** The same on the calling thread. */
export function writeAllNow(file: FileDoor, bytes: Uint8Array, position: number): void {
  let at = 0;
  while (at < bytes.length) at += requireProgress(file.writeNow(bytes.subarray(at), position + at));
}

/** A new file with these bytes; durable only once synced. */
export async function writeFile(door: FileSystemDoor, path: string, bytes: Uint8Array, sync: boolean): Promise<void> {
  const file = await door.create(path);
  try {
    await writeAll(file, bytes, 0);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces a file durably and all at once: readers and crashes see the old bytes or the new ones. */
export async function replaceFile(door: FileSystemDoor, draft: string, path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(door, draft, bytes, true);
  await door.rename(draft, path);
  await door.syncDirectory(dirname(path));
}

export async function syncFile(door: FileSystemDoor, path: string): Promise<void> {
  const file = await door.edit(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function requireProgress(written: number): number {
  if (written <= 0) throw new Error('the file system wrote nothing');
  return written;
}
