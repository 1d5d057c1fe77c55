// What a line fetched, unpacked or wrote, by where it lies now: it keeps its origin when it is copied, moved or linked.

import type { Origin, ShellState } from '../../shell/values.ts';

const FOLDER = 'folder:';

/** Everything below `path` came from elsewhere. `inside`: the folder itself held other things before. */
export function markFolder(state: ShellState, path: string, origins: readonly Origin[], inside = false): void {
  state.files.set(`${FOLDER}${inside ? 'in:' : ''}${path}`, { origins });
}

/** Where what lies at `path` came from, when this line brought it there. */
export function broughtBy(state: ShellState, path: string): readonly Origin[] | undefined {
  for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) {
    const folder = path.slice(0, at);
    const whole = state.files.get(FOLDER + folder);
    if (whole) return whole.origins;
    const within = at < path.length ? state.files.get(`${FOLDER}in:${folder}`) : undefined;
    if (within) return within.origins;
  }
  return undefined;
}

const BUILT = 'built:';

/** What a compiler makes of sources of the workspace is as much the project's as they are, wherever it is put. */
export function markBuilt(state: ShellState, id: string): void {
  state.files.delete(id);
  state.files.set(BUILT + id, { origins: [] });
}

export function isBuilt(state: ShellState, id: string): boolean {
  return state.files.has(BUILT + id) && !state.files.has(id);
}

const COPIED = 'copied:';

/** What this line itself laid there is a copy of what lies elsewhere, whatever its name says. */
export function markCopied(state: ShellState, id: string): void {
  state.files.set(COPIED + id, { origins: [] });
}

export function isCopied(state: ShellState, id: string): boolean {
  return state.files.has(COPIED + id);
}

/** What was written, fetched or unpacked in this line keeps its origin when it is copied, moved or linked. */
export function carryOver(state: ShellState, sources: readonly string[], destination: string): void {
  if (state.files.size === 0) return;
  for (const place of state.files.keys())
    if (place === BUILT + destination || place.startsWith(`${BUILT}${destination.replace(/\/$/, '')}/`))
      state.files.delete(place);
  for (const id of sources) {
    const written = state.files.get(id);
    const path = id.startsWith('file:') ? id.slice(5) : undefined;
    const brought = written || path === undefined ? undefined : broughtBy(state, path);
    if (!written && !brought) continue;
    const name = id.slice(id.lastIndexOf('/') + 1);
    // A folder or a name: nobody said which.
    for (const place of [destination, `${destination.replace(/\/$/, '')}/${name}`]) {
      if (written) state.files.set(place, written);
      else if (brought && place.startsWith('file:')) markFolder(state, place.slice(5), brought);
    }
  }
}
