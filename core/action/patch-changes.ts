// Which files a patch changes, and how: as Codex writes patches, and as git and diff do. A file may change without one line
// being shown: its name, its mode, whether it is there, and what git keeps as binary.

export type FileChange = {
  readonly path: string;
  readonly verb: 'write' | 'delete' | 'edit' | 'move' | 'copy' | 'mode';
  readonly lines: string[];
  /** The mode it gets, as git writes it. */
  readonly mode?: string;
};

export const SYMLINK = '120000';

/** Both formats where both stand there: which of them is applied nobody knows. */
export function changesIn(text: string): FileChange[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  return [...(lines.includes('*** Begin Patch') ? codexChanges(lines) : []), ...unifiedChanges(lines)];
}

const HEADER = /^\*\*\* (Add File|Update File|Delete File|Move to): (.+)$/;

function codexChanges(lines: readonly string[]): FileChange[] {
  const changes: FileChange[] = [];
  for (const line of lines) {
    const match = HEADER.exec(line);
    if (match) {
      const path = (match[2] as string).trim();
      if (match[1] === 'Move to') {
        const from = changes.at(-1);
        if (from) changes[changes.length - 1] = { ...from, verb: 'move' };
        changes.push({ path, verb: 'write', lines: [] });
      } else
        changes.push({
          path,
          verb: match[1] === 'Delete File' ? 'delete' : match[1] === 'Add File' ? 'write' : 'edit',
          lines: [],
        });
    } else if (!line.startsWith('*** ')) changes.at(-1)?.lines.push(line);
  }
  return changes;
}

/** What stands between `diff --git` and the first hunk. */
type Section = {
  readonly path: string | undefined;
  readonly lines: string[];
  from?: string;
  to?: string;
  copies?: true;
  created?: true;
  deleted?: true;
  mode?: string;
  /** Whether file names of its own followed. */
  named?: true;
};

function unifiedChanges(lines: readonly string[]): FileChange[] {
  const changes: FileChange[] = [];
  let section: Section | undefined;
  let old: string | undefined;
  // Lines of the hunk that are still to come: a header among them may be content, and is read as both.
  let left = 0;
  let beside: FileChange | undefined;
  const end = () => {
    if (section !== undefined) changes.push(...withoutNames(section));
    section = undefined;
  };
  for (const line of lines) {
    if (line.startsWith('diff --git ')) {
      end();
      section = { path: sameName(line.slice('diff --git '.length)), lines: [] };
      old = beside = undefined;
      left = 0;
    } else if (/^--- \S/.test(line)) {
      old = line.slice(4);
      changes.at(-1)?.lines.push(line);
      left -= 1;
    } else if (/^\+\+\+ \S/.test(line) && old !== undefined) {
      if (section !== undefined) section.named = true;
      const [before, after] = stripped(old, line.slice(4));
      const mode = section?.mode === undefined ? {} : { mode: section.mode };
      beside = left > 0 ? changes.at(-1) : undefined;
      if (after === '/dev/null') changes.push({ path: before, verb: 'delete', lines: [] });
      else changes.push({ path: after, verb: before === '/dev/null' ? 'write' : 'edit', lines: [], ...mode });
      old = undefined;
    } else if (line.startsWith('@@')) {
      const counts = /^@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@/.exec(line);
      left = counts === null ? 0 : Number(counts[1] ?? 1) + Number(counts[2] ?? 1);
      changes.at(-1)?.lines.push(line);
    } else if (section !== undefined && section.named === undefined) header(section, line);
    else if (/^[-+ ]/.test(line)) {
      changes.at(-1)?.lines.push(line);
      if (left > 0) beside?.lines.push(line);
      left -= line.startsWith(' ') ? 2 : 1;
    }
  }
  end();
  return changes;
}

const SAYS =
  /^(?:(rename|copy) (from|to) (.+)|(new|deleted) file mode (\d{6})|new mode (\d{6})|index [0-9a-f]+\.\.[0-9a-f]+ (\d{6}))$/;

