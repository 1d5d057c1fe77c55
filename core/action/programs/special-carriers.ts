// Programs that are no wrappers and still run what they are told: debuggers, tools that time or join commands;
// and those that send or write without end.

import { type Arg, forkState, literal, type Stream } from '../../shell/values.ts';
import { readCode } from '../code.ts';
import { byRule, type Call, emit, emitNone, optionValue, type Special, target } from './call.ts';

/** Requests of one run, and connections at once, beyond which it is no test any more. */
const MANY_REQUESTS = 1_000_000;
const MANY_CONNECTIONS = 5_000;

function line(call: Call, text: string): Stream {
  return call.walk.text(text, forkState(call.invocation.state), call.invocation.frame);
}

/** `gdb -ex 'shell cmd'`, `-ex 'dump memory'`: its own language, and whatever that starts. */
const debuggers: Special = (call) => {
  const texts = ['-ex', '-iex', '-o', '-O', '--eval-command']
    .flatMap((name) => call.given.options.get(name) ?? [])
    .map((word) => word.text.trim());
  const { stdin } = call.invocation.frame;
  if (stdin.text !== undefined)
    texts.push(
      ...stdin.text
        .split('\n')
        .slice(0, 64)
        .map((text) => text.trim()),
    );
  for (const text of texts) {
    const shell = /^(?:shell|!|make|platform shell|pipe[^|]*\|)\s*(.+)$/s.exec(text)?.[1];
    if (shell) line(call, shell);
    const called =
      /^(?:call|print|p|expr|expression|set\s+\$\w+\s*=)\b.*?\b(?:system|execlp?|popen)\s*\(\s*"((?:[^"\\]|\\.)*)"/s.exec(
        text,
      )?.[1];
    if (called) line(call, called.replace(/\\(.)/g, '$1'));
    const code = /^(?:python|py|script|guile)\s+(.+)$/s.exec(text)?.[1];
    if (code) readCode('python', code, call.invocation, call.walk, call.meaning);
    // The memory of a process holds what it knows.
    if (/^(?:dump|gcore|generate-core-file|process save-core|memory read\b.*--outfile)\b/.test(text))
      call.walk.judge.opaque('memory', text, [], call.invocation.frame);
  }
  for (const name of ['-x', '-ix', '-s', '--command']) {
    const file = optionValue(call, name);
    const written = file && call.invocation.state.files.get(target(call, file).id);
    if (written) call.walk.judge.opaque('debugger', file.text, written.origins, call.invocation.frame);
  }
  return byRule(call);
};

/** `man -P COMMAND`: a pager is a line for a shell. */
const manual: Special = (call) => {
  for (const name of ['-P', '--pager', '-H', '--html'])
    for (const word of call.given.options.get(name) ?? []) line(call, word.text);
  return emitNone(call);
};

/** Each operand is a line for a shell. */
const lines: Special = (call) => {
  const texts = ['-p', '-c', '-s', '--prepare', '--cleanup', '--setup'].flatMap(
    (name) => call.given.options.get(name) ?? [],
  );
  for (const word of [...call.given.operands, ...(call.tool === 'hyperfine' ? texts : [])])
    line(call, word.text.replace(/^(npm|yarn|pnpm|bun):/, '$1 run '));
  if (call.given.operands.length === 0) return emitNone(call);
  emit(call, { residue: call.args.map((arg) => arg.text) });
  return { origins: ['file'] };
};

