// Which files program text writes to, by the names it gives them: a string, a name bound once, a loop over what lies in a folder it
// shows, the argument of a function of its own. Told only when every writing call is; a path put together otherwise is not.

import { bareText } from './code-strings.ts';
import { type Names, valuesOf } from './code-values.ts';

const MAX_TEXT = 32 * 1024;
const MAX_CALLS = 32;
const MAX_PLACES = 16;

export type Written = {
  readonly places: readonly { readonly path: string; readonly glob: boolean }[];
  /** One of them is begun anew, rather than added to or read and put back changed. */
  readonly anew: boolean;
  /** The text without these calls. */
  readonly rest: string;
};

const EXPRESSION = String.raw`(?:[^()\n,]|\([^()\n]{0,200}\)){1,300}?`;
const MODE = String.raw`,\s{0,8}(?:mode\s{0,4}=\s{0,4})?["'][rbt]{0,2}[wax+][rbt+]{0,3}["'][^()\n]{0,100}\)`;
const RECEIVER = String.raw`((?<![\w.])(?:pathlib\.)?Path\([^()\n]{1,300}\)|(?<![\w.)\]"'])[A-Za-z_]\w{0,60})`;
const PYTHON_WRITES = [
  new RegExp(String.raw`(?<![\w.])(?:io\.)?open\s{0,4}\(\s{0,8}(${EXPRESSION})${MODE}`, 'g'),
  new RegExp(String.raw`${RECEIVER}\.(?:write_text|write_bytes)\s{0,4}\(\s{0,8}`, 'g'),
  new RegExp(String.raw`${RECEIVER}\.open\s{0,4}\((?=\s{0,8})${MODE.replace(',', '')}`, 'g'),
  // What a library tabulates or draws.
  /\.(?:to_csv|to_json|to_excel|to_parquet|savefig|save)\s{0,4}\(\s{0,8}(["'][^"'\\\n]{1,300}\.(?:csv|tsv|jsonl?|parquet|xlsx|png|jpe?g|gif|webp|svg|pdf|npy|npz)["'])/g,
];
const SCRIPT_WRITES = [
  new RegExp(
    String.raw`(?:(?<![\w.$])(?:fs|fsp)\.(?:promises\.)?|\brequire\(["'](?:node:)?fs(?:/promises)?["']\)\.|(?<![\w.$]))(?:writeFileSync|writeFile)\s{0,4}\(\s{0,8}(${EXPRESSION}),\s{0,8}`,
    'g',
  ),
  /\.toFile\s{0,4}\(\s{0,8}(["'][^"'\\\n]{1,300}\.(?:png|jpe?g|gif|webp|avif|svg|pdf)["'])/g,
];
const CALLED =
  /\b(?:open|write_text|write_bytes|to_csv|to_json|to_excel|to_parquet|savefig|save|writeFileSync|writeFile|toFile)\s{0,4}\(/g;

/** Undefined when one place at least cannot be told, or nothing is written. */
export function writtenPlaces(language: string, text: string): Written | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const bare = bareText(language, text);
  // One in a string or a comment is none, and may hide what is.
  if (bare === undefined || [...text.matchAll(CALLED)].length !== [...bare.matchAll(CALLED)].length) return undefined;
  const python = /^(?:python|pypy)$/.test(language);
  const names: Names = { text, bare, python };
  const places = new Map<string, boolean>();
  let anew = false;
  let rest = text;
  let found = 0;
  for (const pattern of python ? PYTHON_WRITES : SCRIPT_WRITES) {
    for (const match of text.matchAll(pattern)) {
      found += 1;
      const place = (match[1] as string).trim();
      const values = found > MAX_CALLS ? undefined : valuesOf(place, names);
      if (values === undefined) return undefined;
      for (const value of values) {
        if (value.kind === 'entry' || (value.kind === 'pattern' && everything(value.path, text))) return undefined;
        places.set(value.path, value.kind === 'pattern');
      }
      const next = text.slice(match.index + match[0].length);
      const adds = /["'][bt]?a[bt+]{0,2}["'][^"']{0,100}\)$/.test(match[0]);
      const back = readsBack(place, text) && !/^(?:\.write\s{0,4}\(\s{0,8})?["']/.test(next);
      if (!adds && !back) anew = true;
    }
    rest = rest.replace(pattern, (call) =>
      call.endsWith(')') ? 'print("")' : call.startsWith('.') ? '.count(""' : 'print(',
    );
  }
  if (found === 0 || places.size > MAX_PLACES) return undefined;
  return { places: [...places].map(([path, glob]) => ({ path, glob })), anew, rest: withoutHandles(rest) };
}

/** Any file at all, below a folder that holds more than one thing: nobody edits a whole workspace or home. */
function everything(pattern: string, text: string): boolean {
  return (
    /^(?:\.{0,2}\/|~|\*)(?:.*\/)?\*{1,2}$|^\*{1,2}$/.test(pattern) &&
    !/\bendswith\b|\.suffix\b|\bsplitext\b|\bendsWith\b|\bextname\b/.test(text)
  );
}

/** What is put into the files that were opened. */
function withoutHandles(text: string): string {
  const names = [
    ...text.matchAll(/\bprint\(""\)\s{1,4}as\s{1,4}(\w{1,60})|(?<![\w.])(\w{1,60})\s{0,4}=\s{0,4}print\(""\)/g),
  ]
    .map((match) => match[1] ?? match[2])
    .slice(0, MAX_PLACES);
  const handles = ['print\\(""\\)', ...names].join('|');
  return text.replace(new RegExp(String.raw`(?<![\w.])(${handles})\.(?:write|writelines)\s{0,4}\(`, 'g'), '$1.count(');
}

/** The same place is read, so that what is written may be what was there, changed. */
function readsBack(place: string, text: string): boolean {
  const same = place.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(
    String.raw`(?<![\w.])open\s{0,4}\(\s{0,8}${same}\s{0,8}(?:\)|,\s{0,8}(?:["']rb?["']|encoding|errors|newline))|(?<![\w.])${same}\.read_(?:text|bytes)\(|\breadFile(?:Sync)?\s{0,4}\(\s{0,8}${same}\s{0,8}[,)]`,
  ).test(text);
}
