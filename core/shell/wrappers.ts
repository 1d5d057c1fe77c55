// Programs whose arguments are another command (sudo, env, xargs, timeout): as data, and the walk into what they run.
// The wrapper itself leaves only facts behind: who it runs as, where, how often.

import { type Invocation, type Walk, withBound, withFlags } from './frame.ts';
import { type Arg, forkState, literal, type ShellState, type Stream, unknownArg } from './values.ts';

type Wrapper = {
  /** Options that take a value, space-separated. */
  readonly values?: string;
  /** Operands before the inner command: `timeout 5 cmd` has one. */
  readonly operands?: number;
  /** Takes `NAME=value` before the inner command. */
  readonly assignments?: true;
  readonly flags?: readonly string[];
  /** Option whose value is script text. */
  readonly script?: string;
  /** Options whose value is the directory the command runs in; they are among the values too. */
  readonly directory?: string;
  /** The first operand is one. */
  readonly directoryFirst?: true;
  /** The inner words are joined and read by a shell. */
  readonly joined?: true;
  /** Options by which somebody else, or something elsewhere, runs the command; they are among the values too. */
  readonly who?: string;
  /** Standard input becomes arguments. */
  readonly items?: true;
};

export const WRAPPERS: { readonly [name: string]: Wrapper } = {
  sudo: {
    values:
      '-u --user -g --group -h --host -p --prompt -C --close-from -D --chdir -R --chroot -T --command-timeout -r --role -t --type -U --other-user',
    assignments: true,
    directory: '-D --chdir -R --chroot',
    who: '-u --user -g --group -h --host -r --role -t --type',
    flags: ['via_sudo'],
  },
  doas: { values: '-u -C', who: '-u', flags: ['via_sudo'] },
  pkexec: { values: '--user', who: '--user', flags: ['via_sudo'] },
  env: { values: '-u --unset -C --chdir', assignments: true, directory: '-C --chdir', script: '-S' },
  nohup: {},
  setsid: {},
  time: { values: '-f --format -o --output' },
  timeout: { values: '-s --signal -k --kill-after', operands: 1 },
  gtimeout: { values: '-s --signal -k --kill-after', operands: 1 },
  nice: { values: '-n --adjustment' },
  ionice: { values: '-c --class -n --classdata -p --pid' },
  chrt: { operands: 1 },
  taskset: { values: '-c --cpu-list', operands: 1 },
  stdbuf: { values: '-i --input -o --output -e --error' },
  unbuffer: {},
  catchsegv: {},
  chroot: {
    values: '--userspec --groups',
    who: '--userspec --groups',
    operands: 1,
    directoryFirst: true,
    flags: ['privileged'],
  },
  unshare: { values: '-S -G -R -w --root --wd --map-user --map-group', directory: '-R --root -w --wd' },
  nsenter: { values: '-t --target -S -G', who: '-t --target -S -G', flags: ['privileged'] },
  strace: { values: '-e -o -p -s -u -a -E -I -O -P -S -X', flags: [] },
  ltrace: { values: '-e -o -p -s -u -a -n -l -x' },
  caffeinate: { values: '-t -w' },
  watch: { values: '-n --interval', joined: true },
  script: { values: '-E --echo -o --output-limit -T --log-timing -I -O -B -m', operands: 1, script: '-c' },
  flock: { values: '-w --timeout -E --conflict-exit-code', operands: 1, script: '-c' },
  xargs: {
    values:
      '-I -n -P -L -d -a -E -s -R -J --max-args --max-procs --max-lines --delimiter --arg-file --replace --max-chars --eof',
    items: true,
    flags: ['bulk'],
  },
  parallel: {
    values: '-j --jobs -a --arg-file -I -N -n --delay --timeout --results --joblog',
    items: true,
    flags: ['bulk'],
  },
  busybox: {},
  toybox: {},
  dotenv: { values: '-e -c -v -p', operands: 0 },
  'dbus-run-session': {},
  'xvfb-run': { values: '-n -s -e -f -l -p -w' },
  rlwrap: {},
  fakeroot: {},
  wsl: { values: '-d --distribution -u --user --cd', who: '-u --user' },
  proot: { values: '-r -R -S -b -w -q -k', directory: '-r -R -S' },
  firejail: {},
  runuser: {
    values: '-u -g -G -s -l -w --user --group --shell',
    who: '-u -l --user',
    script: '-c',
    flags: ['via_sudo'],
  },
  sg: { operands: 1, script: '-c' },
  setpriv: { values: '--reuid --regid --groups --inh-caps --bounding-set --securebits' },
  'systemd-inhibit': { values: '--what --who --why --mode' },
  faketime: { values: '-f', operands: 1 },
  prlimit: { values: '-p --pid' },
  chronic: {},
  tsocks: {},
  torsocks: { values: '-a -P -u -p' },
  torify: {},
  proxychains: { values: '-f' },
  proxychains4: { values: '-f' },
  cpulimit: { values: '-l --limit -p --pid -e -P' },
  'ssh-agent': { values: '-a -t -E -O -P' },
  direnv: { operands: 2 },
  envdir: { operands: 1 },
  chpst: { values: '-u -U -e -/ -C -n -l -L -m -d -o -p -f -c -r -t', who: '-u -U' },
  setuidgid: { operands: 1 },
  'su-exec': { operands: 1, flags: ['via_sudo'] },
  gosu: { operands: 1, flags: ['via_sudo'] },
  softlimit: { values: '-a -c -d -f -l -m -n -o -p -r -s -t' },
  setarch: {},
  linux64: {},
  linux32: {},
  i386: {},
  eatmydata: {},
  cgexec: { values: '-g' },
  tini: { values: '-p -e' },
  'dumb-init': { values: '-r --rewrite' },
  runcon: { values: '-t -u -r -l', operands: 1 },
  logsave: { operands: 1 },
  nocache: {},
  valgrind: {},
  watchexec: { values: '-w --watch -e --exts -i --ignore -f --filter -d --debounce -s --signal' },
  entr: {},
};