const OWN_HOST =
  /^(?:https?:\/\/)?(?:localhost|127\.|\[?::1|0\.0\.0\.0|10\.|192\.168\.|[\w.-]+\.(?:local|test|internal|localhost)(?=[:/]|$))/i;

/** Load on a machine of one's own is a test; without measure on another's it is an attack. */
const load: Special = (call) => {
  const number = (name: string) => Number.parseFloat(optionValue(call, name)?.text ?? '0');
  const floods = number('-n') >= MANY_REQUESTS || number('-c') >= MANY_CONNECTIONS;
  const own = call.given.operands.some((word: Arg) => OWN_HOST.test(word.text));
  const hosts = call.given.operands.filter((word) => /:\/\/|^[\w-]+(?:\.[\w-]+)+/.test(word.text));
  emit(call, {
    ...(floods && !own && { effect: 'flood' as const }),
    operation: 'load',
    targets: hosts.map((word) => ({ id: `url:${word.text.split('?')[0]}`, known: word.known, glob: false })),
    residue: call.args.map((arg) => arg.text),
  });
  return { origins: ['file'] };
};

/** Bytes of one file beyond which a disk is filled rather than used. */
const FILLS = 100 * 2 ** 30;
const UNITS: { readonly [unit: string]: number } = {
  '': 1,
  c: 1,
  w: 2,
  b: 512,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
  e: 2 ** 60,
};

export function bytesOf(text: string): number {
  const match = /^[<>+%/]?(\d{1,18}(?:\.\d{1,6})?)([a-z]?)(?:i?b)?$/i.exec(text);
  return match ? Number(match[1]) * (UNITS[(match[2] as string).toLowerCase()] ?? 1) : 0;
}

/** `fallocate -l SIZE`, `truncate -s SIZE`. */
const sized: Special = (call) => {
  const size = ['-l', '--length', '-s'].map((name) => optionValue(call, name)?.text ?? '').find((text) => text !== '');
  return byRule(bytesOf(size ?? '') >= FILLS ? { ...call, effect: 'flood' } : call);
};

const ENDLESS = /^\/dev\/(?:zero|urandom|random|full)$/;

/** Whether what a command of these words prints never ends. */
export function endlessOutput(words: readonly Arg[]): boolean {
  const name = words[0]?.text.replace(/^.*\//, '');
  if (name === 'yes') return true;
  return /^(?:cat|tail|pv|tee)$/.test(name ?? '') && words.some((word) => ENDLESS.test(word.text));
}

/** `dd if=/dev/zero of=file` without a count, or with one that fills the disk. */
export function fillsDisk(from: string, count: string | undefined, block: string | undefined): boolean {
  if (!ENDLESS.test(from)) return false;
  return count === undefined || bytesOf(count) * (bytesOf(block ?? '') || 512) >= FILLS;
}

/** Commands of files that cmake brings for every system, and what each is. */
const PORTABLE: { readonly [name: string]: readonly string[] } = {
  rm: ['rm'],
  remove: ['rm'],
  remove_directory: ['rm', '-rf'],
  rename: ['mv'],
  copy: ['cp'],
  copy_if_different: ['cp'],
  copy_directory: ['cp', '-r'],
  create_symlink: ['ln', '-s'],
  touch: ['touch'],
  make_directory: ['mkdir', '-p'],
  cat: ['cat'],
  tar: ['tar'],
  env: ['env'],
  time: ['time'],
  chdir: ['env', '-C'],
};

/** `cmake -E rm -rf DIR`. */
const cmake: Special = (call) => {
  const at = call.args.findIndex((arg) => arg.text === '-E');
  const words = at < 0 ? undefined : PORTABLE[call.args[at + 1]?.text ?? ''];
  if (!words) return byRule(call);
  return call.walk.words(
    [...words.map(literal), ...call.args.slice(at + 2)],
    call.invocation.state,
    call.invocation.frame,
  );
};

/** Values by which another agent asks nobody and stays in no box; an option that says so by its name stands in the table. */
const UNBOUND = /(?:^|=|["'])(?:danger-full-access|bypassPermissions|yolo)["']?$/i;

const agent: Special = (call) => {
  const forced = call.tool === 'cursor-agent' && call.args.some(({ text }) => text === '-f' || text === '--force');
  const unbound = forced || call.args.some(({ text }) => UNBOUND.test(text) && !/\s/.test(text));
  return byRule(unbound ? { ...call, effect: 'self_governance', flags: [...call.flags, 'force'] } : call);
};

export const CARRIER_SPECIALS: { readonly [name: string]: Special } = {
  agent,
  cmake,
  debugger: debuggers,
  lines,
  manual,
  load,
  sized,
};
