// What a path in program text may be, as far as the text shows it: names are followed to where they are bound, once and to
// something that is shown. Everything else is not told.

export type Names = { readonly text: string; readonly bare: string; readonly python: boolean };
/** `pattern`: any file of that shape. `entry`: the name of something that lies in a folder, without the folder. */
type Value = { readonly path: string; readonly kind: 'path' | 'pattern' | 'entry' };

const MAX_DEPTH = 6;
const MAX_VALUES = 16;
const NAME = /^[A-Za-z_$][\w$]{0,60}$/;
/** A word that steps out of the folder it is put into is no plain part of a path. */
const OUT = /(?:^|\/)\.\.(?:\/|$)/;
const STRING = String.raw`(?:"[^"\\\n{}$]{0,300}"|'[^'\\\n{}$]{0,300}')`;
const ONE = new RegExp(`^r?(${STRING})$`);
const SEVERAL = new RegExp(
  String.raw`^[[(]\s{0,40}(${STRING}(?:\s{0,40},\s{0,40}${STRING}){0,15})\s{0,40},?\s{0,40}[\])]$`,
);
const ENTRY: Value = { path: '', kind: 'entry' };

/** Undefined when it cannot be told. */
export function valuesOf(expression: string, names: Names, depth = 0): readonly Value[] | undefined {
  const text = expression.trim();
  if (depth > MAX_DEPTH || text.length > 600) return undefined;
  const one = ONE.exec(text);
  if (one) return [{ path: (one[1] as string).slice(1, -1), kind: 'path' }];
  if (NAME.test(text)) return boundTo(text, names, depth + 1);
  const parts = names.python ? pythonParts(text) : scriptParts(text);
  return parts && joined(parts.map((part) => valuesOf(part, names, depth + 1)));
}

/** `Path("a", b)`, `os.path.join(a, "b")`, `a / "b"`, `Path(a)`, `str(a)`. */
function pythonParts(text: string): string[] | undefined {
  const call = /^(?:(?:pathlib\.)?Path|os\.path\.join|join|str)\(\s{0,8}([^()]{1,300}?)\s{0,8}\)$/.exec(text);
  if (call) return (call[1] as string).split(',');
  const divided = text.split(/\s{1,4}\/\s{1,4}/);
  return divided.length > 1 ? divided : undefined;
}

