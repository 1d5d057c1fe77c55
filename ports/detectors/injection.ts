// Finds text that is meant for the agent where it has no say: in what tools give back, in descriptions, hidden in what a
// person proposes. General principles, no list of attacks. Linear: patterns are bounded, views and findings are counted.

import { type Ask, asksOf, ordersOf, placesAsked, uploadsAsked } from './agent-asks.ts';
import {
  ABOUT,
  CONCEAL,
  DUTY,
  FALSE_TURN,
  IMPERATIVE,
  MENTIONED_AGENT,
  NUDGE,
  OVERRIDE_PATTERNS,
  REACH,
  ROLE,
  STEERING,
  VOCATIVE,
  WANTS_CREDENTIALS,
  WANTS_TRANSFER,
} from './agent-phrases.ts';
import { INTO_ARGUMENT, READ_INTO_ARGUMENT, SHADOWS, WANTS_CONTEXT } from './description-phrases.ts';
import {
  decodings,
  hiddenMarkup,
  hiddenTerminal,
  hiddenUnicode,
  plainText,
  unescaped,
  type View,
  withoutTerminalCodes,
} from './hidden-text.ts';
import type { Detection, Detector, Place } from './port.ts';

const MAX_INJECTIONS = 100;
/** What is asked stands near the call, before or behind it. */
const BEFORE = 400;
const BEHIND = 1_200;

type Range = { readonly start: number; readonly end: number };
type Signal = { readonly kind: Kind; readonly sure: boolean; readonly start: number; readonly end: number };
type Kind = 'override' | 'call' | 'turn' | 'conceal' | 'role' | 'steering' | 'link' | 'credentials' | 'transfer';

const KIND: { readonly [kind in Kind]: string } = {
  override: 'agent_instruction',
  call: 'agent_instruction',
  turn: 'false_turn',
  conceal: 'concealment',
  role: 'role_change',
  steering: 'agent_instruction',
  link: 'exfiltration_link',
  credentials: 'request_credentials',
  transfer: 'request_transfer',
};
const HIDDEN: { readonly [by in View['hiddenBy']]: string } = {
  unicode: 'hidden_unicode',
  markup: 'hidden_instruction',
  terminal: 'hidden_terminal',
  encoding: 'encoded_instruction',
};

export function injectionDetector(): Detector {
  return { name: 'injection', detect: (text, place = 'action') => detect(text, place) };
}

function detect(text: string, place: Place): readonly Detection[] {
  const found: Detection[] = [];
  for (const view of hiddenUnicode(text)) fromView(view, place, found);
  if (place === 'output' || place === 'description') {
    const shown = withoutTerminalCodes(text);
    const plain = plainText(unescaped(shown));
    // Ranges are only kept where folding moved nothing.
    const whole = plain.length === text.length ? undefined : text.length;
    read(plain, whole, found);
    if (place === 'description') describes(plain, whole, found);
    for (const view of [...markup(text), ...hiddenTerminal(text), ...decodings(shown)]) fromView(view, place, found);
  } else if (place === 'prompt') {
    for (const signal of [...turns(text), ...roles(text)]) {
      // Whoever prompts may say such things: told, and no reason by itself.
      found.push(finding(KIND[signal.kind], 'low', signal));
    }
  }
  return settle(found);
}

function finding(
  kind: string,
  confidence: Detection['confidence'],
  { start, end }: { start: number; end: number },
): Detection {
  return { kind, class: 'injection', confidence, start, end };
}

