// Walks a shell script command by command, in order, as Bash would run it, and hands each simple command to a judge.
// Both sides of every branch are walked; what a branch may have changed is unknown afterwards. Bounded in commands and depth.

import type {
  Command,
  CommandNode,
  CompoundList,
  Function as FunctionNode,
  ParsedScript,
  PipelineNode,
  Statement,
} from 'unbash';
import { forEachChild } from 'unbash';
import { runBuiltin, setAmbient } from './builtins.ts';
import { expanded, fork, isSpent, MAX_WORK } from './effort.ts';
import { type Effort, type Frame, type Invocation, type Judge, type Walk, withBound, withFlags } from './frame.ts';
import { parseShell } from './parse.ts';
import { readRedirects, writeRedirects } from './redirects.ts';
import {
  type Arg,
  joinOrigins,
  joinState,
  literal,
  NO_STREAM,
  type Origin,
  type ShellState,
  type Stream,
  unknownArg,
  unresolved,
  type Value,
} from './values.ts';
import { assignedValue, assignmentWord, type Expander } from './words.ts';
import { unwrap } from './wrappers.ts';

/** Simple commands walked per proposal; the rest is opaque. */
export const MAX_COMMANDS = 1_000;
/** Scripts inside scripts: `bash -c`, substitutions, function calls. */
export const MAX_WALK_DEPTH = 24;
const MAX_LOOP_WORDS = 16;

export function newWalk(judge: Judge, effort: Effort = { work: 0 }): Walk {
  const walk: Walk = {
    judge,
    commands: 0,
    effort,
    gaveUp: false,
    called: new Set(),
    text: (text, state, frame) => walkText(walk, text, state, frame),
    words: (words, state, frame) => walkWords(walk, words, state, frame),
  };
  return walk;
}

function walkText(walk: Walk, text: string, state: ShellState, frame: Frame): Stream {
  if (frame.depth >= MAX_WALK_DEPTH) return stop(walk, 'too_deep', text, frame);
  walk.effort.work += text.length >> 3;
  if (walk.effort.work > MAX_WORK) return stop(walk, 'too_much', text, frame);
  const parsed = parseShell(text);
  if (parsed.opaque) stop(walk, parsed.opaque, text, frame);
  if (!parsed.script) return { origins: ['generated'] };
  const out = walkScript(walk, parsed.script, state, deeper(frame));
  return parsed.opaque ? { origins: [...out.origins, 'generated'] } : out;
}

function walkWords(walk: Walk, words: readonly Arg[], state: ShellState, frame: Frame): Stream {
  if (frame.depth >= MAX_WALK_DEPTH) return stop(walk, 'too_deep', words.map((word) => word.text).join(' '), frame);
  return dispatch(walk, { words, assignments: [], state, frame: deeper(frame) });
}

function deeper(frame: Frame): Frame {
  return { ...frame, depth: frame.depth + 1 };
}

function stop(walk: Walk, reason: string, text: string, frame: Frame): Stream {
  walk.judge.opaque(reason, text, [], frame);
  return { origins: ['generated'] };
}

function walkScript(walk: Walk, script: ParsedScript, state: ShellState, frame: Frame): Stream {
  const before = new Set(state.functions.values());
  const out = walkStatements(walk, script.commands, state, frame);
  for (const node of state.functions.values()) {
    if (before.has(node) || walk.called.has(node)) continue;
    walk.called.add(node);
    walkNode(walk, node.body as CommandNode, fork(walk, state), { ...deeper(frame), calls: [...frame.calls, node] });
  }
  return out;
}

