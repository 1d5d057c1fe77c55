// Paths that program text puts together (`os.homedir() + '/x'`, `join(home, '.ssh', 'id_rsa')`, `Path.home() / 'x'`, `"#{Dir.home}/x"`),
// folded into one string each, so that what is reached can be looked up. Only adds to what the text shows; linear and bounded.

const MAX_TEXT = 32 * 1024;
const MAX_ROUNDS = 6;
const MAX_NAMES = 4;

/** The home folder, in the ways the languages name it. */
const HOME = String.raw`(?:\$ENV\{['"]?(?:HOME|USERPROFILE)['"]?\}|ENV(?:\.fetch)?[[(]['"](?:HOME|USERPROFILE)['"][\])]|Dir\.home(?:\(\))?|(?:os\.)?environ\[['"](?:HOME|USERPROFILE)['"]\]|(?:os\.)?environ\.get\(['"](?:HOME|USERPROFILE)['"]\)|(?:os\.)?getenv\(['"](?:HOME|USERPROFILE)['"]\)|(?:os\.path\.)?expanduser\(['"]~\/?['"]\)|(?:pathlib\.)?Path\(['"]~\/?['"]\)\.expanduser\(\)|(?:pathlib\.)?Path\.home\(\)|process\.env\.(?:HOME|USERPROFILE)|process\.env\[['"](?:HOME|USERPROFILE)['"]\]|(?:\bos|require\(['"](?:node:)?os['"]\))\.homedir\(\)|\bhomedir\(\)|\$_(?:SERVER|ENV)\[['"]HOME['"]\])`;
const INSIDE = new RegExp(String.raw`[$#]?\{\s{0,4}${HOME}\s{0,4}\}|\$ENV\{HOME\}(?=/)`, 'g');
const NAMED = new RegExp(String.raw`([A-Za-z_]\w{0,30})\s{0,4}(?::=|=)\s{0,4}${HOME}\s{0,4}(?=[;,\n]|$)`, 'g');
const ALONE = new RegExp(HOME, 'g');
const STRING = String.raw`(?:[fr]?"([^"\\\n]{0,300})"|[fr]?'([^'\\\n]{0,300})'|${'`'}([^${'`'}\\\n]{0,300})${'`'})`;
const ADDED = new RegExp(String.raw`${STRING}\s{0,4}[+.]\s{0,4}${STRING}`, 'g');
const DIVIDED = new RegExp(String.raw`${STRING}\s{0,4}\/\s{0,4}${STRING}`, 'g');
const JOINED = new RegExp(
  String.raw`(?<!["'\s])\.?\b(?:join|resolve|Path)\s{0,4}\(\s{0,4}${STRING}((?:\s{0,4},\s{0,4}(?:"[^"\\\n]{0,300}"|'[^'\\\n]{0,300}')){0,8})\s{0,4}\)`,
  'g',
);
const BELOW = new RegExp(
  String.raw`${STRING}\.joinpath\(((?:\s{0,4},?\s{0,4}(?:"[^"\\\n]{0,300}"|'[^'\\\n]{0,300}')){1,8})\s{0,4}\)`,
  'g',
);

export function folded(text: string): string {
  if (text.length > MAX_TEXT) return text;
  const names = [...new Set([...text.matchAll(NAMED)].map((match) => match[1] as string))].slice(0, MAX_NAMES);
  let out = text.replace(INSIDE, '~');
  for (const name of names) {
    out = out
      .replace(new RegExp(String.raw`[$#]?\{\s{0,4}${name}\s{0,4}\}|\$${name}\b(?=/)`, 'g'), '~')
      .replace(
        new RegExp(
          String.raw`(?<![\w.$'"])\$?${name}\b(?=\s{0,4}(?:[+.]\s{0,4}["'\`]|[/,]\s{0,4}["']|\.joinpath))`,
          'g',
        ),
        '"~"',
      );
  }
  out = out.replace(ALONE, '"~"');
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const before = out;
    out = out
      .replace(JOINED, (_all, a, b, c, more) => quoted([a ?? b ?? c ?? '', ...strings(more)].join('/')))
      .replace(BELOW, (_all, a, b, c, more) => quoted([a ?? b ?? c ?? '', ...strings(more)].join('/')))
      .replace(DIVIDED, (_all, a, b, c, d, e, f) => quoted(`${a ?? b ?? c ?? ''}/${d ?? e ?? f ?? ''}`))
      .replace(ADDED, (_all, a, b, c, d, e, f) => quoted(`${a ?? b ?? c ?? ''}${d ?? e ?? f ?? ''}`));
    if (out === before) break;
  }
  return out;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', "'").replace(/^~\/{2,}/, '~/')}"`;
}

function strings(list: string): string[] {
  return [...list.matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2] ?? '');
}
