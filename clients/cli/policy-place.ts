// Puts a signed bundle where a Beacon watches, all of it at once: the folder's files are links into `.current`, and one
// rename moves that. At no moment does the folder hold files of two bundles, and what was there can be put back.

import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import { MANIFEST_FILE, POLICY_FILES } from '../../core/policy-manifest.ts';

/** The manifest last: a bundle without one is not looked into. */
const NAMES = [...POLICY_FILES, MANIFEST_FILE] as const;
/** Names that begin with a dot are not seen by who watches. */
const CURRENT = '.current';
const KEPT = '.bundles';

export type Placed = {
  /** Puts back what was there before, or nothing where nothing was. */
  undo(): Promise<void>;
};

/** Throws `failed_precondition` for a folder that holds anything but a bundle, and touches nothing then. */
export async function placeBundle(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<Placed> {
  await mkdir(folder, { recursive: true });
  const shown = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  const odd = shown.find((name) => !(NAMES as readonly string[]).includes(name));
  if (odd !== undefined) {
    throw new BeaconError('failed_precondition', `${folder} holds ${odd}, which is no part of a bundle`);
  }
  await mkdir(join(folder, KEPT), { recursive: true });
  const before = await behindLinks(folder, shown);
  const next = await keep(folder, files);
  await pointTo(folder, next);
  if (before === undefined) for (const name of NAMES) await replaceByLink(folder, name);
  await syncFolder(folder);
  await dropOthers(folder, [next, ...(before === undefined ? [] : [before])]);
  return {
    undo: async () => {
      if (before !== undefined) await pointTo(folder, before);
      else for (const name of [...NAMES].reverse()) await rm(join(folder, name), { force: true });
      await syncFolder(folder);
    },
  };
}

/**
 * What `.current` names once every file shown is a link into it; undefined when none is shown. Plain files become links to
 * copies of themselves, so that nothing changes for who reads meanwhile.
 */
async function behindLinks(folder: string, shown: readonly string[]): Promise<string | undefined> {
  if (shown.length === 0) return undefined;
  const places = await Promise.all(shown.map((name) => readlink(join(folder, name)).catch(() => undefined)));
  const current = await readlink(join(folder, CURRENT)).catch(() => undefined);
  const linked = places.every((place, index) => place === join(CURRENT, shown[index] as string));
  if (linked && current !== undefined && shown.length === NAMES.length) return current;
  const copies = new Map<string, Uint8Array>();
  for (const name of shown) copies.set(name, await readFile(join(folder, name)));
  const before = await keep(folder, copies);
  await pointTo(folder, before);
  for (const name of shown) await replaceByLink(folder, name);
  // A file that the bundle before lacked: it is not there either until `.current` moves.
  for (const name of NAMES) if (!shown.includes(name)) await replaceByLink(folder, name);
  return before;
}

/** The files in a folder of their own, on disk; its path as `.current` names it. */
async function keep(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const place = join(KEPT, randomBytes(8).toString('hex'));
  await mkdir(join(folder, place));
  for (const [name, bytes] of files) {
    const file = await open(join(folder, place, name), 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await syncFolder(join(folder, place));
  return place;
}

async function pointTo(folder: string, place: string): Promise<void> {
  await replaceLink(join(folder, CURRENT), place);
}

async function replaceByLink(folder: string, name: string): Promise<void> {
  await replaceLink(join(folder, name), join(CURRENT, name));
}

async function replaceLink(path: string, to: string): Promise<void> {
  const aside = join(dirname(path), `.link.${randomBytes(8).toString('hex')}`);
  await symlink(to, aside);
  await rename(aside, path);
}

async function dropOthers(folder: string, kept: readonly string[]): Promise<void> {
  for (const name of await readdir(join(folder, KEPT))) {
    const place = join(KEPT, name);
    if (!kept.includes(place)) await rm(join(folder, place), { recursive: true, force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