/** Visible text. `whole`: the length of the original, when places in `text` are not places in it. */
function read(text: string, whole: number | undefined, found: Detection[]): void {
  const signals = signalsOf(text);
  const place = (range: { start: number; end: number }) => (whole === undefined ? range : { start: 0, end: whole });
  for (const signal of signals) found.push(finding(KIND[signal.kind], signal.sure ? 'high' : 'low', place(signal)));
  const calls = signals.filter((signal) => signal.sure && signal.kind !== 'transfer');
  for (const ask of asksNear(text, calls, { ...NEAR, read: ordersOf }))
    found.push(finding(`asks_${ask.effect}`, 'high', place(ask)));
  const hints = calls.length > 0 ? [] : nudges(text);
  for (const ask of asksNear(text, hints, { before: 0, behind: 200, read: handedOn }))
    found.push(finding(`asks_${ask.effect}`, 'medium', place(ask)));
  const duties = calls.length > 0 ? [] : marks(DUTY, text).filter((range) => isDuty(text, range));
  for (const ask of asksNear(text, duties, { before: 160, behind: 300, read: asksOf }))
    found.push(finding(`asks_${ask.effect}`, 'high', place(ask)));
}

/** What only a description is held to: it speaks of its own tool. */
function describes(text: string, whole: number | undefined, found: Detection[]): void {
  const at = (range: Range) => (whole === undefined ? range : { start: 0, end: whole });
  const all = (pattern: RegExp): Range[] =>
    [...text.matchAll(pattern)]
      .slice(0, MAX_INJECTIONS)
      .map((match) => ({ start: match.index, end: match.index + match[0].length }));
  for (const range of all(WANTS_CONTEXT)) found.push(finding('request_context', 'medium', at(range)));
  for (const range of all(SHADOWS)) found.push(finding('tool_shadowing', 'medium', at(range)));
  const into = [
    ...asksNear(text, all(INTO_ARGUMENT), { before: 0, behind: 0, read: placesAsked }),
    ...asksNear(text, all(READ_INTO_ARGUMENT), { before: 100, behind: 0, read: placesAsked }),
  ];
  for (const ask of into) found.push(finding(`asks_${ask.effect}`, 'medium', at(ask)));
}

/** What no manual has its readers do around a call of a tool. */
function handedOn(text: string): Ask[] {
  return [...placesAsked(text), ...uploadsAsked(text)];
}

/** A hidden piece: what it says weighs more, because nobody was to see it. */
function fromView(view: View, place: Place, found: Detection[]): void {
  const text = plainText(view.text);
  const signals = signalsOf(text);
  const sure = signals.filter((signal) => signal.sure);
  // A whole text read another way has everything in it: there only what is near an order counts.
  const addressed = sure.length > 0 || (!view.whole && (signals.some(({ kind }) => kind === 'call') || leans(text)));
  if (place !== 'prompt' && place !== 'action' && addressed) {
    const [ask] = view.whole ? asksNear(text, sure, { ...NEAR, read: hiddenAsks }) : hiddenAsks(text);
    if (ask) {
      found.push(finding(`asks_${ask.effect}`, 'high', view));
      return;
    }
  }
  if (view.telling) found.push(finding(HIDDEN[view.hiddenBy], addressed ? 'high' : 'medium', view));
  else if (addressed) found.push(finding(HIDDEN[view.hiddenBy], 'high', view));
}

/** Losses are told by the text being hidden. */
function hiddenAsks(text: string): Ask[] {
  return [...asksOf(text), ...uploadsAsked(text)];
}

/** In a hidden place it is enough to speak of the agent or its person, and of something to do. */
function leans(text: string): boolean {
  return (
    (MENTIONED_AGENT.test(text) ||
      /\b(?:the|your) users?\b|用户|ユーザー|пользовател|utilisateur|usuario|nutzer/i.test(text)) &&
    IMPERATIVE.test(text)
  );
}

type Near = { readonly before: number; readonly behind: number; readonly read: (text: string) => Ask[] };
const NEAR: Near = { before: BEFORE, behind: BEHIND, read: asksOf };

