// Cmdlets that act on files: which paths they name, and what happens to them.

import { type Draft, type DraftTarget, fileTarget } from './draft.ts';
import type { Where } from './paths.ts';
import { placeOf } from './places.ts';
import { CMDLETS } from './powershell-cmdlets.ts';
import type { PsCommand, PsWord } from './powershell-parse.ts';
import { add, type Flow, type Powershell } from './powershell-state.ts';
import type { Effect } from './types.ts';

export type Given = {
  readonly operands: readonly PsWord[];
  /** In lower case, `-path` → its value if one follows. */
  readonly options: ReadonlyMap<string, PsWord | undefined>;
};

/** Options that stand alone. */
const SWITCHES =
  /^-(?:r|recurse|fo?|force|file|directory|hidden|name|whatif|wi|confirm|raw|wait|append|noclobber|passthru|verbose|useb\w*|nonewwindow|asbytestream|simplematch|casesensitive|notmatch|allmatches|list|quiet|notypeinformation|autosize|descending|unique|leaf|parent|noprofile|asjson|compress|all|online|norestart)$/;
const MANY_PATHS = /[*?]|,/;

export function argumentsOf(command: PsCommand): Given {
  const operands: PsWord[] = [];
  const options = new Map<string, PsWord | undefined>();
  const words = command.words.slice(1);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as PsWord;
    const name = /^-([A-Za-z]\w*)(?::(.*))?$/.exec(word.text);
    if (!name || word.quoted) {
      operands.push(word);
      continue;
    }
    const key = `-${(name[1] as string).toLowerCase()}`;
    const next = words[at + 1];
    if (name[2] !== undefined && name[2] !== '') options.set(key, { ...word, text: name[2] });
    else if (!SWITCHES.test(key) && next && (next.quoted || !/^-[A-Za-z]/.test(next.text))) {
      // A list goes on over blanks.
      let value = next;
      at += 1;
      while (/,$/.test(value.text) && words[at + 1]) {
        at += 1;
        const more = words[at] as PsWord;
        value = { ...value, text: value.text + more.text, known: value.known && more.known };
      }
      options.set(key, value);
    } else options.set(key, undefined);
  }
  return { operands, options };
}

export function place(word: Pick<PsWord, 'text' | 'known'>, where: Where): DraftTarget {
  const plain = word.text
    .replace(
      /^(?:\$(?:\{?env:userprofile\}?|home|env:home|env:homedrive\$env:homepath)|%userprofile%)(?=$|[\\/])/i,
      '~',
    )
    .replace(/^(?:\$(?:env:systemroot|env:windir)|%(?:systemroot|windir)%)(?=$|[\\/])/i, 'C:/Windows')
    .replace(/^(?:\$env:systemdrive|%systemdrive%)(?=$|[\\/])/i, 'C:/')
    .replace(/^(?:\$env:te?mp|%te?mp%)(?=$|[\\/])/i, '/tmp')
    .replace(/^(?:\$env:appdata|%appdata%)(?=$|[\\/])/i, '~/AppData/Roaming')
    .replace(/^(?:\$env:localappdata|%localappdata%)(?=$|[\\/])/i, '~/AppData/Local')
    .replace(/^(?:\$pwd|\$\(pwd\)|%cd%)(?=$|[\\/])/i, '.')
    .replaceAll('\\', '/');
  const text = /^[A-Za-z]:$/.test(plain) ? `${plain}/` : plain;
  return fileTarget(
    { text, known: !/[$%]/.test(text) && (word.known || plain !== word.text), glob: /[*?]/.test(text) },
    where.cwd,
    where,
  );
}

const FROM = ['-path', '-literalpath', '-lp', '-pspath', '-filepath'];
const TO = ['-destination', '-destinationpath', '-newname', '-target'];

/** Without the switches of cmd.exe. */
function unswitched(given: Given): readonly PsWord[] {
  return given.operands.filter((word) => !/^\/[A-Za-z]{1,5}(?::.*)?$/.test(word.text));
}

function pathsOf(given: Given, from = FROM): PsWord[] {
  const named = from.flatMap((name) => given.options.get(name) ?? []);
  return [...named, ...unswitched(given)].flatMap((word) =>
    word.text
      .split(',')
      .filter((text) => text !== '')
      .map((text) => ({ ...word, text })),
  );
}

