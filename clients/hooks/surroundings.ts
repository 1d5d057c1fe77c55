// Where a tool call would run, as far as a hook can see: the policy tells work inside the workspace from everything else.

import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ActionContext } from '../../core/action/types.ts';
import type { ToolEvent } from './event.ts';

const MAX_ANCESTORS = 64;
/** Longer than the longest that names a branch. */
const MAX_HEAD_BYTES = 2_048;

/** `pinned` is the workspace an administrator named; without it the repository around the call's folder is taken. */
export async function surroundings(
  event: Pick<ToolEvent, 'cwd' | 'attended'>,
  pinned: string | undefined,
): Promise<ActionContext> {
  const cwd = event.cwd !== undefined && isAbsolute(event.cwd) ? resolve(event.cwd) : undefined;
  const repository = cwd === undefined ? undefined : await repositoryAround(cwd);
  const workspace = pinned ?? repository;
  const branch = repository === undefined ? undefined : await branchOf(repository);
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(workspace === undefined ? {} : { workspace }),
    home: homedir(),
    ...(event.attended === undefined ? {} : { attended: event.attended }),
    ...(branch === undefined ? {} : { git: { branch } }),
  };
}

// A repository at / or in the home folder itself would make everything "inside the workspace".
async function repositoryAround(cwd: string): Promise<string | undefined> {
  const home = homedir();
  let folder = cwd;
  for (let up = 0; up < MAX_ANCESTORS && folder !== '/' && !`${home}/`.startsWith(`${folder}/`); up++) {
    if (await stat(join(folder, '.git')).catch(() => undefined)) return folder;
    folder = dirname(folder);
  }
  return undefined;
}

async function branchOf(repository: string): Promise<string | undefined> {
  const head = await readStart(join(repository, '.git', 'HEAD')).catch(() => '');
  return /^ref: refs\/heads\/(\S{1,255})\n?$/.exec(head)?.[1];
}

/**
 * The agent may have put anything under that name: a file without end would take memory until the hook is killed, and a
 * client runs the tool whose hook was killed.
 */
async function readStart(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return '';
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HEAD_BYTES), 0, MAX_HEAD_BYTES);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