function asksNear(text: string, calls: readonly Range[], { before, behind, read }: Near = NEAR): Ask[] {
  const asks: Ask[] = [];
  let done = 0;
  for (const call of [...calls].sort((left, right) => left.start - right.start)) {
    const from = Math.max(done, call.start - before);
    const to = Math.min(text.length, call.end + behind);
    if (to <= from || asks.length >= MAX_INJECTIONS) continue;
    for (const ask of read(text.slice(from, to))) asks.push({ ...ask, start: ask.start + from, end: ask.end + from });
    done = to;
  }
  return asks;
}

function signalsOf(text: string): Signal[] {
  return [
    ...overrides(text),
    ...calls(text),
    ...turns(text),
    ...conceals(text),
    ...roles(text),
    ...matches('steering', STEERING, text),
    ...links(text),
    ...matches('credentials', WANTS_CREDENTIALS, text),
    ...matches('transfer', WANTS_TRANSFER, text),
  ];
}

function overrides(text: string): Signal[] {
  const out: Signal[] = [];
  for (const { leave, told, which } of OVERRIDE_PATTERNS) {
    for (const match of text.matchAll(leave)) {
      if (out.length >= MAX_INJECTIONS) return out;
      const end = match.index + match[0].length;
      const before = text.slice(Math.max(0, match.index - REACH), match.index).replace(/^.*[.!?\n。]/su, '');
      const behind = text.slice(end, end + REACH).replace(/[.!?\n。].*$/su, '');
      const sentence = `${before} ${behind}`;
      if (!told.test(sentence) || !which.test(sentence)) continue;
      const range = { start: match.index - before.length, end: end + behind.length };
      out.push({ kind: 'override', sure: !mentioned(text, range), ...range });
    }
  }
  return out;
}