function walkStatements(walk: Walk, statements: readonly Statement[], state: ShellState, frame: Frame): Stream {
  let out: Stream | undefined;
  for (const statement of statements) {
    if (walk.gaveUp) return { origins: ['generated'] };
    const range =
      frame.depth <= 1 && frame.range === undefined ? { start: statement.pos, end: statement.end } : frame.range;
    let inner: Frame = range === frame.range ? frame : { ...frame, range };
    if (statement.background) inner = withFlags(inner, 'background');
    const next = walkNode(walk, statement.command, statement.background ? fork(walk, state) : state, inner);
    out = out === undefined ? next : joinStreams(out, next);
  }
  return out ?? NO_STREAM;
}

function joinStreams(left: Stream, right: Stream): Stream {
  const text = left.text !== undefined && right.text !== undefined ? left.text + right.text : undefined;
  const origins = joinOrigins(left.origins, right.origins);
  return text === undefined ? { origins } : { text, origins };
}

function walkList(walk: Walk, list: CompoundList, state: ShellState, frame: Frame): Stream {
  return walkStatements(walk, list.commands, state, frame);
}

type Node = PipelineNode | Statement['command'] | CommandNode | CompoundList;

function walkNode(walk: Walk, node: Node, state: ShellState, frame: Frame): Stream {
  if (frame.depth >= MAX_WALK_DEPTH) return stop(walk, 'too_deep', '', frame);
  if (isSpent(walk, frame)) return { origins: ['generated'] };
  switch (node.type) {
    case 'Command':
      return walkCommand(walk, node, state, frame);
    case 'AndOr':
      return walkAndOr(walk, node.commands, node.operators, state, frame);
    case 'Pipeline': {
      let stream = frame.stdin;
      node.commands.forEach((command, index) => {
        const inner =
          index === 0 ? { ...frame, stdin: stream } : withFlags({ ...frame, stdin: stream }, 'pipeline_sink');
        stream = walkNode(
          walk,
          command,
          fork(walk, state),
          node.commands.length > 1 ? withFlags(inner, 'piped') : inner,
        );
      });
      return stream;
    }
    case 'CompoundList':
      return walkList(walk, node, state, frame);
    case 'BraceGroup':
      return walkList(walk, node.body, state, frame);
    case 'Subshell':
      return walkList(walk, node.body, fork(walk, state), frame);
    case 'Redirected': {
      const expand = expander(walk, state, frame);
      const stdin = readRedirects(walk, node.redirects, [], expand, frame);
      const out = walkNode(walk, node.command, state, stdin ? { ...frame, stdin } : frame);
      writeRedirects(walk, node.redirects, out, [], expand, frame);
      return out;
    }
    case 'Function':
      state.functions.set(node.name.value, node);
      return NO_STREAM;
    case 'Coproc':
      return walkNode(walk, node.body, fork(walk, state), withFlags(frame, 'background'));
    default:
      return walkCompound(walk, node, state, frame);
  }
}

type Compound = Extract<
  CommandNode,
  { type: 'If' | 'For' | 'ArithmeticFor' | 'Select' | 'While' | 'Case' | 'TestCommand' | 'ArithmeticCommand' }
>;

function walkCompound(walk: Walk, node: Compound, state: ShellState, frame: Frame): Stream {
  switch (node.type) {
    case 'If': {
      walkList(walk, node.clause, state, frame);
      const branches = [node.then, ...node.elif.flatMap((elif) => [elif.clause, elif.then])];
      if (node.else) branches.push(node.else);
      return walkBranches(walk, branches, state, frame);
    }
    case 'Case': {
      expanded(walk, node.word, expander(walk, state, frame));
      return walkBranches(
        walk,
        node.items.map((item) => item.body),
        state,
        frame,
      );
    }
    case 'For':
    case 'Select':
      return walkFor(
        walk,
        node.name.value,
        node.wordlist?.flatMap((word) => expanded(walk, word, expander(walk, state, frame))),
        node.body,
        state,
        frame,
      );
    case 'While': {
      if (endless(node.clause) && node.body.commands.some((statement) => statement.background)) walk.judge.flood(frame);
      return walkLoop(walk, [node.clause, node.body], state, frame);
    }
    case 'ArithmeticFor': {
      if (node.test === undefined && node.body.commands.some((statement) => statement.background))
        walk.judge.flood(frame);
      return walkLoop(walk, [node.body], state, frame);
    }
    default: {
      const inner = expander(walk, state, frame);
      forEachChild(node, function visit(child) {
        if (child.type === 'Word') expanded(walk, child, inner);
        else forEachChild(child, visit);
      });
      return NO_STREAM;
    }
  }
}