/** Lines of one `parallel`. */
const MAX_LINES = 16;

/** Undefined when the program is no wrapper, or wraps nothing here. */
export function unwrap(walk: Walk, invocation: Invocation): Stream | undefined {
  const { words } = invocation;
  let { state, frame } = invocation;
  const program = words[0] as Arg;
  const name = program.known ? program.text.slice(program.text.lastIndexOf('/') + 1) : '';
  if (!Object.hasOwn(WRAPPERS, name)) return undefined;
  const wrapper = WRAPPERS[name] as Wrapper;
  const values = new Set(wrapper.values?.split(' '));
  let replace: string | undefined;
  let operands = wrapper.operands ?? 0;
  let index = 1;
  const assigned: Arg[] = [];
  const enter = (folder: Arg | undefined) => {
    if (!folder) return;
    // For the one command, not for the rest of the line.
    if (state === invocation.state) state = forkState(state);
    walk.words([literal('cd'), folder], state, frame);
  };
  const removed: Arg[] = [];
  const who: string[] = [];
  for (; index < words.length; index += 1) {
    const { text } = words[index] as Arg;
    if (text === '--') {
      if (operands === 0) {
        index += 1;
        break;
      }
    } else if (text.startsWith('-') && text.length > 1) {
      const command = scriptText(wrapper, words, index);
      if (command !== undefined) return walk.text(command, state, withFlags(frame, ...(wrapper.flags ?? [])));
      if (name === 'env' && /^(?:-u|--unset)/.test(text)) removed.push(optionValue(text, words[index + 1]));
      if (name === 'xargs' && text.startsWith('-I')) replace = text === '-I' ? words[index + 1]?.text : text.slice(2);
      enter(chosenValue(wrapper.directory, wrapper, words, index));
      const runner = chosenValue(wrapper.who, wrapper, words, index);
      // The first letter names the option, short or long; sudo alone means root.
      if (runner && !(runner.text === 'root' && /^-+u/.test(text)))
        who.push(`${name} ${text.replace(/^-+/, '')[0]} ${runner.text}`);
      if (values.has(text)) index += 1;
    } else if (wrapper.assignments && /^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) assigned.push(words[index] as Arg);
    // `env $(cat .env) npm start`: a file of assignments, and no program.
    else if (name === 'env' && index === 1 && words.length > 2 && assignments(words[index] as Arg)) continue;
    else if (operands > 0) {
      if (wrapper.directoryFirst) enter(words[index]);
      operands -= 1;
    } else break;
  }
  if (assigned.length > 0) walk.judge.run({ ...invocation, words: [literal('export'), ...assigned] }, walk);
  frame = withBound(frame, ...who.sort());
  state = handed(invocation, state, assigned, removed);
  if (removed.length > 0) walk.judge.run({ ...invocation, words: [literal('unset'), ...removed] }, walk);
  let inner = words.slice(index);
  if (name === 'parallel') {
    const lines = itemsNamed(inner);
    if (lines) return walkLines(walk, lines, state, withFlags(frame, ...(wrapper.flags ?? [])));
  }
  if (wrapper.items)
    inner = withItems(inner.length === 0 ? [literal('echo')] : inner, itemArgs(frame.stdin), name, replace);
  if (inner.length === 0) return undefined;
  if (wrapper.joined || (name === 'parallel' && inner[0]?.text.includes(' '))) {
    return walk.text(inner.map((word) => word.text).join(' '), state, withFlags(frame, ...(wrapper.flags ?? [])));
  }
  return walk.words(inner, state, withFlags(frame, ...(wrapper.flags ?? [])));
}

