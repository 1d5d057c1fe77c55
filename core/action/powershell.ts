// PowerShell lines as far as they are plain: cmdlets that look, and cmdlets that remove, with words, strings and options.
// Anything with an expression in it (a script block that calls, a member, a substitution) is not read: undefined.

import { type Draft, type DraftTarget, fileTarget } from './draft.ts';
import type { Where } from './paths.ts';

const words = (text: string) => new Set(text.split(' '));
/** Work on what comes to them. */
const SHAPES = words(
  'select-object select where-object where sort-object sort group-object group measure-object measure format-table format-list format-wide ft fl fw out-string out-host out-null convertto-json convertfrom-json convertto-csv convertfrom-csv convertto-html compare-object tee-host get-unique get-member gm',
);
const READS = words(
  'get-childitem gci ls dir get-content gc cat type get-item gi get-itemproperty gp test-path resolve-path get-filehash select-string sls get-acl',
);
/** Say something about the machine, and take no path. */
const LOOKS = words(
  'get-location gl pwd get-date get-process gps ps get-service gsv get-command gcm get-help get-module get-host get-history get-variable get-alias get-psdrive get-volume get-disk get-netipaddress get-nettcpconnection get-computerinfo get-hotfix get-package get-eventlog get-winevent get-ciminstance get-wmiobject get-scheduledtask get-localuser get-localgroup get-culture get-random get-uptime get-timezone test-connection test-netconnection split-path join-path write-output write-host echo clear-host $psversiontable',
);
const REMOVES = words('remove-item ri rm del erase rd rmdir');
/** Options that take a value which is no path. */
const VALUES = words(
  '-filter -include -exclude -depth -property -first -last -skip -name -pattern -encoding -totalcount -tail -format -algorithm -erroraction -ea -computername -logname -maxevents -count -id -classname -query -context -autosize',
);
const PATHS = words('-path -literalpath -lp -pspath');
const MAX_SEGMENTS = 64;

/** Undefined when the text is not plain, or holds a cmdlet that is none of these. */
export function readPowershell(text: string, where: Where): Draft[] | undefined {
  const segments = segmentsOf(text);
  if (segments === undefined || segments.length === 0 || segments.length > MAX_SEGMENTS) return undefined;
  const drafts: Draft[] = [];
  for (const segment of segments) {
    const draft = readSegment(segment, where);
    if (draft === undefined) return undefined;
    drafts.push(draft);
  }
  return drafts;
}

function readSegment(segment: readonly string[], where: Where): Draft | undefined {
  const name = (segment[0] as string).toLowerCase();
  const base = { tool: name.slice(0, 64), targets: [], flags: ['windows'], scope: 'machine' as const };
  if (SHAPES.has(name)) return { ...base, operation: 'shape', effect: 'none' };
  if (LOOKS.has(name)) return { ...base, operation: 'look', effect: 'read', metadata: true };
  const reads = READS.has(name);
  if (!reads && !REMOVES.has(name)) return undefined;
  const { paths, options } = argumentsOf(segment);
  if (paths.some((path) => /^env:/i.test(path)))
    return reads
      ? { ...base, operation: 'environment', effect: 'read', flags: ['windows', 'environment_dump'] }
      : undefined;
  const targets = (paths.length > 0 ? paths : ['.']).map((path) => place(path, where));
  const listing = /^(?:get-childitem|gci|ls|dir|test-path|resolve-path|get-item|gi|get-acl)$/.test(name);
  if (reads)
    return {
      tool: base.tool,
      operation: 'read',
      effect: 'read',
      targets,
      flags: ['windows'],
      residue: [],
      ...(listing && { metadata: true }),
    };
  if (paths.length === 0 || options.has('-whatif'))
    return { ...base, operation: 'delete', effect: options.has('-whatif') ? 'read' : 'none' };
  const recursive =
    [...options].some((option) => /^-r(?:ecurse)?$/.test(option) || '-recurse'.startsWith(option)) ||
    /^\/s$/i.test(segment[1] ?? '');
  return {
    tool: 'rm',
    operation: 'delete',
    effect: recursive || targets.some((target) => target.glob) ? 'delete_many' : 'delete',
    targets,
    flags: ['windows', ...(recursive ? ['recursive'] : []), ...(options.has('-force') ? ['force'] : [])],
  };
}

function place(path: string, where: Where): DraftTarget {
  const plain = path
    .replace(/^\$(?:env:userprofile|home|env:home)(?=$|[\\/])/i, '~')
    .replace(/^\$(?:env:systemroot|env:windir)(?=$|[\\/])/i, 'C:/Windows')
    .replace(/^\$env:systemdrive(?=$|[\\/])/i, 'C:/')
    .replaceAll('\\', '/');
  const text = /^[A-Za-z]:$/.test(plain) ? `${plain}/` : plain;
  return fileTarget({ text, known: !text.includes('$'), glob: /[*?]/.test(text) }, where.cwd, where);
}

function argumentsOf(segment: readonly string[]): { paths: string[]; options: Set<string> } {
  const paths: string[] = [];
  const options = new Set<string>();
  for (let at = 1; at < segment.length; at += 1) {
    const word = segment[at] as string;
    const lower = word.toLowerCase();
    if (!/^-[a-z]/.test(lower)) {
      if (!/^\/[a-z]$/.test(lower)) paths.push(...word.split(','));
    } else if (PATHS.has(lower)) {
      at += 1;
      if (segment[at] !== undefined) paths.push(...(segment[at] as string).split(','));
    } else {
      options.add(lower);
      if (VALUES.has(lower)) at += 1;
    }
  }
  return { paths: paths.filter((path) => path !== ''), options };
}

/** Words of each command; undefined where an expression begins. */
function segmentsOf(text: string): string[][] | undefined {
  const out: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endSegment = () => {
    endWord();
    if (words.length > 0) out.push(words);
    words = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === "'" || character === '"') {
      const end = text.indexOf(character, at + 1);
      if (end < 0) return undefined;
      const inner = text.slice(at + 1, end);
      if (character === '"' && /\$\(|`/.test(inner)) return undefined;
      word = (word ?? '') + inner;
      at = end;
    } else if (/\s/.test(character) && character !== '\n') endWord();
    else if (character === ';' || character === '|' || character === '\n') endSegment();
    else if (/[(){}&`<>@]/.test(character) || (character === '[' && word === undefined)) return undefined;
    else word = (word ?? '') + character;
  }
  endSegment();
  return out;
}
