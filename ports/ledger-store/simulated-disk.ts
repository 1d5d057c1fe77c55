// A disk that loses power, for tests. It keeps what was done to it in order and knows what each sync had made certain by
// then; `crashed` answers the disk as it may look after power failed at a moment: certain bytes are there, every other
// write and name is kept, lost or torn by chance. kill -9 cannot show this: the page cache survives it.

import { basename, dirname } from 'node:path';
import type { FileDoor, FileSystemDoor } from './file-door.ts';

const SECTOR_BYTES = 512;

type FileOperation =
  | { readonly kind: 'truncate'; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Buffer };
type NameOperation =
  | { readonly kind: 'name'; readonly path: string; readonly target: number | 'folder' }
  | { readonly kind: 'unname'; readonly path: string };
type SyncOperation =
  | { readonly kind: 'synced'; readonly file: number; readonly upTo: number }
  | { readonly kind: 'syncedFolder'; readonly path: string; readonly upTo: number };
type Operation = FileOperation | NameOperation | SyncOperation;

/** What becomes of what was not synced. */
export type Fate = 'lost' | 'kept' | 'chance';

type Image = { readonly names: Map<string, number | 'folder'>; readonly files: Buffer[] };

export class SimulatedDisk implements FileSystemDoor {
  readonly operations: Operation[] = [];
  readonly #root: string;
  readonly #start: Image;
  readonly #names: Map<string, number | 'folder'>;
  readonly #files: Buffer[];

  /** `root` exists and stays; everything else does not yet. */
  constructor(root: string, start: Image = { names: new Map([[root, 'folder']]), files: [] }) {
    this.#root = root;
    this.#start = start;
    this.#names = new Map(start.names);
    this.#files = start.files.map((bytes) => Buffer.from(bytes));
  }

