// Translates the patterns of a rule file from RE2's syntax to JavaScript's, and bounds them: RE2 is linear by itself,
// JavaScript is only where nothing repeats without end, and no repeat stands in another.

/** Flags in the middle hold to the end of their group, in each alternative by itself. */
export function jsPattern(pattern: string): string {
  let out = '';
  /** What each open group was opened with, and the flags to be closed at its end. */
  const groups: { flags: string | undefined }[] = [{ flags: undefined }];
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at);
    const top = groups.at(-1) as { flags: string | undefined };
    const set = /^\[(?:\^)?(?:\]|)(?:\[:[a-z]+:\]|\\[\s\S]|[^\]\\])*\]/.exec(rest);
    const flags = /^\(\?([a-z]+)\)/.exec(rest);
    const open = /^\((?:\?(?:P?<[A-Za-z_]\w*>|[a-z-]*:))?/.exec(rest);
    if (rest[0] === '\\') {
      out += escaped(rest.slice(0, 2));
      at += 2;
    } else if (rest[0] === '[' && set) {
      out += classOf(set[0]);
      at += set[0].length;
    } else if (flags) {
      if (!/^[is]+$/.test(flags[1] as string)) throw new Error(`flags ${flags[0]}`);
      if (top.flags !== undefined) out += ')';
      top.flags = flags[1];
      out += `(?${flags[1]}:`;
      at += flags[0].length;
    } else if (open) {
      out += open[0].replace('?P<', '?<').replace(/^\(\?<[^>]+>/, '(?:');
      groups.push({ flags: undefined });
      at += open[0].length;
    } else if (rest[0] === ')') {
      out += top.flags === undefined ? ')' : '))';
      groups.pop();
      at += 1;
    } else if (rest[0] === '|' && top.flags !== undefined) {
      out += `)|(?${top.flags}:`;
      at += 1;
    } else {
      out += rest[0];
      at += 1;
    }
  }
  if (groups[0]?.flags !== undefined) out += ')';
  new RegExp(out);
  return out;
}

function escaped(pair: string): string {
  if (pair === '\\z') return '$';
  if (pair === '\\A') return '^';
  if (/^\\[CpPQEXaKGRh]/.test(pair)) throw new Error(`${pair} is not translated`);
  return pair;
}

const POSIX: { readonly [name: string]: string } = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

function classOf(set: string): string {
  return set.replace(/\[:([a-z]+):\]/g, (_, name: string) => {
    const range = POSIX[name];
    if (range === undefined) throw new Error(`[:${name}:] is not translated`);
    return range;
  });
}

/** Above this a repeat counts as one without end. */
export const MAX_REPEAT = 2_000;

/** Repeats without end get one; a repeat without end inside another repeat is refused. */
export function boundPattern(pattern: string, name: string): string {
  let out = '';
  const opened: number[] = [];
  const lasting: boolean[] = [false];
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at);
    const token = /^(?:\\[\s\S]|\[(?:\^)?(?:\]|)(?:\\[\s\S]|[^\]\\])*\]|[\s\S])/.exec(rest)?.[0] as string;
    at += token.length;
    const repeat = /^(?:\*|\+|\{(\d+),\})/.exec(pattern.slice(at));
    if (token === '(') {
      opened.push(out.length);
      lasting.push(false);
    }
    let endless = false;
    if (token === ')') {
      endless = lasting.pop() as boolean;
      opened.pop();
      if (endless && lasting.length > 0) lasting[lasting.length - 1] = true;
      const again = /^(?:\*|\+|\{\d+,\}|\{\d*,?([2-9]|\d{2,})\})/.test(pattern.slice(at));
      if (endless && again) throw new Error(`${name}: a repeat without end inside another`);
    }
    out += token;
    // The blank of `\s*` and the like is a repeat, a star in a set is none.
    if (repeat && token !== '(' && token !== '|') {
      const least = repeat[0] === '*' ? 0 : repeat[0] === '+' ? 1 : Number(repeat[1]);
      out += `{${least},${Math.max(MAX_REPEAT, least)}}`;
      at += repeat[0].length;
      lasting[lasting.length - 1] = true;
    }
  }
  new RegExp(out);
  return out;
}
