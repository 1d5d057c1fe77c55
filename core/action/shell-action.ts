// A shell line to drafts: the walk of core/shell joined with what programs mean.

import { type Frame, OUTER_FRAME, type Walk } from '../shell/frame.ts';
import { type Arg, literal, newState, type Origin } from '../shell/values.ts';
import { newWalk } from '../shell/walk.ts';
import type { Draft } from './draft.ts';
import type { Where } from './paths.ts';
import type { ReadLine } from './planted.ts';
import { readPowershell } from './powershell.ts';
import type { Meaning } from './programs/call.ts';
import { commandNames } from './programs/command-names.ts';
import { readProgramText } from './programs/edits.ts';
import { redirectTo, runProgram } from './programs/interpret.ts';
import { opaqueEffect } from './programs/special-shells.ts';
import { boundText } from './programs/surroundings.ts';
import { sqlEffect } from './sql.ts';

export type ShellReading = { readonly drafts: readonly Draft[]; readonly secrets: readonly string[] };

/** What the lines of a proposal's calls were read as, for as long as its `Where` is in use. */
const known = new WeakMap<Where, Map<string, ShellReading>>();

/** `where`: made for one proposal. The command of a call is found again among its arguments, and means the same there. */
export function readOnce(command: string, where: Where): ShellReading {
  const lines = known.get(where) ?? new Map<string, ShellReading>();
  const before = lines.get(command);
  if (before) return before;
  const read = readShell(command, where);
  known.set(where, lines.set(command, read));
  return read;
}

export function readShell(command: string, where: Where): ShellReading {
  return readLine(command, where, lineIn(where));
}

function readLine(command: string, where: Where, line: ReadLine): ShellReading {
  return reading(
    where,
    command,
    (walk, drafts) => {
      const powered = readPowershell(command, where, (words, cwd) =>
        walk.words(words, newState(cwd, where.home), OUTER_FRAME),
      );
      drafts.push(...(powered?.drafts ?? []));
      // Whoever meant PowerShell meant its quotes and backslashes; where the two may differ, both readings count.
      if (!powered?.certain) walk.text(command, newState(where.cwd, where.home), OUTER_FRAME);
    },
    line,
  );
}

/** A line that a file will run, for whoever reads files. What such a line plants in turn is not followed. */
export function lineIn(where: Where): ReadLine {
  return (command, inContainer) =>
    inContainer
      ? reading(
          where,
          command,
          (walk) => walk.text(command, newState(undefined, undefined), inside('image')),
          () => [],
        ).drafts
      : readLine(command, where, () => []).drafts;
}

/** An argument list that needs no shell: quoting cannot matter. */
export function readWords(words: readonly Arg[], where: Where): ShellReading {
  const text = words.map((word) => word.text).join(' ');
  return reading(where, text, (walk) => walk.words(words, newState(where.cwd, where.home), OUTER_FRAME));
}

/** What containers start with: read as what runs there, not here. */
export function commandsIn(where: Where): (words: readonly Arg[], remote: string) => readonly Draft[] {
  return (words, remote) => {
    const text = words.map((word) => word.text).join(' ');
    return reading(where, text, (walk) => walk.words(words, newState(undefined, undefined), inside(remote))).drafts;
  };
}

function inside(remote: string): Frame {
  return { ...OUTER_FRAME, flags: ['remote', 'container'], remote };
}

function reading(
  where: Where,
  text: string,
  start: (walk: Walk, drafts: Draft[]) => unknown,
  line = lineIn(where),
): ShellReading {
  const drafts: Draft[] = [];
  const secrets: string[] = [];
  const meaning = meaningFor(where, drafts, secrets, line);
  try {
    start(walkFor(drafts, meaning), drafts);
  } catch (error) {
    // Nested deeper than our stack: what was not walked is not known.
    if (!(error instanceof RangeError)) throw error;
    drafts.push(opaqueDraft('too deep', text, [], OUTER_FRAME));
  }
  return { drafts, secrets };
}

function meaningFor(where: Where, drafts: Draft[], secrets: string[], line = lineIn(where)): Meaning {
  return {
    where,
    line,
    add: (draft) => drafts.push(draft),
    secret: (value) => secrets.push(value),
    handOver: () => {
      const at = drafts.findLastIndex((draft) => draft.effect === 'secret_fetch');
      const draft = drafts[at];
      if (draft) drafts[at] = { ...draft, flags: [...draft.flags, 'to_process'] };
    },
  };
}

function walkFor(drafts: Draft[], meaning: Meaning): Walk {
  return newWalk(
    {
      called: (words) => {
        const command = commandNames(words);
        if (command.length > 0)
          drafts.push({ tool: 'shell', operation: 'call', effect: 'none', targets: [], flags: [], command });
      },
      run: (invocation, walk) => runProgram(invocation, walk, meaning),
      redirect: (use) => redirectTo(use, meaning),
      opaque: (reason, text, origins, frame) => drafts.push(opaqueDraft(reason, text, origins, frame)),
      flood: (frame) =>
        drafts.push({
          tool: 'shell',
          operation: 'fork',
          effect: 'flood',
          targets: [],
          flags: frame.flags,
          range: frame.range,
        }),
    },
    meaning.where.effort,
  );
}

function opaqueDraft(reason: string, text: string, origins: readonly Origin[], frame: Frame): Draft {
  const flags = [...frame.flags.filter((flag) => flag !== 'piped'), `opaque_${reason.replace(/\W+/g, '_')}`];
  return {
    tool: 'shell',
    operation: 'run',
    effect: opaqueEffect(origins),
    targets: [],
    flags,
    residue: [text, boundText(frame)],
    range: frame.range,
  };
}

/** Program text: shell languages are walked, others scanned. */
export function codeReading(language: string, text: string, where: Where): ShellReading {
  if (/^(?:sh|bash|zsh|shell|dash|ksh|console|terminal|powershell|pwsh|ps1|cmd|bat|batch)$/.test(language))
    return readShell(text, where);
  if (/^(?:(?:postgre|my|t-?|pl\/?|pg)?sql|sqlite|plpgsql|mariadb|duckdb)$/.test(language)) {
    const { effect, flags } = sqlEffect(text);
    const residue = effect === 'read' ? [] : [text];
    const base = { tool: 'sql', operation: 'statement', targets: [], systems: ['database'], scope: 'remote' as const };
    return { drafts: [{ ...base, effect, flags: [...flags, 'remote'], residue }], secrets: [] };
  }
  const tool =
    (
      {
        py: 'python',
        python3: 'python',
        js: 'node',
        javascript: 'node',
        ts: 'node',
        typescript: 'node',
        rb: 'ruby',
        pl: 'perl',
      } as { readonly [name: string]: string }
    )[language] ?? language;
  const drafts: Draft[] = [];
  const secrets: string[] = [];
  const meaning = meaningFor(where, drafts, secrets);
  const state = newState(where.cwd, where.home);
  const walk = walkFor(drafts, meaning);
  readProgramText(tool, text, { words: [literal(tool)], assignments: [], state, frame: OUTER_FRAME }, walk, meaning);
  return { drafts, secrets };
}