/** The environment the inner command gets: what this command was given, and what the wrapper sets and takes away. */
function handed(
  { assignments, state: outer }: Invocation,
  state: ShellState,
  assigned: readonly Arg[],
  removed: readonly Arg[],
): ShellState {
  if (assignments.length + assigned.length + removed.length === 0) return state;
  const inner = state === outer ? forkState(state) : state;
  for (const { name, value } of assignments) inner.exported.set(name, value.text);
  for (const { text } of assigned)
    inner.exported.set(text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1));
  for (const { text } of removed) inner.exported.set(text, '(unset)');
  return inner;
}

/** The value the option at `index` has if it is one of those: `-C DIR`, `-CDIR`, `-iCDIR`, `--chdir DIR`, `--chdir=DIR`, `--ch=DIR`. */
function chosenValue(
  options: string | undefined,
  { values = '' }: Wrapper,
  words: readonly Arg[],
  index: number,
): Arg | undefined {
  if (options === undefined) return undefined;
  const word = words[index] as Arg;
  const { text } = word;
  const names = options.split(' ');
  if (text.startsWith('--')) {
    const end = text.indexOf('=');
    const given = end < 0 ? text : text.slice(0, end);
    if (given.length < 3 || !names.some((name) => name.startsWith(given))) return undefined;
    return end < 0 ? words[index + 1] : { ...word, text: text.slice(end + 1) };
  }
  for (let at = 1; at < text.length; at += 1) {
    const name = `-${text[at]}`;
    if (names.includes(name)) return at + 1 < text.length ? { ...word, text: text.slice(at + 1) } : words[index + 1];
    if (values.split(' ').includes(name)) return undefined;
  }
  return undefined;
}

/** The script of `env -S 'cmd a'`, `script -qc 'cmd'`, `flock f -c 'cmd'`. */
function scriptText(wrapper: Wrapper, words: readonly Arg[], index: number): string | undefined {
  const text = (words[index] as Arg).text;
  const next = words[index + 1]?.text ?? '';
  if (wrapper.script === '-c')
    return text === '--command' || /^-[a-z]*c$/.test(text) ? next : /^--command=(.*)$/s.exec(text)?.[1];
  if (wrapper.script !== '-S') return undefined;
  const attached = /^(?:-[a-z]*S|--split-string=?)(.*)$/s.exec(text)?.[1];
  if (attached === undefined) return undefined;
  return [attached, ...words.slice(index + 1).map((word) => word.text)].join(' ');
}

function assignments(word: Arg): boolean {
  return (
    !word.known &&
    word.origins.length > 0 &&
    word.origins.every((origin) => /^(?:file|credential)$/.test(origin)) &&
    word.origins.includes('credential')
  );
}

/** `-uNAME`, `--unset=NAME`, `-u NAME` */
function optionValue(text: string, next: Arg | undefined): Arg {
  const attached = /^(?:-u|--unset=)(.+)$/.exec(text)?.[1];
  return attached === undefined ? (next ?? literal('')) : literal(attached);
}

function withItems(inner: readonly Arg[], items: readonly Arg[], name: string, replace: string | undefined): Arg[] {
  const marker = replace ?? (name === 'parallel' ? '{}' : undefined);
  if (marker === undefined || !inner.some((word) => word.text.includes(marker))) return [...inner, ...items];
  return inner.flatMap((word) => {
    if (!word.text.includes(marker)) return [word];
    return items.map((item) => ({
      text: word.text.replaceAll(marker, () => item.text),
      known: word.known && item.known,
      glob: item.glob,
      origins: item.origins,
    }));
  });
}

/** `parallel cmd ::: a b`, `parallel ::: 'cmd a' 'cmd b'`: the lines it runs; undefined when its items come from elsewhere. */
function itemsNamed(inner: readonly Arg[]): string[] | undefined {
  const at = inner.findIndex((word) => /^:::\+?$/.test(word.text));
  if (at < 0) return undefined;
  const command = inner
    .slice(0, at)
    .map((word) => word.text)
    .join(' ');
  const items = inner.slice(at + 1).filter((word) => !/^:::\+?$/.test(word.text));
  return items.slice(0, MAX_LINES).map(({ text }) => {
    if (command === '') return text;
    return command.includes('{}') ? command.replaceAll('{}', () => text) : `${command} ${text}`;
  });
}

function walkLines(walk: Walk, lines: readonly string[], state: ShellState, frame: Invocation['frame']): Stream {
  const origins = lines.flatMap((line) => walk.text(line, forkState(state), frame).origins);
  return { origins: [...new Set(origins)] };
}

/** What xargs would append. */
export function itemArgs(stdin: Stream): Arg[] {
  if (stdin.text !== undefined) {
    const words = stdin.text.split(/[\s\0]+/).filter((word) => word !== '');
    return words.slice(0, 256).map((word) => literal(word));
  }
  if (stdin.paths && stdin.paths.length > 0) return [...stdin.paths];
  return [unknownArg('$ITEM', stdin.origins)];
}
