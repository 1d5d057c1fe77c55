// A program no table knows: never harmless by its name. A command among its arguments is judged as what it says, a credential
// among them as read; so is a credential that a reader's table took for something else.

import type { Invocation, Walk } from '../../shell/frame.ts';
import type { Arg, Origin, Stream } from '../../shell/values.ts';
import { newWalk } from '../../shell/walk.ts';
import { type Draft, fileTarget } from '../draft.ts';
import { gravity } from '../effects.ts';
import { type Place, placeOf, type Tag } from '../places.ts';
import { cmdletUnread } from '../powershell-cmdlets.ts';
import type { Effect } from '../types.ts';
import { readArguments } from './arguments.ts';
import { type Call, emit, type Meaning, pipedIn } from './call.ts';
import { programName } from './names.ts';
import type { Rule } from './rule.ts';

export type Run = (invocation: Invocation, walk: Walk, meaning: Meaning) => Stream;

const HELP_WORDS = new Set(['--help', '-h', '--version', '-V', '-version', '-help', 'help', 'version', '-?']);
const PLAIN: Rule = { effect: 'run_unknown', operands: 'residue' };

export function unknownProgram(name: string, invocation: Invocation, walk: Walk, meaning: Meaning, run: Run): Stream {
  const args = invocation.words.slice(1);
  const only = args.length === 1 ? args[0] : undefined;
  const helps = only?.known && HELP_WORDS.has(only.text);
  // It asked, and was told that this is meant.
  const insists = args.some((arg) =>
    /^--(?:yes-)?i-(?:really-)*(?:mean|know|understand|want)|^--really-|^--nuke$/.test(arg.text),
  );
  const effect: Effect = helps ? 'none' : insists ? 'unknown' : (cmdletUnread(name) ?? 'run_unknown');
  const call: Call = {
    rule: PLAIN,
    tool: name,
    operation: effect === 'none' ? 'help' : 'run',
    effect,
    flags: [],
    given: readArguments(PLAIN, args),
    args,
    invocation,
    walk,
    meaning,
  };
  // Arguments that look like paths or addresses are shown; all of them are bound by digest.
  const targets = args
    .filter((arg) => /^(?:\.{0,2}\/|~\/|[\w.-]+\/)/.test(arg.text) && !arg.text.includes('://'))
    .slice(0, 8)
    .map((arg) => fileTarget(arg, invocation.state.cwd, meaning.where, invocation.frame.remote));
  const flags = args.some((arg) => /^[a-z]+:\/\//i.test(arg.text)) ? ['remote'] : [];
  emit(call, {
    targets: effect === 'none' ? [] : targets,
    flags,
    residue: [invocation.words.map((word) => word.text).join('\0'), ...pipedIn(call)],
  });
  if (!helps) {
    const brought = installedBefore(name, invocation);
    if (brought) walk.judge.opaque('fetched', name, brought, invocation.frame);
    carried(args, invocation, walk, meaning, run);
    strayCredentials(invocation, meaning, false, new Set());
  }
  return { origins: ['file'] };
}

/** A program of this name was put among the programs by this very line. */
function installedBefore(name: string, { state }: Invocation): readonly Origin[] | undefined {
  if (state.files.size === 0) return undefined;
  for (const [id, { origins }] of state.files) {
    const put = /^file:.*\/s?bin\/([^/]+)$/.exec(id)?.[1] === name || /^folder:(?:in:)?.*\/s?bin$/.test(id);
    if (put && origins.length > 0) return origins;
  }
  return undefined;
}

/** Programs that say by themselves that what follows is a command. */
const CARRIES =
  /^(?:rm|(?:ba|z|da|k|fi|tc|c|a)?sh|python|node|perl|ruby|php|curl|wget|nc|ncat|socat|dd|mkfs(?:\.\w+)?|shred|sudo|doas|chmod|chown|scp|find|xargs)$/;
const SHELL = /^(?:(?:ba|z|da|k|fi|tc|c|a)?sh|python|node|perl|ruby|php)$/;
/** Options whose value is a line for a shell. */
const TAKES_LINE = /^(?:-c|-e|-x|--command|--exec|--execute|--cmd|--run|--eval|--shell-command|exec|run|--)$/;

/** `frobwrap -n 5 rm -rf ~`, `frobwrap --exec 'rm -rf ~'`: only what is grave in it counts, its words may mean something else. */
export function carried(args: readonly Arg[], invocation: Invocation, walk: Walk, meaning: Meaning, run: Run): void {
  const at = args.findIndex((arg, index) => carries(arg, args.slice(index + 1, index + 4)));
  const line = args.find((arg, index) => TAKES_LINE.test(args[index - 1]?.text ?? '') && /\S\s+\S/.test(arg.text));
  if (at < 0 && !line) return;
  const drafts: Draft[] = [];
  const inside: Meaning = { ...meaning, add: (draft) => drafts.push(draft) };
  const { frame, state } = invocation;
  const unseen = (effect: Effect) =>
    inside.add({ tool: 'shell', operation: 'run', effect, targets: [], flags: frame.flags, range: frame.range });
  const inner = newWalk(
    {
      run: (inside2, walk2) => run(inside2, walk2, inside),
      redirect: () => {},
      called: (words) => walk.judge.called(words),
      opaque: (_reason, _text, origins) => unseen(origins.includes('download') ? 'download_execute' : 'run_opaque'),
      flood: () => unseen('flood'),
    },
    walk.effort,
  );
  inner.commands = walk.commands;
  if (at >= 0) inner.words(args.slice(at), state, frame);
  else if (line && startsCarrier(line.text)) inner.text(line.text, state, frame);
  walk.commands = inner.commands;
  for (const draft of drafts) if (isGrave(draft, meaning)) meaning.add(draft);
}

function carries(arg: Arg, next: readonly Arg[]): boolean {
  const name = arg.known ? programName(arg.text) : undefined;
  if (name === undefined || next.length === 0 || !CARRIES.test(name)) return false;
  if (name === 'rm') return next.some((word) => /^-[a-zA-Z]*[rRf]|^--(?:recursive|force)/.test(word.text));
  if (SHELL.test(name)) return next.some((word) => /^-[A-Za-z]*[ceEr]$/.test(word.text));
  if (name === 'find') return next.some((word) => /^-/.test(word.text));
  return true;
}

function startsCarrier(text: string): boolean {
  const name = programName(text.trim().split(/\s+/)[0] as string);
  return (name !== undefined && CARRIES.test(name)) || /\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b/.test(text);
}

const NO_PLACE: Place = { scope: 'unknown', tags: [] };
const GRAVE_PLACES: ReadonlySet<Tag> = new Set<Tag>([
  'device',
  'kernel',
  'governance',
  'identity',
  'credential',
  'control_socket',
  'schedule',
  'audit',
  'home',
  'root',
  'system_root',
]);

function isGrave(draft: Draft, meaning: Meaning): boolean {
  if (gravity(draft.effect) >= gravity('delete_many')) return true;
  return draft.targets.some(({ id, glob }) => {
    if (draft.effect === 'read') return holdsSecret(id, glob, meaning);
    const { tags, scope } = id.startsWith('file:') ? placeOf(id.slice(5), glob, meaning.where) : NO_PLACE;
    return scope === 'system' || tags.some((tag) => GRAVE_PLACES.has(tag));
  });
}

const TELLING =
  /\.(?:ssh|aws|gnupg|kube|docker|netrc|pgpass|env|azure|config|vault|git-c|claude|codex|key|p12|pfx|jks|ppk|kdbx|asc|npmrc|pypirc)|id_|key|cred|shadow|token|secret|environ|Keychain|Login Data|Cookies|wallet/i;

/** Options by which a tool is given a key to use. */
const HANDS_OVER = /^--|^-[ikKIscCfE]$|^-(?:key|cert|identity|config|kubeconfig|env)/;

/** A credential that stands among the words and in no part. `reader`: it shows whatever file it is given. */
export function strayCredentials(
  { words, state, frame }: Invocation,
  meaning: Meaning,
  reader: boolean,
  seen: ReadonlySet<string>,
): void {
  words.slice(1).forEach((word, index) => {
    if (!word.known || word.text.startsWith('-') || !TELLING.test(word.text)) return;
    // Handed over by an option of its own, as tools that use a key want it.
    if (!reader && HANDS_OVER.test(words[index]?.text ?? '')) return;
    const target = fileTarget(word, state.cwd, meaning.where, frame.remote);
    if (seen.has(target.id) || !holdsSecret(target.id, word.glob, meaning, reader)) return;
    const program = words[0] as Arg;
    meaning.add({
      tool: programName(program.text) ?? 'script',
      operation: 'read',
      effect: 'read',
      targets: [target],
      flags: frame.flags,
      range: frame.range,
    });
  });
}

function holdsSecret(id: string, glob: boolean, meaning: Meaning, settings = false): boolean {
  if (!id.startsWith('file:')) return false;
  const { tags } = placeOf(id.slice(5), glob, meaning.where);
  return tags.includes('credential') || (settings && tags.includes('env_file'));
}

export function needsLook(words: readonly Arg[]): boolean {
  return words.some((word, index) => index > 0 && TELLING.test(word.text));
}