/** `path.join(a, "b")`, `"a/" + b`, a template of names. */
function scriptParts(text: string): string[] | undefined {
  const call = /^(?:path\.)?(?:join|resolve)\(\s{0,8}([^()]{1,300}?)\s{0,8}\)$/.exec(text);
  if (call) return (call[1] as string).split(',');
  const template = /^`([\w./-]{1,100}\/)\$\{(\w{1,60})\}`$/.exec(text);
  if (template) return [`"${template[1]}"`, template[2] as string];
  const added = /^(["'][\w./-]{1,100}\/["'])\s{0,4}\+\s{0,4}(\w{1,60})$/.exec(text);
  return added ? [added[1] as string, added[2] as string] : undefined;
}

/** One path of several parts; what lies in a folder is a pattern of it. */
function joined(parts: readonly (readonly Value[] | undefined)[]): readonly Value[] | undefined {
  let out: readonly Value[] | undefined;
  for (const values of parts) {
    if (values === undefined) return undefined;
    if (out === undefined) {
      out = values;
      continue;
    }
    const next: Value[] = [];
    for (const before of out) {
      for (const value of values) {
        if (before.kind === 'entry' || OUT.test(value.path) || value.path.startsWith('/')) return undefined;
        const entry = value.kind === 'entry';
        next.push({
          path: `${before.path.replace(/\/$/, '')}/${entry ? '*' : value.path}`,
          kind: entry || before.kind === 'pattern' || value.kind === 'pattern' ? 'pattern' : 'path',
        });
      }
    }
    if (next.length > MAX_VALUES) return undefined;
    out = next;
  }
  return out;
}

/** What a name stands for; bound twice, it may be either. */
function boundTo(name: string, names: Names, depth: number): readonly Value[] | undefined {
  const word = name.replace(/\$/g, '\\$');
  const bindings = new RegExp(
    String.raw`(?<![\w$.])${word}\s{0,4}(?::\s{0,4}\w{1,30}\s{0,4})?=(?![=>])|(?<![\w$.])${word}\s{0,4}(?::=|[-+*/%|&^]=)|\bas\s{1,4}${word}\b|\b(?:for|const|let|var)\s[^=\n:]{0,80}?(?<![\w$.])${word}\b(?=[^=\n:]{0,80}\b(?:in|of)\b)|\b(?:global|nonlocal)\b[^\n]{0,80}\b${word}\b|\b(?:def|function)\s{1,4}\w{1,60}\s{0,4}\([^)]{0,200}(?<![\w$.])${word}\b|\blambda\b[^:\n]{0,60}\b${word}\b`,
    'g',
  );
  if ([...names.bare.matchAll(bindings)].length !== 1) return undefined;
  const assigned = new RegExp(
    String.raw`(?:^|[\n;])[^\S\n]{0,40}(?:(?:const|let|var)\s{1,4})?${word}\s{0,4}(?::\s{0,4}\w{1,30}\s{0,4})?=\s{0,4}([^\n;]{1,400}|[[(][^\])]{1,2000}[\])])[^\S\n]{0,8}(?=[\n;]|$)`,
  ).exec(names.text);
  if (assigned) {
    const value = (assigned[1] as string).trim();
    return valuesOf(value, names, depth) ?? listed(value, names, depth);
  }
  const walked =
    /\bfor\s{1,4}(\w{1,60})\s{0,4},\s{0,4}\w{1,60}\s{0,4},\s{0,4}(\w{1,60})\s{1,4}in\s{1,4}os\.walk\(\s{0,4}([^()\n]{1,200})\)\s{0,4}:/.exec(
      names.text,
    );
  if (walked && walked[2] === name) return [ENTRY];
  if (walked && walked[1] === name)
    return valuesOf(walked[3] as string, names, depth)?.map(({ path }) => ({ path: `${path}/**`, kind: 'pattern' }));
  const looped = new RegExp(
    String.raw`\bfor\s{0,4}\(?\s{0,4}(?:const\s|let\s|var\s)?\s{0,4}${word}\s{1,4}(?:in|of)\s{1,4}([^\n]{1,600})`,
  ).exec(names.text);
  if (looped) {
    const source = (looped[1] as string)
      .trim()
      .replace(names.python ? /\s{0,4}:(?:[^:]*)$/ : /\)\s{0,4}(?:\{[^\n]*)?$/, '');
    return listed(source, names, depth);
  }
  return argumentsFor(name, names, depth);
}

/** The members of a list that is shown, or of a folder. */
function listed(source: string, names: Names, depth: number): readonly Value[] | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const text = source.trim();
  if (NAME.test(text)) return boundTo(text, names, depth + 1);
  const several = SEVERAL.exec(text);
  if (several)
    return [...(several[1] as string).matchAll(new RegExp(STRING, 'g'))].map(([item]) => ({
      path: item.slice(1, -1),
      kind: 'path',
    }));
  if (!names.python) {
    return /^(?:await\s{1,4})?(?:fs\.|fsp\.|fs\.promises\.)?readdir(?:Sync)?\([^()\n]{1,200}\)(?:\.filter\([^\n]{1,200}\))?$/.test(
      text,
    )
      ? [ENTRY]
      : undefined;
  }
  const wrapped = /^(?:sorted|list|set|reversed)\((.{1,400})\)$/.exec(text);
  if (wrapped) return listed(wrapped[1] as string, names, depth + 1);
  if (/^os\.listdir\([^()\n]{0,200}\)$/.test(text)) return [ENTRY];
  const globbed = /^(?:glob\.)?i?glob\(\s{0,4}(["'][^"'\\\n]{1,300}["'])\s{0,4}(?:,[^()\n]{0,60})?\)$/.exec(text);
  if (globbed) return valuesOf(globbed[1] as string, names, depth)?.map(({ path }) => ({ path, kind: 'pattern' }));
  const below = /^(.{1,200})\.(r?)glob\(\s{0,4}["']([^"'\\\n]{1,200})["']\s{0,4}\)$/.exec(text);
  if (!below || OUT.test(below[3] as string)) return undefined;
  const deep = below[2] === '' ? '' : '**/';
  return valuesOf(below[1] as string, names, depth + 1)?.map(({ path }) => ({
    path: `${path.replace(/\/$/, '')}/${deep}${below[3]}`,
    kind: 'pattern',
  }));
}

/** What the first argument of an own function is, over all its calls. */
function argumentsFor(name: string, { text, bare, python }: Names, depth: number): readonly Value[] | undefined {
  const defined = new RegExp(
    String.raw`\b(?:def|function)\s{1,4}(\w{1,60})\s{0,4}\(\s{0,4}${name.replace(/\$/g, '\\$')}\s{0,4}(?::\s{0,4}\w{1,30}\s{0,4})?[,)]`,
  ).exec(bare);
  if (!defined) return undefined;
  const own = defined[1] as string;
  const calls = [
    ...text.matchAll(
      new RegExp(String.raw`(?<!\b(?:def|function)\s{1,4})(?<![\w$.])${own}\s{0,4}\(\s{0,8}([^,()\n]{1,300})[,)]`, 'g'),
    ),
  ];
  // Named without being called, it may be given anything.
  const all = [...bare.matchAll(new RegExp(String.raw`(?<![\w$.])${own}\b`, 'g'))].length;
  if (calls.length === 0 || calls.length + 1 !== all) return undefined;
  const out: Value[] = [];
  for (const [, argument] of calls) {
    const values = valuesOf(argument as string, { text, bare, python }, depth + 1);
    if (values === undefined || out.length + values.length > MAX_VALUES) return undefined;
    out.push(...values);
  }
  return out;
}