/** Quoted or listed in a text about such texts. */
function mentioned(text: string, { start, end }: { start: number; end: number }): boolean {
  const around = text.slice(Math.max(0, start - 160), end + 160);
  return ABOUT.test(around) && /["'`“”„«»‘’「」]/.test(text.slice(Math.max(0, start - 3), end + 3));
}

/** Products are also spoken of: an order to one begins at once. */
const BRAND = /claude|codex|copilot|gemini|chatgpt|gpt/i;

function calls(text: string): Signal[] {
  const out: Signal[] = [];
  for (const match of text.matchAll(VOCATIVE)) {
    if (out.length >= MAX_INJECTIONS) break;
    const end = match.index + match[0].length;
    // A name alone on its line calls for what stands on the next.
    const behind = text.slice(end, end + 200).replace(/^\s*\n\s{0,8}/, '');
    const line = behind.slice(0, 120).replace(/\n.*$/s, '');
    const directive = IMPERATIVE.exec(line);
    if (!directive || directive.index > (BRAND.test(match[0]) ? 12 : 60) || /^[\w.-]{0,40}$/.test(line.trim()))
      continue;
    const range = { start: match.index, end: Math.min(text.length, end + line.length) };
    out.push({ kind: 'call', sure: !mentioned(text, range), ...range });
  }
  return out;
}

/** A turn only counts with something to do behind it: manuals of chat formats show the marks alone. */
function turns(text: string): Signal[] {
  return matches('turn', FALSE_TURN, text).map((signal) => {
    const behind = text.slice(signal.end, signal.end + 160);
    const said = IMPERATIVE.exec(behind);
    const told =
      said !== null &&
      said.index < 80 &&
      (MENTIONED_AGENT.test(behind) || /\b(?:you|your|must|do not|user)\b/i.test(behind));
    return { ...signal, sure: told && !ABOUT.test(text.slice(Math.max(0, signal.start - 160), signal.start)) };
  });
}

/** Also in text within text; its places are then those of the whole. */
function markup(text: string): View[] {
  const loose = unescaped(text);
  return hiddenMarkup(loose).map((view) => (loose === text ? view : { ...view, start: 0, end: text.length }));
}

function nudges(text: string): Range[] {
  return marks(NUDGE, text);
}

/** Not where it is forbidden, nor in a text about such texts. */
function isDuty(text: string, { start, end }: Range): boolean {
  return !ABOUT.test(text.slice(Math.max(0, start - 160), end + 160)) && !FORBIDS.test(text.slice(end, end + 40));
}
const FORBIDS =
  /^[^.!?\n]{0,24}(?<![\p{L}])(?:never|not|refuse|avoid|decline|reject|nicht|niemals|nie|jamais|pas|nunca|no|non)(?![\p{L}])/iu;

function marks(pattern: RegExp, text: string): Range[] {
  return [...text.matchAll(pattern)]
    .slice(0, MAX_INJECTIONS)
    .map((match) => ({ start: match.index, end: match.index + match[0].length }));
}

/** "Without asking the user" is also what programs say of themselves: alone it is no order. */
function conceals(text: string): Signal[] {
  return matches('conceal', CONCEAL, text).map((signal) => ({
    ...signal,
    sure: signal.sure && !/^without/i.test(text.slice(signal.start, signal.start + 8)),
  }));
}

function roles(text: string): Signal[] {
  return matches('role', ROLE, text);
}

const IMAGE =
  /!\[[^\]\n]{0,200}\]\(\s{0,3}(https?:\/\/[^)\s]{4,1500})|<img\b[^<>]{0,200}\bsrc\s?=\s?["']?(https?:\/\/[^"'\s<>]{4,1500})/gi;
/** A place for something to be put in: `{data}`, `<secret>`, `$TOKEN`, `BASE64`, `[KEY]`. */
const SLOT =
  /[?&=/#](?:[^)\s]{0,200}?)(?:\{{1,2}[\w .-]{2,60}\}{1,2}|%7B[\w%.-]{2,60}%7D|<[\w .-]{2,60}>|\[[A-Z_ ]{3,60}\]|\$\{?[A-Z_]{3,60}|[=/](?:BASE64|DATA|SECRETS?|TOKENS?|KEYS?|CONTENTS?|PAYLOAD|YOUR_[A-Z_]{2,40}|INSERT[\w-]{2,40})(?![\w]))/;

function links(text: string): Signal[] {
  const out: Signal[] = [];
  for (const match of text.matchAll(IMAGE)) {
    if (out.length >= MAX_INJECTIONS) break;
    if (!SLOT.test((match[1] ?? match[2]) as string)) continue;
    const range = { start: match.index, end: match.index + match[0].length };
    out.push({ kind: 'link', sure: !mentioned(text, range), ...range });
  }
  return out;
}

function matches(kind: Kind, pattern: RegExp, text: string): Signal[] {
  const out: Signal[] = [];
  for (const match of text.matchAll(pattern)) {
    if (out.length >= MAX_INJECTIONS) break;
    const range = { start: match.index, end: match.index + match[0].length };
    out.push({ kind, sure: !mentioned(text, range), ...range });
  }
  return out;
}

const RANK = { low: 0, medium: 1, high: 2 };

/** Without overlaps: what is asked for stands before who is called, then the surer, then that it was hidden, then the longer. */
function settle(found: readonly Detection[]): readonly Detection[] {
  if (found.length === 0) return found;
  const asks = (item: Detection) => Number(item.kind.startsWith('asks_'));
  const hidden = (item: Detection) => Number(Object.values(HIDDEN).includes(item.kind));
  const order = [...found].sort(
    (left, right) =>
      asks(right) - asks(left) ||
      RANK[right.confidence] - RANK[left.confidence] ||
      hidden(right) - hidden(left) ||
      right.end - right.start - (left.end - left.start) ||
      left.start - right.start,
  );
  const kept: Detection[] = [];
  for (const item of order) {
    if (kept.length >= MAX_INJECTIONS) break;
    if (kept.some((other) => item.start < other.end && other.start < item.end)) continue;
    kept.push(item);
  }
  return kept.sort((left, right) => left.start - right.start);
}
