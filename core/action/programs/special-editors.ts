// Editors: what is told to them on their line or by standard input is done without anybody looking.

import { type Arg, forkState, type Stream } from '../../shell/values.ts';
import type { DraftTarget } from '../draft.ts';
import { placeOf } from '../places.ts';
import { type Call, emit, SILENT, type Special, target } from './call.ts';
import { plantEdits } from './edits.ts';
import { plant } from './plant.ts';

/** What an editor opens it can show. */
function opened(call: Call, files: readonly DraftTarget[]): void {
  const secret = files.filter(
    ({ id, glob }) =>
      id.startsWith('file:') && placeOf(id.slice(5), glob, call.meaning.where).tags.includes('credential'),
  );
  if (secret.length > 0) emit(call, { effect: 'read', operation: 'read', targets: secret });
}

function started(call: Call, text: string): Stream {
  return call.walk.text(text, forkState(call.invocation.state), call.invocation.frame);
}

/** Lines that `a`, `i` and `c` of `ed` take until a lone dot. */
const INSERTED = /^[\d$.,/]{0,40}[aic]\n([\s\S]{0,8000}?)\n\.$/gm;

/** `ed` takes its commands from standard input; those with `!` go to a shell. */
const lineEditor: Special = (call) => {
  const { stdin } = call.invocation.frame;
  const script = stdin.text ?? '';
  for (const match of script.matchAll(/^\s*(?:\d+|[$.%,]|[re]|w)?\s*!(.{1,2000})$/gm))
    started(call, match[1] as string);
  if (stdin.text === undefined && stdin.origins.length > 0)
    call.walk.judge.opaque('stdin', '', stdin.origins, call.invocation.frame);
  const operands = call.given.operands;
  for (const word of operands) if (word.text.startsWith('!')) started(call, word.text.slice(1));
  const files = operands.filter((word) => !word.text.startsWith('!')).map((word) => target(call, word));
  emit(call, { targets: files, residue: [script] });
  plantEdits(call.meaning, files, script, call);
  const inserted = [...script.matchAll(INSERTED)].map((match) => match[1] as string).join('\n');
  for (const file of files) plant(call.meaning, file, inserted, call.invocation.frame);
  opened(call, files);
  return SILENT;
};

const VALUED = /^(?:-[SuiWwTt]|--cmd)$/;
const RUNS = /!|\bsystem\w{0,4}\s{0,4}\(|shell-command|call-process|:py|:lua|:perl|:ruby|--eval/;
const RUNS_INSIDE =
  /\\=|\b(?:py\w{0,4}|lua\w{0,6}|perl|ruby|tcl|exe\w{0,4}|call|so\w{0,4}|runtime|au\w{0,6}|term\w{0,4}|mksession)\b/;
/** Marks the end of an edit: what was changed is in the file. */
const SAVES =
  /(?:^|[|\n:])\s{0,8}(?:[%\d$.,]{0,20}|(?:argdo|bufdo|windo|tabdo|silent!?)\s{1,8}){0,4}\s{0,8}(?:w(?:rite|q|a|all|qa|qall|n)?|x(?:it|a|all)?|up(?:date)?|sav(?:eas)?|exi?t?)!?(?:\s{1,8}([^|\n]{1,400}))?\s{0,8}(?=$|[|\n])/g;
/** Commands of `ex` that change text, move in it, save and leave. */
const PLAIN =
  /^[:\s]{0,8}(?:(?:argdo|bufdo|windo|silent!?)\s{1,8}){0,4}[%\d$.,'<>+\-/?*]{0,40}\s{0,8}(?:[sgv][^\w\s]|(?:d|del|delete|w|wq|wa|wqa|wall|write|q|qa|quit|x|xa|xit|up|update|j|join|m|t|copy|set|se|retab|sort|normal|norm|e|edit|\d+)\b)/;

type Batch = { readonly commands: readonly string[]; readonly files: readonly Arg[]; readonly silent: boolean };

/** `vim -es -c CMD FILE`, `ex -sc CMD FILE`, `+CMD`: in `ex` `-s` takes no value. */
function batch(call: Call): Batch {
  const commands: string[] = [];
  const files: Arg[] = [];
  const silent =
    /^(?:ex|view)$/.test(call.tool) ||
    call.args.some(({ text }) => /^(?:-[A-Za-z]{0,6}[eE][A-Za-z]{0,6}|--headless)$/.test(text));
  for (let at = 0; at < call.args.length; at += 1) {
    const arg = call.args[at] as Arg;
    const { text } = arg;
    if (text.startsWith('+')) commands.push(text.slice(1));
    else if (/^-[A-Za-z]{0,6}c$/.test(text)) {
      at += 1;
      commands.push(call.args[at]?.text ?? '');
    } else if (VALUED.test(text) || (text === '-s' && !silent)) at += 1;
    else if (!/^-./.test(text)) files.push(arg);
  }
  const { stdin } = call.invocation.frame;
  if (silent && stdin.text !== undefined) commands.push(...stdin.text.split('\n').filter((text) => text.trim() !== ''));
  return { commands, files: files.filter(({ text }) => text !== '-'), silent };
}

/** Editors run commands: `vim -c '!cmd'`, `emacs --eval`. */
const editor: Special = (call) => {
  const vi = /^(?:n?vim?|view|ex)$/.test(call.tool);
  const {
    commands,
    files: words,
    silent,
  } = vi ? batch(call) : { commands: [], files: call.given.operands, silent: false };
  const text = [...call.args.map((arg) => arg.text), ...commands].join('\n');
  for (const match of text.matchAll(/(?:^|[:+|\s])!\s{0,4}([^\n!]{1,2000})/g)) {
    call.walk.text(match[1] as string, call.invocation.state, call.invocation.frame);
  }
  if (RUNS.test(text)) call.walk.judge.opaque('editor', text, [], call.invocation.frame);
  const files = words.filter((word) => !word.text.startsWith('+')).map((word) => target(call, word));
  const script = commands.join('\n');
  const saves = [...script.matchAll(SAVES)];
  const plain = silent && commands.length > 0 && !RUNS_INSIDE.test(script) && commands.every((one) => PLAIN.test(one));
  if (!plain || RUNS.test(text)) emit(call, { targets: files, residue: [script] });
  if (saves.length > 0) {
    const others = saves.flatMap((match) =>
      match[1] === undefined ? [] : [target(call, { text: match[1], known: true, glob: false, origins: [] })],
    );
    emit(call, { effect: 'write', targets: [...files, ...others], residue: [script] });
    plantEdits(call.meaning, files, script, call);
  } else if (plain) emit(call, { effect: 'read', targets: files, residue: [script] });
  opened(call, files);
  return SILENT;
};

export const EDITOR_SPECIALS: { readonly [name: string]: Special } = { editor, 'line-editor': lineEditor };