function endless(clause: CompoundList): boolean {
  const command = clause.commands[0]?.command;
  return (
    clause.commands.length === 1 && command?.type === 'Command' && ['true', ':'].includes(command.name?.value ?? '')
  );
}

function walkBranches(walk: Walk, branches: readonly CompoundList[], state: ShellState, frame: Frame): Stream {
  let out: Stream = NO_STREAM;
  for (const branch of branches) {
    const forked = fork(walk, state);
    out = joinStreams({ origins: out.origins }, walkList(walk, branch, forked, frame));
    joinState(state, forked);
  }
  return { origins: out.origins };
}

/** A loop's body runs unknown times: what it changes is unknown afterwards. */
function walkLoop(walk: Walk, lists: readonly CompoundList[], state: ShellState, frame: Frame): Stream {
  const before = fork(walk, state);
  let origins: readonly Origin[] = [];
  for (const list of lists) origins = joinOrigins(origins, walkList(walk, list, state, frame).origins);
  joinState(state, before);
  return { origins };
}

function walkFor(
  walk: Walk,
  name: string,
  words: readonly Arg[] | undefined,
  body: CompoundList,
  state: ShellState,
  frame: Frame,
): Stream {
  const items = words ?? state.params ?? [unknownArg('$@')];
  let origins: readonly Origin[] = [];
  for (const item of items.slice(0, MAX_LOOP_WORDS)) {
    if (walk.gaveUp) break;
    // A pattern stands for the names it matches: it must stay one, also behind quotes.
    state.vars.set(
      name,
      item.glob ? { text: item.text, known: item.known, origins: item.origins, items: [item] } : item,
    );
    origins = joinOrigins(origins, walkLoop(walk, [body], state, frame).origins);
  }
  if (items.length > MAX_LOOP_WORDS) {
    state.vars.set(name, unresolved(name));
    walkLoop(walk, [body], state, frame);
  }
  state.vars.set(name, items.length === 1 ? (items[0] as Arg) : unresolved(name));
  return { origins };
}

function walkAndOr(
  walk: Walk,
  commands: readonly PipelineNode[],
  operators: readonly string[],
  state: ShellState,
  frame: Frame,
): Stream {
  let out: Stream = NO_STREAM;
  commands.forEach((command, index) => {
    const optional = index > 0 && operators[index - 1] === '||';
    const inner = optional ? fork(walk, state) : state;
    // What runs when the one before fails is not what runs when it succeeds.
    const next = walkNode(walk, command, inner, optional ? withBound(frame, 'or') : frame);
    out = index === 0 ? next : joinStreams(out, next);
    if (optional && !leaves(command)) joinState(state, inner);
  });
  return out;
}

function leaves(node: PipelineNode): boolean {
  return (
    node.type === 'Command' &&
    ['exit', 'return', 'break', 'continue', 'true', ':', 'echo'].includes(node.name?.value ?? '')
  );
}

function expander(walk: Walk, state: ShellState, frame: Frame): Expander {
  return {
    state,
    suspect: (text) => {
      walkText(walk, text, fork(walk, state), frame);
    },
    substitute: (script) => {
      if (script === undefined) return NO_STREAM;
      if (script.errors && script.errors.length > 0) stop(walk, 'syntax', '', frame);
      if (frame.depth >= MAX_WALK_DEPTH) return stop(walk, 'too_deep', '', frame);
      const flags = frame.flags.filter((flag) => flag !== 'pipeline_sink' && flag !== 'piped');
      return walkScript(walk, script, fork(walk, state), { ...deeper(frame), flags });
    },
  };
}

