// Archives: making one reads and writes, opening one writes what nobody has seen.

import { type Arg, forkState, literal, type Origin } from '../../shell/values.ts';
import { carryOver, markFolder } from './brought.ts';
import {
  byRule,
  type Call,
  emit,
  emitNone,
  has,
  optionValue,
  outOf,
  residueOf,
  SILENT,
  type Special,
  target,
} from './call.ts';

/** tar takes its first bundle with or without a dash. */
const tar: Special = (call) => {
  const words = [...call.args];
  if (words[0] && /^[A-Za-z]+$/.test(words[0].text)) words[0] = { ...words[0], text: `-${words[0].text}` };
  let mode = '';
  let file: Arg | undefined;
  let folder: Arg | undefined;
  const operands: Arg[] = [];
  const programs: Arg[] = [];
  let removes = false;
  // Each -C holds for what follows it, and starts from the one before.
  const enter = (next: Arg | undefined) => {
    if (next) folder = within(folder, next);
  };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as Arg;
    const { text } = word;
    const long = /^--([a-z-]+)(?:=(.*))?$/s.exec(text);
    if (long) {
      const value = long[2] === undefined ? undefined : { ...word, text: long[2] };
      const name = long[1] as string;
      if (name === 'create') mode = 'c';
      else if (name === 'extract' || name === 'get') mode = 'x';
      else if (name === 'list') mode = 't';
      else if (name === 'append' || name === 'update') mode = 'c';
      else if (name === 'file') file = value ?? words[++at];
      else if (name === 'directory') enter(value ?? words[++at]);
      else if (name === 'remove-files') removes = true;
      else if (
        /^(?:to-command|checkpoint-action|use-compress-program|info-script|new-volume-script|rsh-command)$/.test(name)
      )
        programs.push(value ?? words[++at] ?? literal(''));
      else if (
        /^(?:exclude|exclude-from|files-from|transform|owner|group|mode|mtime|strip-components)$/.test(name) &&
        value === undefined
      )
        at += 1;
    } else if (/^-[A-Za-z]/.test(text)) {
      for (let index = 1; index < text.length; index += 1) {
        const letter = text[index] as string;
        if ('cxtru'.includes(letter)) mode = letter === 'r' || letter === 'u' ? 'c' : letter;
        else if (letter === 'f' || letter === 'C' || letter === 'I' || letter === 'T' || letter === 'X') {
          const attached = text.slice(index + 1);
          const value =
            attached !== '' && letter !== 'f'
              ? { ...word, text: attached }
              : attached !== '' && !/^[A-Za-z]+$/.test(attached)
                ? { ...word, text: attached }
                : words[++at];
          if (letter === 'f') file = value;
          else if (letter === 'C') enter(value);
          else if (letter === 'I' && value) programs.push(value);
          if (attached !== '' && (letter !== 'f' || !/^[A-Za-z]+$/.test(attached))) break;
        }
      }
    } else if (text !== '--') operands.push(within(folder, word));
  }
  for (const program of programs) {
    const command = program.text.replace(/^exec=/, '');
    if (!/^(?:gzip|bzip2|xz|zstd|pigz|lz4)\b|^(?:dot|echo|sleep|totals|bell|ttyout)/.test(command))
      call.walk.text(command, call.invocation.state, call.invocation.frame);
  }
  return tarDrafts(call, mode, file, folder, operands, removes);
};

function within(folder: Arg | undefined, word: Arg): Arg {
  if (!folder || /^[/~]/.test(word.text)) return word;
  return { ...word, text: `${folder.text}/${word.text}`, known: word.known && folder.known };
}

/** What was fetched in this line lies now in a folder. */
function opened(call: Call, archive: string | undefined, folder: Arg | undefined): void {
  const { state, frame } = call.invocation;
  const from = archive === undefined ? frame.stdin : state.files.get(archive);
  if (!from?.origins.includes('download')) return;
  const place = target(call, folder ?? literal('.')).id;
  if (place.startsWith('file:')) markFolder(state, place.slice(5), ['download'], true);
}

function tarDrafts(
  call: Call,
  mode: string,
  file: Arg | undefined,
  folder: Arg | undefined,
  operands: readonly Arg[],
  removes: boolean,
) {
  const archive = file && file.text !== '-' ? [target(call, file)] : [];
  if (mode === 'c') {
    const sources = operands.map((word) => target(call, word));
    emit(call, { effect: 'read', operation: 'read', targets: sources, flags: ['recursive'], residue: [] });
    if (archive.length > 0)
      emit(call, {
        effect: 'write',
        operation: 'archive',
        targets: archive,
        flags: ['truncate'],
        residue: [sources.map((source) => source.id).join('\0')],
      });
    if (removes) emit(call, { effect: 'delete_many', operation: 'delete', targets: sources, flags: ['recursive'] });
    return outOf({ ...call, effect: 'read' }, sources);
  }
  if (archive.length > 0) emit(call, { effect: 'read', operation: 'read', targets: archive, residue: [] });
  if (mode === 'x') {
    emit(call, {
      effect: 'write',
      operation: 'extract',
      targets: [target(call, folder ?? literal('.'))],
      flags: ['from_archive'],
      residue: [archive[0]?.id ?? 'stdin'],
      metadata: true,
    });
    opened(call, archive[0]?.id, folder);
    return SILENT;
  }
  if (archive.length === 0) emitNone(call);
  return { origins: ['file' as const] };
}

