// Folders handed to whoever asks, and files taken out of containers: what lies there decides.

import { type Arg, literal } from '../../shell/values.ts';
import { type DraftTarget, fileTarget, plainTarget } from '../draft.ts';
import { placeOf } from '../places.ts';
import {
  byRule,
  type Call,
  emit,
  emitInput,
  emitOptionFiles,
  has,
  optionValue,
  outOf,
  residueOf,
  SILENT,
  type Special,
  target,
} from './call.ts';
import { ofHere, payload } from './leaving.ts';

const OPTIONS = ['-d', '--directory', '-t', '--root', '--dir', '-h', '--public'];

/** `http.server`, `serve DIR`: a home or a folder of keys is no site. */
export function served(call: Call, folder: Arg | undefined): void {
  const place = target(call, folder ?? literal('.'));
  const { tags } = placeOf(place.id.replace(/^file:/, ''), false, call.meaning.where);
  if (tags.some((tag) => tag === 'credential' || tag === 'home' || tag === 'root'))
    emit(call, { effect: 'read_credential', operation: 'serve', targets: [place] });
}

/** What a container is given of this machine. The project's keys are for its services; a person's go to whoever made the image. */
export function mounted(call: Call, paths: readonly string[]): void {
  for (const path of paths) {
    const { scope, tags } = placeOf(path, false, call.meaning.where);
    if (!tags.some((tag) => tag === 'credential' || tag === 'env_file')) continue;
    if (scope === 'workspace') {
      emitInput(call, literal(path));
      continue;
    }
    const targets = [target(call, literal(path))];
    emit(call, { effect: 'secret_fetch', operation: 'mount', targets, flags: ['container'], residue: [] });
  }
}

const serve: Special = (call) => {
  const named = OPTIONS.map((name) => optionValue(call, name)).find((value) => value !== undefined);
  const folder =
    named ?? call.given.operands.find((word) => /[/~.]/.test(word.text) && !/^[\w.]*:?\d+$/.test(word.text));
  served(call, folder);
  return byRule(call);
};

/** `docker cp NAME:/path here`, `kubectl cp ns/pod:/path here`. */
const containerCopy: Special = (call) => {
  const [from, to] = call.given.operands;
  if (!from || !to) return byRule(call);
  const inside = (word: Arg) => /^[\w./-]+:/.test(word.text);
  const fed = from.text === '-' ? call.invocation.frame.stdin.origins : [];
  const end = (word: Arg): DraftTarget => {
    const remote = /^([\w./-]+):(\/?.*)$/.exec(word.text);
    return remote
      ? fileTarget({ ...word, text: remote[2] as string }, '/', call.meaning.where, `container:${remote[1]}`)
      : target(call, word);
  };
  if (from.text !== '-') emit(call, { effect: 'read', operation: 'read', targets: [end(from)], residue: [] });
  // A stream of what lies in the container.
  if (to.text === '-') return outOf({ ...call, effect: 'read' }, [end(from)]);
  emit(call, {
    effect: 'write',
    operation: 'copy',
    targets: [inside(to) ? plainTarget(`container:${to.text}`) : target(call, to)],
    flags: ['truncate'],
    residue: [from.text, ...residueOf(call)],
    externality: payload(fed),
    scope: inside(to) ? 'machine' : undefined,
  });
  return SILENT;
};

/** `docker build https://…`: what it is built of lies elsewhere, and runs while it is built. */
const imageBuild: Special = (call) => {
  const from = call.given.operands.find((word) => /^(?:https?:|git:|git@|ssh:|github\.com\/)/.test(word.text));
  if (from) call.walk.judge.opaque('build context', from.text, [], call.invocation.frame);
  if (call.given.operands.some((word) => word.text === '-') && call.invocation.frame.stdin.origins.includes('download'))
    call.walk.judge.opaque('build context', '-', ['download'], call.invocation.frame);
  return byRule(call);
};

/** `docker -H ssh://host load`: the engine is on another machine, and so is what it is given. */
const imageLoad: Special = (call) => {
  const { assignments, state, frame } = call.invocation;
  const named =
    ['-H', '--host', '-c', '--context', '--url', '--connection']
      .map((name) => optionValue(call, name)?.text)
      .find(Boolean) ??
    assignments.find(({ name }) => ENGINE.test(name))?.value.text ??
    [...state.exported].find(([name]) => ENGINE.test(name))?.[1] ??
    (has(call, '--remote') ? 'remote' : undefined);
  if (named === undefined || /^(?:unix:|npipe:|fd:|default$|desktop-linux$)/.test(named)) return byRule(call);
  emitOptionFiles(call);
  const given = call.given.options.has('-i') || call.given.operands.length > 0 ? ['file' as const] : [];
  emit(call, {
    effect: 'send',
    targets: [plainTarget(`host:${named.replace(/^[a-z]+:\/\/(?:[^@/]*@)?/, '')}`)],
    flags: ['remote'],
    scope: 'remote',
    residue: residueOf(call, call.given.operands),
    externality: { external_write: true, ...payload([...ofHere(frame.stdin.origins), ...given]) },
  });
  return SILENT;
};
const ENGINE = /^(?:DOCKER|CONTAINER)_(?:HOST|CONTEXT|CONNECTION)$/;

/** A credential taken out of another machine is read there. */
export function readThere(call: Call, place: string, word: Arg, path: string): void {
  const there = fileTarget({ ...word, text: path }, '/', { ...call.meaning.where, home: '/root' }, place);
  const at = there.id.indexOf('/file:');
  const { tags } = placeOf(there.id.slice(at + 6), there.glob, call.meaning.where);
  const own = path.replace(/^~(?=\/)/, call.meaning.where.home ?? '~');
  const homeTags = placeOf(own, there.glob, call.meaning.where).tags;
  if ([...tags, ...homeTags].includes('credential'))
    emit(call, { effect: 'read_credential', operation: 'read', targets: [there], residue: [] });
}

/** `split FILE PREFIX`: what it reads, in pieces. */
const split: Special = (call) => {
  const [from] = call.given.operands;
  if (from && from.text !== '-')
    emit(call, { effect: 'read', operation: 'read', targets: [target(call, from)], residue: [] });
  emit(call, { operation: 'split', residue: residueOf(call, call.given.operands), scope: 'workspace' });
  return SILENT;
};

export const HANDED_SPECIALS: { readonly [name: string]: Special } = {
  serve,
  split,
  'image-build': imageBuild,
  'image-load': imageLoad,
  'container-copy': containerCopy,
};