  async makeDirectory(path: string): Promise<void> {
    await tick();
    const missing: string[] = [];
    for (let at = path; !this.#names.has(at); at = dirname(at)) missing.unshift(at);
    for (const name of missing) this.#do({ kind: 'name', path: name, target: 'folder' });
  }

  async create(path: string): Promise<FileDoor> {
    await tick();
    const known = this.#names.get(path);
    if (typeof known === 'number') {
      this.#do({ kind: 'truncate', file: known });
      return this.#open(known);
    }
    if (this.#names.get(dirname(path)) !== 'folder') throw missing(path);
    const file = this.#files.push(Buffer.alloc(0)) - 1;
    this.#do({ kind: 'name', path, target: file });
    return this.#open(file);
  }

  async edit(path: string): Promise<FileDoor> {
    await tick();
    const file = this.#names.get(path);
    if (typeof file !== 'number') throw missing(path);
    return this.#open(file);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    await tick();
    const file = this.#names.get(path);
    return typeof file === 'number' ? Buffer.from(this.#files[file] as Buffer) : undefined;
  }

  async list(path: string): Promise<string[]> {
    await tick();
    return [...this.#names.keys()].filter((name) => dirname(name) === path).map((name) => basename(name));
  }

  async rename(from: string, to: string): Promise<void> {
    await tick();
    const target = this.#names.get(from);
    if (target === undefined) throw missing(from);
    this.#do({ kind: 'name', path: to, target });
    this.#do({ kind: 'unname', path: from });
  }

  async remove(path: string): Promise<void> {
    await tick();
    if (!this.#names.has(path)) throw missing(path);
    this.#do({ kind: 'unname', path });
  }

  async syncDirectory(path: string): Promise<void> {
    const upTo = this.operations.length;
    await tick();
    this.operations.push({ kind: 'syncedFolder', path, upTo });
  }

  /** Every file as a running process would read it. */
  contents(): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    for (const [path, target] of this.#names) {
      if (typeof target === 'number') found.set(path, this.#files[target] as Buffer);
    }
    return found;
  }

  /** The same disk when a process died after that many operations: nothing is lost yet, and nothing more is certain. */
  killed(cut: number): SimulatedDisk {
    const disk = new SimulatedDisk(this.#root, this.#start);
    for (const operation of this.operations.slice(0, cut)) {
      if (operation.kind === 'write' || operation.kind === 'truncate') {
        while (disk.#files.length <= operation.file) disk.#files.push(Buffer.alloc(0));
      }
      if (operation.kind === 'synced' || operation.kind === 'syncedFolder') disk.operations.push(operation);
      else disk.#do(operation);
    }
    while (disk.#files.length < this.#files.length) disk.#files.push(Buffer.alloc(0));
    return disk;
  }

  /** The disk after power failed when the first `cut` operations had been started. `random` answers in [0, 1). */
  crashed(cut: number, fate: Fate, random: () => number): SimulatedDisk {
    const done = this.operations.slice(0, cut);
    const certain = certainties(done);
    const files = this.#start.files.map((bytes) => Buffer.from(bytes));
    const names = new Map(this.#start.names);
    const stalled = new Set<string>();
    const happens = (): boolean => fate === 'kept' || (fate === 'chance' && random() < 0.5);
    done.forEach((operation, at) => {
      if (operation.kind === 'write' || operation.kind === 'truncate') {
        const whole = certain.files(operation.file) > at;
        if (whole || happens()) applyToFile(files, operation, whole || fate === 'kept' ? undefined : random);
      } else if (operation.kind === 'name' || operation.kind === 'unname') {
        // Names of one folder reach the disk in order, so the first one lost ends that folder's story.
        const folder = dirname(operation.path);
        if (certain.folders(folder) <= at && (stalled.has(folder) || !happens())) stalled.add(folder);
        else if (operation.kind === 'name') names.set(operation.path, operation.target);
        else names.delete(operation.path);
      }
    });
    for (const path of [...names.keys()]) if (!this.#isReachable(names, path)) names.delete(path);
    const all = Array.from(this.#files, (_, file) => files[file] ?? Buffer.alloc(0));
    return new SimulatedDisk(this.#root, { names, files: all });
  }

  /** A file whose folder's own name was lost is lost with it. */
  #isReachable(names: Map<string, number | 'folder'>, path: string): boolean {
    for (let at = path; at !== this.#root; at = dirname(at)) if (names.get(dirname(at)) !== 'folder') return false;
    return true;
  }

  #open(file: number): FileDoor {
    const write = (bytes: Uint8Array, at: number): number => {
      // Short writes are legal and rare; a store that cannot handle them would be found out by its first large one.
      const part = bytes.subarray(0, Math.min(bytes.length, 100_000));
      this.#do({ kind: 'write', file, at, bytes: Buffer.from(part) });
      return part.length;
    };
    const syncedUpTo = (upTo: number) => void this.operations.push({ kind: 'synced', file, upTo });
    const sync = async (): Promise<void> => {
      const upTo = this.operations.length;
      await tick();
      syncedUpTo(upTo);
    };
    return {
      async write(bytes, at) {
        await tick();
        return write(bytes, at);
      },
      writeNow: write,
      datasync: sync,
      datasyncNow: () => syncedUpTo(this.operations.length),
      sync,
      close: tick,
    };
  }

  #do(operation: FileOperation | NameOperation): void {
    this.operations.push(operation);
    if (operation.kind === 'name') this.#names.set(operation.path, operation.target);
    else if (operation.kind === 'unname') this.#names.delete(operation.path);
    else applyToFile(this.#files, operation, undefined);
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function missing(path: string): Error {
  return Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
}

/** For each file and folder, below which operation everything done to it is certain. */
function certainties(done: readonly Operation[]): { files(file: number): number; folders(path: string): number } {
  const files = new Map<number, number>();
  const folders = new Map<string, number>();
  for (const operation of done) {
    if (operation.kind === 'synced')
      files.set(operation.file, Math.max(files.get(operation.file) ?? 0, operation.upTo));
    if (operation.kind === 'syncedFolder') {
      folders.set(operation.path, Math.max(folders.get(operation.path) ?? 0, operation.upTo));
    }
  }
  return { files: (file) => files.get(file) ?? 0, folders: (path) => folders.get(path) ?? 0 };
}

/** With `tear`, only some of a write's sectors, or only its beginning, arrive. */
function applyToFile(files: Buffer[], operation: FileOperation, tear: (() => number) | undefined): void {
  if (operation.kind === 'truncate') {
    files[operation.file] = Buffer.alloc(0);
    return;
  }
  const { file, at, bytes } = operation;
  const old = files[file] ?? Buffer.alloc(0);
  const grown =
    old.length >= at + bytes.length ? old : Buffer.concat([old, Buffer.alloc(at + bytes.length - old.length)]);
  files[file] = grown;
  const style = tear?.() ?? 0;
  if (tear === undefined || style < 0.3) bytes.copy(grown, at);
  else if (style < 0.6) bytes.copy(grown, at, 0, Math.floor(tear() * bytes.length));
  else {
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES));
      if (tear() < 0.5) bytes.copy(grown, at + from, from, to);
      from = to;
    }
  }
}