function walkCommand(walk: Walk, node: Command, state: ShellState, frame: Frame): Stream {
  walk.commands += 1;
  if (walk.commands > MAX_COMMANDS) {
    if (walk.commands === MAX_COMMANDS + 1) walk.judge.opaque('too_many_commands', '', [], frame);
    return NO_STREAM;
  }
  const expand = expander(walk, state, frame);
  const kept = () => expander(walk, state, withFlags(frame, 'assigned'));
  const words: Arg[] = node.name ? expanded(walk, node.name, expand) : [];
  for (const item of node.args) {
    const sets = node.name?.text === 'export' || (node.name?.text === 'env' && item === node.args[0]);
    if (item.type === 'Word') words.push(...expanded(walk, item, sets ? kept() : expand));
    else words.push(assignmentWord(item.name, item.append ? '+=' : '=', assignedValue(item, kept(), state)));
  }
  const assignments: { name: string; value: Value }[] = [];
  for (const item of node.prefix) {
    if (item.type === 'Assignment') assignments.push({ name: item.name, value: assignedValue(item, kept(), state) });
  }
  if (assignments.length > 0) {
    // What a variable is set to can change what runs: judged by name, as `export` is.
    const set = assignments.map(({ name, value }) => assignmentWord(name, '=', value));
    walk.judge.run({ words: [literal('export'), ...set], assignments: [], state, frame }, walk);
    if (words.length === 0) {
      for (const { name, value } of assignments) {
        state.vars.set(name, value);
        setAmbient(state, name, value.text);
      }
    }
  }
  const redirects = node.redirects;
  const stdin = redirects.length > 0 ? readRedirects(walk, redirects, words, expand, frame) : undefined;
  const inner = stdin ? { ...frame, stdin } : frame;
  const out =
    words.length > 0 ? dispatch(walk, { words, assignments, state, frame: inner }) : { text: '', origins: [] };
  if (redirects.length === 0) return out;
  return writeRedirects(walk, redirects, out, words, expand, frame) ? { text: '', origins: [] } : out;
}

/** Functions, aliases, builtins, wrappers; what remains is a program. */
function dispatch(walk: Walk, invocation: Invocation): Stream {
  const { words, state, frame } = invocation;
  walk.effort.work += words.length;
  if (walk.effort.work > MAX_WORK) return stop(walk, 'too_much', '', frame);
  const program = words[0] as Arg;
  const body = program.known ? state.functions.get(program.text) : undefined;
  if (body) return callFunction(walk, body, invocation);
  const alias =
    program.known && !frame.calls.includes(`alias ${program.text}`) ? state.aliases.get(program.text) : undefined;
  if (alias !== undefined) {
    const inner = fork(walk, state);
    inner.params = words.slice(1);
    walkText(walk, `${alias} "$@"`, inner, { ...frame, calls: [...frame.calls, `alias ${program.text}`] });
  }
  walk.judge.called(words);
  const builtin = runBuiltin(walk, invocation);
  if (builtin) return builtin;
  const inner = unwrap(walk, invocation);
  if (inner) return inner;
  return walk.judge.run(invocation, walk);
}

function callFunction(walk: Walk, node: FunctionNode, { words, state, frame }: Invocation): Stream {
  walk.called.add(node);
  if (frame.calls.includes(node)) {
    if (frame.flags.includes('background') || frame.flags.includes('piped')) walk.judge.flood(frame);
    return NO_STREAM;
  }
  const saved = state.params;
  state.params = words.slice(1).map((word) => (word.known ? literal(word.text) : word));
  const out = walkNode(walk, node.body as CommandNode, state, { ...deeper(frame), calls: [...frame.calls, node] });
  state.params = saved;
  return out;
}