/** True when it was such a cmdlet. */
export function readFiles(
  state: Powershell,
  name: string,
  command: PsCommand,
  before: Given | undefined,
  piped: boolean,
): boolean {
  const effect = CMDLETS.get(name);
  const given = argumentsOf(command);
  if (name === 'set-location') {
    const folder = given.options.get('-path') ?? given.operands[0];
    if (folder) {
      const target = place(folder, state.where);
      state.where = { ...state.where, cwd: target.known ? target.id.slice(5) : undefined };
    }
    return false;
  }
  if (/^(?:copy-item|move-item|rename-item|robocopy)$/.test(name)) return moves(state, name, command, given);
  if (name === 'remove-item') return removes(state, command, given, before, piped);
  if (
    /^(?:get-content|get-item|get-itemproperty|get-childitem|get-filehash|get-acl|select-string|test-path|resolve-path|import-csv|import-clixml|import-powershelldatafile)$/.test(
      name,
    )
  )
    return reads(state, name, given, piped);
  if (effect !== 'write' && effect !== 'overwrite') return registry(state, name, command, given);
  const paths = pathsOf(given, name === 'compress-archive' || name === 'expand-archive' ? TO : FROM);
  const chosen = /^(?:set-content|add-content|out-file|tee-object|clear-content|export-csv|export-clixml)$/.test(name)
    ? paths.slice(0, 1)
    : paths.slice(0, 8);
  const targets = chosen.map((word) => place(word, state.where));
  if (chosen.some((word) => /^\$profile\b/i.test(word.text)))
    add(state, name, 'schedule', { operation: 'profile', residue: [command.source], scope: 'home' });
  if (chosen.some((word) => REGISTRY.test(word.text))) return registry(state, name, command, given);
  if (chosen.some((word) => /^(?:env|variable|function|alias):/i.test(word.text))) return false;
  const appends = name === 'add-content' || given.options.has('-append') || given.options.has('-a');
  const creates = name === 'new-item' || name === 'mklink' || name === 'attrib' || name === 'expand-archive';
  add(state, name, effect, {
    operation: appends ? 'append' : 'write',
    targets,
    flags: [
      ...(appends || (creates && !given.options.has('-force')) || isFolder(given) ? [] : ['truncate']),
      ...(targets.length === 0 ? ['unresolved_target'] : []),
    ],
    scope: undefined,
    residue: [command.source],
  });
  return true;
}

function isFolder(given: Given): boolean {
  return /^dir/i.test((given.options.get('-itemtype') ?? given.options.get('-type'))?.text ?? '');
}

function reads(state: Powershell, name: string, given: Given, piped: boolean): boolean {
  const all = pathsOf(given);
  const paths =
    name === 'select-string' && !given.options.has('-pattern') && !given.options.has('-path') ? all.slice(1) : all;
  if (paths.some((word) => /^env:/i.test(word.text))) {
    const one = paths.every((word) => /^env:[\\/]?\w+$/i.test(word.text));
    add(state, name, 'read', { operation: 'environment', flags: one ? [] : ['environment_dump'] });
    return true;
  }
  if (paths.some((word) => REGISTRY.test(word.text))) {
    add(state, name, 'read', { operation: 'look', metadata: true });
    return true;
  }
  if (paths.length === 0 && piped) {
    add(state, name, 'none', { operation: 'shape' });
    return true;
  }
  const listing = /^(?:get-childitem|get-item|get-itemproperty|test-path|resolve-path|get-acl|get-filehash)$/.test(
    name,
  );
  const targets = (paths.length > 0 ? paths : [{ text: '.', known: true }]).map((word) => place(word, state.where));
  add(state, name, 'read', {
    operation: 'read',
    targets,
    flags: given.options.has('-recurse') || given.options.has('-r') ? ['recursive'] : [],
    residue: [],
    scope: undefined,
    ...(listing && { metadata: true }),
  });
  return true;
}

function moves(state: Powershell, name: string, command: PsCommand, given: Given): boolean {
  const to = TO.flatMap((option) => given.options.get(option) ?? []).at(0) ?? unswitched(given).at(-1);
  const from = pathsOf(given).filter((word) => word !== to && word.text !== to?.text);
  if (!to) return false;
  const sources = from.map((word) => place(word, state.where));
  const target = place(
    name === 'rename-item' && !/[\\/]/.test(to.text) ? { ...to, text: sibling(from[0]?.text ?? '', to.text) } : to,
    state.where,
  );
  if (given.options.has('-whatif')) {
    add(state, name, 'read', { operation: 'dry run', targets: sources, metadata: true, scope: undefined });
    return true;
  }
  const mirror = name === 'robocopy' && command.words.some((word) => /^\/(?:mir|purge|mov|move)$/i.test(word.text));
  if (name === 'copy-item' || name === 'robocopy') {
    add(state, name, 'read', {
      operation: 'read',
      targets: sources,
      scope: undefined,
      flags: ['recursive'],
      residue: [],
    });
    add(state, name, mirror ? 'delete_many' : 'write', {
      operation: 'copy',
      targets: [target],
      flags: [mirror ? 'recursive' : 'truncate'],
      scope: undefined,
      residue: [command.source],
    });
    return true;
  }
  add(state, name, 'overwrite', {
    operation: 'move',
    targets: [...sources, { ...target, lands: true as const }],
    flags: from.some((word) => MANY_PATHS.test(word.text)) ? ['glob'] : [],
    scope: undefined,
    residue: [command.source],
  });
  return true;
}

function sibling(path: string, name: string): string {
  const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return at < 0 ? name : path.slice(0, at + 1) + name;
}