const archive: Special = (call) => {
  const words = call.given.operands;
  const command = call.tool === 'zip' ? 'a' : (words[0]?.text ?? '');
  const [file, ...rest] = call.tool === 'zip' ? words : words.slice(1);
  if (!file) return emitNone(call);
  // The program that tries the new archive is a line for a shell.
  const tried = call.args.findIndex((arg) => /^(?:-TT|--unzip-command)$/.test(arg.text));
  if (call.tool === 'zip' && tried >= 0)
    call.walk.text(call.args[tried + 1]?.text ?? '', forkState(call.invocation.state), call.invocation.frame);
  if (/^[lt]/.test(command) || has(call, '-T') || has(call, '-sf')) {
    emit(call, { effect: 'read', operation: 'list', targets: [target(call, file)], residue: [] });
    return { origins: ['file'] };
  }
  if (/^[xe]/.test(command) && call.tool !== 'zip') {
    emit(call, { effect: 'read', operation: 'read', targets: [target(call, file)], residue: [] });
    emit(call, {
      effect: 'write',
      operation: 'extract',
      targets: [target(call, literal('.'))],
      flags: ['from_archive'],
      residue: residueOf(call),
    });
    opened(call, target(call, file).id, undefined);
    return SILENT;
  }
  const sources = rest.map((word) => target(call, word));
  if (sources.length > 0)
    emit(call, { effect: 'read', operation: 'read', targets: sources, flags: ['recursive'], residue: [] });
  if (file.text === '-') return outOf({ ...call, effect: 'read' }, sources);
  emit(call, {
    effect: 'write',
    operation: 'archive',
    targets: [target(call, file)],
    flags: ['truncate'],
    residue: [sources.map((source) => source.id).join('\0')],
  });
  const moves = call.tool === 'zip' ? /^(?:-[A-Za-z]*m[A-Za-z]*|--move)$/ : /^(?:-sdel|-df)$/;
  if (call.args.some((arg) => moves.test(arg.text)))
    emit(call, { effect: 'delete_many', operation: 'delete', targets: sources, flags: ['recursive'] });
  return SILENT;
};

const unzip: Special = (call) => {
  const file = call.given.operands[0];
  if (!file) return emitNone(call);
  emit(call, { effect: 'read', operation: 'read', targets: [target(call, file)], residue: [] });
  if (call.args.some((arg) => /^-[a-zA-Z]*[lvtzp]/.test(arg.text) && !arg.text.startsWith('-d')))
    return { origins: ['file'] };
  const at = call.args.findIndex((arg) => arg.text === '-d');
  const folder = at >= 0 ? call.args[at + 1] : undefined;
  emit(call, {
    effect: 'write',
    operation: 'extract',
    targets: [target(call, folder ?? literal('.'))],
    flags: ['from_archive'],
    residue: [target(call, file).id],
    metadata: true,
  });
  opened(call, target(call, file).id, folder);
  return SILENT;
};

/** `find … | cpio -o`, `pax -w`: a stream of the files, unless one is named to hold it. */
const copyArchive: Special = (call) => {
  const made = call.args.some(({ text }) => /^-[a-zA-Z]*[ow]|^--create$/.test(text));
  const named = ['-f', '-F', '-O', '--file'].some((name) => optionValue(call, name) !== undefined);
  if (!made || named) return byRule(call);
  const sources = call.tool === 'pax' ? call.given.operands.map((word) => target(call, word)) : [];
  const listed = (call.invocation.frame.stdin.paths ?? []).map((word) => target(call, word));
  emit(call, {
    effect: 'read',
    operation: 'read',
    targets: [...sources, ...listed],
    flags: ['recursive'],
    scope: undefined,
    residue: [],
  });
  const { origins } = outOf({ ...call, effect: 'read' }, [...sources, ...listed]);
  return { origins: [...new Set<Origin>(['file', ...origins])] };
};

const compress: Special = (call) => {
  const files = call.given.operands.filter((word) => word.text !== '-');
  if (files.length === 0) {
    emit(call, { effect: 'none' });
    const decoded = /^(?:gun|bun|un)|zstd|xz/.test(call.tool) || has(call, '-d');
    const { stdin } = call.invocation.frame;
    return { origins: decoded ? [...stdin.origins, 'decoded'] : stdin.origins };
  }
  if (call.effect === 'read' || optionValue(call, '-o')) return byRule({ ...call, effect: call.effect });
  const targets = files.map((word) => target(call, word));
  emit(call, { targets, flags: has(call, '-k') ? [] : ['replaces'] });
  for (const { id } of targets)
    carryOver(call.invocation.state, [id], id.replace(/\.(?:gz|bz2|xz|zst|lz4|lzma|Z)$/, ''));
  return SILENT;
};

export const ARCHIVE_SPECIALS: { readonly [name: string]: Special } = {
  tar,
  archive,
  unzip,
  compress,
  'copy-archive': copyArchive,
};