function header(section: Section, line: string): void {
  section.lines.push(line);
  const said = SAYS.exec(line);
  if (said === null) return;
  if (said[2] === 'from') section.from = unquoted(said[3] as string);
  if (said[2] === 'to') section.to = unquoted(said[3] as string);
  if (said[1] === 'copy') section.copies = true;
  if (said[4] === 'new') section.created = true;
  if (said[4] === 'deleted') section.deleted = true;
  const mode = said[5] ?? said[6] ?? said[7];
  if (mode !== undefined) section.mode = mode;
}

/** What a section does beside its hunks, or without any. */
function withoutNames(section: Section): FileChange[] {
  const { from, to, lines, named, mode } = section;
  const changes: FileChange[] = [];
  if (from !== undefined && to !== undefined) {
    changes.push({ path: from, verb: section.copies ? 'copy' : 'move', lines: [] });
    if (named === undefined) changes.push({ path: to, verb: 'write', lines });
  }
  const path = to ?? section.path;
  if (path === undefined || named !== undefined || from !== undefined) return changes;
  if (section.deleted) return [{ path, verb: 'delete', lines }];
  const data = lines.some((line) => /^(?:GIT binary patch|Binary files )/.test(line));
  const verb = section.created ? 'write' : data ? 'edit' : 'mode';
  return [{ path, verb, lines, ...(mode !== undefined && { mode }) }];
}

/** `a/NAME b/NAME`: where nothing else names the file, both are one name. */
function sameName(text: string): string | undefined {
  if (text.startsWith('"')) {
    const end = /^"(?:[^"\\]|\\.)*"/.exec(text)?.[0].length;
    return end === undefined ? undefined : stripped(text.slice(0, end), text.slice(end).trim())[1];
  }
  const middle = (text.length - 1) / 2;
  if (Number.isInteger(middle) && text[middle] === ' ')
    return stripped(text.slice(0, middle), text.slice(middle + 1))[1];
  const at = text.lastIndexOf(' b/');
  return at < 0 ? undefined : text.slice(at + 3);
}

/** Pairs that git puts in front: by default, and where it says what it compares (`diff.mnemonicPrefix`). */
const PREFIXES = new Set(['a b', 'b a', 'i w', 'c i', 'c w', 'o w', 'w i', 'i c', 'w c', 'w o', '1 2']);

/** Both names without what git puts in front, and without the time some tools append. */
function stripped(old: string, given: string): [string, string] {
  const [before, after] = [nameOf(old), nameOf(given)];
  const [left, right] = [/^(\w)\//.exec(before)?.[1], /^(\w)\//.exec(after)?.[1]];
  const nothing = before === '/dev/null' || after === '/dev/null';
  const known = nothing ? /^[abiwco12]$/.test(left ?? right ?? '') : PREFIXES.has(`${left} ${right}`);
  const bare = (name: string, prefix: string | undefined) =>
    prefix !== undefined && (known || /^[ab]$/.test(prefix)) ? name.slice(2) : name;
  return [bare(before, left), bare(after, right)];
}

function nameOf(text: string): string {
  return unquoted((text.split('\t')[0] as string).trim());
}

const ESCAPES: { readonly [letter: string]: string } = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Git writes names as C does: `".git/hooks/pre\055commit"`. */
function unquoted(name: string): string {
  if (!/^".*"$/.test(name)) return name;
  const bytes: number[] = [];
  const utf8 = new TextEncoder();
  for (const match of name.slice(1, -1).matchAll(/\\([0-7]{1,3})|\\(.)|([^\\]+)/gu)) {
    if (match[1] !== undefined) bytes.push(Number.parseInt(match[1], 8) & 0xff);
    else bytes.push(...utf8.encode(match[2] === undefined ? match[3] : (ESCAPES[match[2]] ?? match[2])));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
