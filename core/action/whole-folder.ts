// A whole folder or history that goes to another machine in one command: packed and sent, or copied there.

import type { Draft } from './draft.ts';
import type { Where } from './paths.ts';

const HISTORY = /^(?:bundle|archive|fast-export)/;

export function wholeFolderLeaves(drafts: readonly Draft[]): boolean {
  const packed = drafts.some(
    ({ tool, operation, effect, flags }) =>
      (effect === 'read' && flags.includes('recursive')) || (tool === 'git' && HISTORY.test(operation)),
  );
  return packed && drafts.some(({ effect, flags }) => effect === 'send' && flags.includes('remote'));
}

/** Copies to machines by their own programs are how things are deployed; a request to an address is how they are taken. */
const REQUESTS = /^(?:curl|wget|https?|xhs?|nc|ncat|netcat|socat|telnet)$/;

/** The whole project, a home or a disk goes to an address: no build needs that. */
export function projectLeaves(drafts: readonly Draft[], { workspace, cwd, home }: Where): boolean {
  const folders = new Set(['.', './', '..', '/', '~', workspace, cwd, home].map((path) => `file:${path}`));
  const whole = drafts.some(
    ({ tool, operation, effect, flags, targets }) =>
      (effect === 'read' &&
        flags.includes('recursive') &&
        targets.some(({ id }) => folders.has(id.replace(/(?<=[^:/])\/$/, '')))) ||
      (tool === 'git' && HISTORY.test(operation)),
  );
  return (
    whole &&
    drafts.some(({ tool, effect, flags }) => effect === 'send' && flags.includes('remote') && REQUESTS.test(tool))
  );
}
