// Text a person does not see: invisible characters, markup that hides, terminal codes that hide, encodings.
// Gives each hidden piece as a view (what it says, where it stands). Linear; the number and size of views is bounded.

/** A piece of the text as an agent would read it. `start` and `end` are its place in the original. */
export type View = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly hiddenBy: 'unicode' | 'markup' | 'terminal' | 'encoding';
  /** Nobody writes this by accident: hiding is a finding whatever is said. */
  readonly telling: boolean;
  /** The text as a whole, read another way. */
  readonly whole?: true;
};

export const MAX_VIEWS = 64;
const MAX_VIEW = 8_192;

const CANDIDATE = /\p{Default_Ignorable_Code_Point}/u;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}+/gu;
/** Scripts in which joiners and direction marks are spelling. */
const JOINED =
  /[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\ufb1d-\ufdff\ufe70-\ufefc]/;
const EMOJI = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[#*0-9]/u;

export function hiddenUnicode(text: string): View[] {
  if (!CANDIDATE.test(text)) return [];
  const views: View[] = [];
  const scattered: { start: number; end: number }[] = [];
  for (const { 0: run, index } of text.matchAll(INVISIBLE)) {
    if (views.length >= MAX_VIEWS) break;
    const end = index + run.length;
    const said = spelled(run);
    if (isFlag(text, index, run)) continue;
    if (said !== '') {
      views.push({ text: said, start: index, end, hiddenBy: 'unicode', telling: true });
      continue;
    }
    if (ordinary(text, index, end, run)) continue;
    // A direction that is forced shows another order than the one that is read.
    if (/[\u202a-\u202e\u2066-\u2069]/.test(run) && !JOINED.test(text.slice(Math.max(0, index - 40), end + 40))) {
      views.push({ text: '', start: index, end, hiddenBy: 'unicode', telling: true });
      continue;
    }
    // Bits spelled in characters of no width.
    if ([...run].length >= 8) views.push({ text: '', start: index, end, hiddenBy: 'unicode', telling: true });
    else if (/\w/.test(text[index - 1] ?? '') && /\w/.test(text[end] ?? '')) scattered.push({ start: index, end });
  }
  // Letters kept apart so that no search finds the word.
  const first = scattered[0];
  if (first && scattered.length >= 3) {
    const last = scattered.at(-1) as { end: number };
    const said = text.slice(first.start, last.end).slice(0, MAX_VIEW).replace(INVISIBLE, '');
    views.push({ text: said, start: first.start, end: last.end, hiddenBy: 'unicode', telling: true });
  }
  return views;
}

/** The text without what has no width, and with letters of other alphabets that look Latin as Latin ones. */
export function plainText(text: string): string {
  const visible = CANDIDATE.test(text) ? text.replace(INVISIBLE, '') : text;
  return isPlain(visible) ? visible : foldLookalikes(visible.normalize('NFKC'));
}

function isPlain(text: string): boolean {
  return !/\P{ASCII}/u.test(text);
}

const LOOKS =
  'аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwкkмmтtвbнhАAВBЕEКKМMНHОOРPСCТTХXУYІIЈJЅSαaεeιiοoρpνvυuκkΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXıiɡgɩiʀr';
const LOOKALIKES = new Map((LOOKS.match(/../gu) ?? []).map((pair) => [pair[0] as string, pair[1] as string]));

/** Only in words that mix alphabets: a Russian or Greek word stays what it is. */
function foldLookalikes(text: string): string {
  return text.replace(/[\p{L}\p{M}]{2,64}/gu, (word) =>
    /[A-Za-z]/.test(word) && /[\u0370-\u03ff\u0400-\u052f\u0131\u0261\u0269\u0280]/.test(word)
      ? word.replace(/./gu, (letter) => LOOKALIKES.get(letter) ?? letter)
      : word,
  );
}

/** What tag characters and runs of variation selectors spell; '' when they spell nothing. */
function spelled(run: string): string {
  let tags = '';
  const bytes: number[] = [];
  for (const character of run) {
    const code = character.codePointAt(0) as number;
    if (code >= 0xe0020 && code <= 0xe007e) tags += String.fromCharCode(code - 0xe0000);
    else if (code >= 0xe0100 && code <= 0xe01ef) bytes.push(code - 0xe0100 + 16);
    else if (code >= 0xfe00 && code <= 0xfe0f) bytes.push(code - 0xfe00);
  }
  if (tags.length >= 2) return tags.slice(0, MAX_VIEW);
  return bytes.length >= 3 ? Buffer.from(bytes).toString('utf8').slice(0, MAX_VIEW) || ' ' : '';
}

/** A black flag with letters behind it is the flag of a region. */
function isFlag(text: string, index: number, run: string): boolean {
  return text.slice(index - 2, index) === '\u{1f3f4}' && run.length <= 14 && run.endsWith('\u{e007f}');
}

/** A byte order mark, what joins an emoji or gives it its colour, marks in scripts that need them, a soft hyphen. */
function ordinary(text: string, start: number, end: number, run: string): boolean {
  if (start === 0 && run === '\ufeff') return true;
  if (/^\u00ad$/.test(run)) return true;
  const before = [...text.slice(Math.max(0, start - 2), start)].at(-1) ?? '';
  const after = String.fromCodePoint(text.codePointAt(end) ?? 32);
  if (/^[\ufe0e\ufe0f\u200d]{1,2}$/.test(run) && (EMOJI.test(before) || EMOJI.test(after))) return true;
  if (/^[\ufe00-\ufe0f]$/.test(run) || /^[\u{e0100}-\u{e01ef}]$/u.test(run)) return true;
  return (
    /^(?:[\u200c-\u200f\u061c\u202a-\u202c\u2066-\u2069]|\p{Script=Mongolian}|[\u180b-\u180e]){1,2}$/u.test(run) &&
    (JOINED.test(before) || JOINED.test(after))
  );
}

/** Comments, and elements whose style keeps them from being seen. */
export function hiddenMarkup(text: string): View[] {
  const views: View[] = [];
  const add = (start: number, end: number, said: string) => {
    if (views.length < MAX_VIEWS && said.trim() !== '')
      views.push({ text: said.slice(0, MAX_VIEW), start, end, hiddenBy: 'markup', telling: false });
  };
  for (let at = text.indexOf('<!--'); at >= 0 && views.length < MAX_VIEWS; at = text.indexOf('<!--', at + 4)) {
    const close = text.indexOf('-->', at + 4);
    const end = close < 0 ? text.length : close;
    add(at, close < 0 ? end : end + 3, text.slice(at + 4, end));
    if (close < 0) break;
    at = end;
  }
  // `[//]: # (…)`, a comment of Markdown.
  for (const match of text.matchAll(/^\[[^\]\n]{1,40}\]:[ \t]{1,4}(?:#|<>)[ \t]{1,4}(["'(][^\n]{1,2000})/gm))
    add(match.index, match.index + match[0].length, match[1] as string);
  const OPEN = /<([a-z][a-z0-9]{0,15})\b([^<>]{0,600})>/gi;
  for (const match of text.matchAll(OPEN)) {
    if (views.length >= MAX_VIEWS) break;
    const attributes = match[2] as string;
    for (const said of attributes.matchAll(
      /\b(?:alt|title|aria-label|data-[a-z-]{1,20}|content)\s{0,2}=\s{0,2}(?:"([^"]{12,600})"|'([^']{12,600})')/gi,
    ))
      add(match.index, match.index + match[0].length, (said[1] ?? said[2]) as string);
    if (!unseen(attributes)) continue;
    const start = match.index + match[0].length;
    const close = text.indexOf(`</${match[1]}`, start);
    const end = close < 0 ? Math.min(text.length, start + MAX_VIEW) : close;
    add(start, end, text.slice(start, end).replace(/<[^<>]{0,600}>/g, ' '));
  }
  return views;
}

function unseen(attributes: string): boolean {
  return (
    /display\s?:\s?none|visibility\s?:\s?hidden|font-size\s?:\s?0|opacity\s?:\s?0(?:\.0\d?)?(?:\s|;|"|'|$)|(?:text-indent|left|top)\s?:\s?-\d{3,}|(?:height|width)\s?:\s?[01](?:px)?\s?;|clip\s?:\s?rect\(0|mso-hide/i.test(
      attributes,
    ) ||
    /(?:^|[\s"';])color\s?:\s?(?:#fff(?:fff)?\b|white\b|transparent\b|rgba\([^)]*,\s?0\)|rgb\(\s?255\s?,\s?255\s?,\s?255\s?\))/i.test(
      attributes,
    ) ||
    /\bhidden\b|type\s?=\s?["']?hidden|aria-hidden\s?=\s?["']?true/i.test(attributes)
  );
}

const ESC = '\u001b';
const BELL = '\u0007';
/** Concealed text, and a write to the clipboard. Colours and cursor moves are what every program prints. */
const CONCEALED = new RegExp(
  `${ESC}\\[(?:[0-9;]{0,16};)?8m([^${ESC}]{1,2000})|${ESC}\\]52;[a-z]{0,4};([A-Za-z0-9+/=]{1,4000})`,
  'g',
);
const CODES = new RegExp(
  `${ESC}(?:\\[[0-9;?]{0,32}[A-Za-z]|\\][^${BELL}${ESC}]{0,500}(?:${BELL}|${ESC}\\\\)|[()][A-Z0-9])`,
  'g',
);

export function hiddenTerminal(text: string): View[] {
  if (!text.includes(ESC)) return [];
  const views: View[] = [];
  for (const match of text.matchAll(CONCEALED)) {
    if (views.length >= MAX_VIEWS) break;
    const said = match[1] ?? Buffer.from(match[2] as string, 'base64').toString('utf8');
    const end = match.index + match[0].length;
    views.push({ text: said, start: match.index, end, hiddenBy: 'terminal', telling: true });
  }
  return views;
}

/** Colours, cursor moves and titles taken out. */
export function withoutTerminalCodes(text: string): string {
  return text.includes(ESC) ? text.replace(CODES, '') : text;
}

/** A character without which there is none, the run, and what it says. */
const RUNS: readonly (readonly [string, RegExp, (run: string) => string])[] = [
  ['', /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,8192}={0,2}/g, (run) => Buffer.from(run, 'base64').toString('utf8')],
  [
    '',
    /(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}[ :]?){12,4096}/g,
    (run) => Buffer.from(run.replace(/[ :]/g, ''), 'hex').toString('utf8'),
  ],
  ['\\x', /(?:\\x[0-9A-Fa-f]{2}){6,2048}/g, (run) => Buffer.from(run.replaceAll('\\x', ''), 'hex').toString('latin1')],
  [
    '\n',
    /(?:[A-Za-z0-9+/]{60,80}\r?\n){1,100}[A-Za-z0-9+/]{1,80}={0,2}/g,
    (run) => Buffer.from(run, 'base64').toString('utf8'),
  ],
  [' ', /(?<![A-Za-z])(?:[A-Za-z](?:[ .·*_-]| {2,3})){10,400}[A-Za-z](?![A-Za-z])/g, joined],
  [
    '\\u',
    /(?:\\u[0-9A-Fa-f]{4}){4,2048}/g,
    (run) => run.replace(/\\u(.{4})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16))),
  ],
  [
    '%',
    /(?<![A-Za-z0-9.,'_-])(?:[A-Za-z0-9.,'_-]{0,40}%[0-9A-Fa-f]{2}){3,800}[A-Za-z0-9.,'_-]{0,40}/g,
    (run) => decoded(run),
  ],
  [
    '&#',
    /(?:&#(?:x[0-9A-Fa-f]{1,6}|\d{1,7});){4,2048}/g,
    (run) => run.replace(/&#(x?)([0-9A-Fa-f]+);/g, (_, hex, code) => entity(Number.parseInt(code, hex ? 16 : 10))),
  ],
];

function decoded(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return '';
  }
}

function entity(code: number): string {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
}

/** What base64, hex, escapes and rot13 decode to, where that is prose. */
export function decodings(text: string): View[] {
  const views: View[] = [];
  for (const [mark, pattern, decode] of RUNS) {
    if (mark !== '' && !text.includes(mark)) continue;
    for (const { 0: run, index } of text.matchAll(pattern)) {
      if (views.length >= MAX_VIEWS) break;
      const said = decode(run);
      if (said !== '' && said !== run && isProse(said))
        views.push({
          text: said.slice(0, MAX_VIEW),
          start: index,
          end: index + run.length,
          hiddenBy: 'encoding',
          telling: false,
        });
    }
  }
  // Only where the rotated letters of what one would say stand: `instruction`, `previous`, `ignore`, `the user`, `password`.
  // The same backwards, and in digits that look like letters.
  if (/snoitcurtsni|suoiverp|erongi|resu eht|tnatsissa/i.test(text))
    views.push(whole(text, [...text.slice(0, MAX_VIEW)].reverse().join('')));
  if (
    [...text.matchAll(LEET_WORD)].some(([word]) => /^(?:ignor|disregard|instruct|previous|assist)/i.test(unleet(word)))
  )
    views.push(whole(text, text.slice(0, MAX_VIEW).replace(LEET_WORD, unleet)));
  if (/vafgehpgvba|cerivbhf|vtaber|gur hfre|cnffjbeq|qvfertneq/i.test(text)) {
    const said = text.slice(0, MAX_VIEW).replace(/[A-Za-z]/g, (letter) => {
      const base = letter <= 'Z' ? 65 : 97;
      return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
    });
    views.push(whole(text, said));
  }
  return views;
}

function whole(text: string, said: string): View {
  return {
    text: said,
    start: 0,
    end: Math.min(text.length, MAX_VIEW),
    hiddenBy: 'encoding',
    telling: false,
    whole: true,
  };
}

const LEET_WORD = /(?<![A-Za-z0-9])(?=[A-Za-z]{0,23}[0-9@$!|])[A-Za-z0-9@$!|]{5,24}/g;
const LETTERS: { readonly [sign: string]: string } = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'i',
};

function unleet(word: string): string {
  return /[A-Za-z]/.test(word) ? word.replace(/[013457@$!|]/g, (sign) => LETTERS[sign] ?? sign) : word;
}

/** Letter by letter with single signs between, words two or three blanks apart. */
function joined(run: string): string {
  return run
    .replace(/ {2,3}/g, '\u0001')
    .replace(/[ .·*_-]/g, '')
    .replaceAll('\u0001', ' ');
}

/** Text within text, as JSON writes it; the same when nothing is escaped. */
export function unescaped(text: string): string {
  if (!/\\(?:[nrt"'/]|u[0-9A-Fa-f]{4})/.test(text)) return text;
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|([nrt"'/\\]))/g, (_, code: string | undefined, sign: string) =>
    code === undefined ? (ESCAPED[sign] ?? sign) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
const ESCAPED: { readonly [sign: string]: string } = { n: '\n', r: '\r', t: '\t' };

/** Words with blanks between: what a decoded picture, hash or archive is not. */
function isProse(text: string): boolean {
  const sample = text.slice(0, 400);
  if (sample.length < 8 || sample.includes('\ufffd')) return false;
  const letters = sample.match(/[\p{L}\p{M}\s.,:;!?'"()/-]/gu)?.length ?? 0;
  return letters >= sample.length * 0.85 && /\p{L}{2,}[\s,.]+\p{L}{2,}|[\u3040-\u9fff]{6}/u.test(sample);
}