/** With nothing named it removes what the command before it found. */
function removes(
  state: Powershell,
  command: PsCommand,
  given: Given,
  before: Given | undefined,
  piped: boolean,
): boolean {
  const named = pathsOf(given);
  if (named.some((word) => REGISTRY.test(word.text))) return registry(state, 'remove-item', command, given);
  if (named.length > 0 && named.every((word) => /^(?:env|variable|function|alias):/i.test(word.text))) {
    add(state, 'remove-item', 'none', { operation: 'environment' });
    return true;
  }
  if (/historysavepath/i.test(command.source)) {
    add(state, 'remove-item', 'security_disable', { operation: 'history', residue: [command.source] });
    return true;
  }
  const found = named.length === 0 && piped && before ? foundBy(before) : named;
  const targets = found.map((word) => place(word, state.where));
  if (given.options.has('-whatif') || given.options.has('-wi')) {
    add(state, 'rm', 'read', { operation: 'dry run', targets, metadata: true, scope: undefined });
    return true;
  }
  const recursive =
    [...given.options.keys()].some((option) => /^-r(?:ecurse)?$/.test(option) || '-recurse'.startsWith(option)) ||
    command.words.some((word) => /^\/s$/i.test(word.text));
  const many = recursive || (piped && named.length === 0) || targets.some((target) => target.glob);
  const effect: Effect = many ? 'delete_many' : 'delete';
  const draft: Partial<Draft> = {
    operation: 'delete',
    targets,
    flags: [
      ...(recursive ? ['recursive'] : []),
      ...(given.options.has('-force') ? ['force'] : []),
      ...(targets.length === 0 || targets.some((target) => !target.known) ? ['unresolved_target'] : []),
    ],
    scope: undefined,
    residue: [],
  };
  if (targets.length > 0 || piped) add(state, 'rm', effect, draft);
  else add(state, 'rm', 'none', { operation: 'delete' });
  return true;
}

/** `Get-ChildItem src -Include bin,obj`: the names it looks for, in the folder it looks in. */
function foundBy(before: Given): PsWord[] {
  const folders = pathsOf(before, ['-path', '-literalpath']);
  const names = ['-include', '-filter'].flatMap((name) => before.options.get(name)?.text.split(',') ?? []);
  if (names.length === 0)
    return folders.map((word) => ({ ...word, text: MANY_PATHS.test(word.text) ? word.text : `${word.text}/*` }));
  const folder = folders[0]?.text ?? '.';
  return names
    .filter((text) => text !== '')
    .map((text) => ({ text: `${folder.replace(/[\\/]?\*$/, '')}/${text.trim()}`, known: true, quoted: false }));
}

const REGISTRY = /^(?:registry::|hk(?:lm|cu|cr|u|cc)(?::|\\)|hkey_)/i;
const AUTOSTART = /\\run(?:once)?(?:\\|$|['"\s])|\\winlogon|image file execution options|\\services\\/i;
const CONTROL =
  /windows defender|disableantispyware|disablerealtime|enablelua|consentpromptbehavior|disableregistrytools|safer|lsa\b|amsi|smartscreen|eventlog|firewallpolicy/i;

/** Settings of the machine, told by their place. */
function registry(state: Powershell, name: string, command: PsCommand, given: Given): boolean {
  const changes = /^(?:set|new|remove|clear|copy|move|rename)-item(?:property)?$/.test(name);
  const path = given.options.get('-path') ?? given.options.get('-literalpath') ?? given.operands[0];
  if (!changes || !path) return false;
  if (!REGISTRY.test(path.text)) {
    if (!/itemproperty$/.test(name)) return false;
    add(state, name, 'permission_change', {
      targets: [place(path, state.where)],
      scope: undefined,
      residue: [command.source],
    });
    return true;
  }
  const effect: Effect = CONTROL.test(command.source)
    ? 'security_disable'
    : AUTOSTART.test(path.text)
      ? 'schedule'
      : 'system_change';
  add(state, name, effect, { operation: 'registry', residue: [command.source] });
  return true;
}

const SHOWS = /^(?:get-content|select-string|import-csv|import-clixml)$/;

/** What a cmdlet that shows files hands on; `since`: where its own drafts begin. */
export function contentOf(state: Powershell, name: string, since: number, into: ReadonlySet<Flow>): ReadonlySet<Flow> {
  if (!SHOWS.test(name)) return into;
  const targets = state.drafts.slice(since).flatMap((draft) => draft.targets);
  return targets.length === 0 ? into : new Set<Flow>([...into, ...flowsOf(targets, state.where)]);
}

/** What the content of these may be. */
export function flowsOf(targets: readonly DraftTarget[], where: Where): Flow[] {
  const secret = targets.some(({ id, glob }) =>
    placeOf(id.replace(/^file:/, ''), glob, where).tags.some((tag) => /^(?:credential|dotenv|env_file)$/.test(tag)),
  );
  return secret ? ['file', 'secret'] : ['file'];
}
