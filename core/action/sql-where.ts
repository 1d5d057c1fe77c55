// How much of a table a condition leaves: `WHERE 1=1`, `WHERE id > 0` and `WHERE a = 5 OR true` narrow nothing.

import { type Token, upperOf } from './sql-tokens.ts';

/** No row, those of one key, some, every one: a later one leaves more. */
const EXTENTS = ['none', 'one', 'some', 'all'] as const;
type Extent = (typeof EXTENTS)[number];

const MAX_DEPTH = 16;
/** More rows than anybody looks through first. */
const MAX_LIMIT = 1_000;
const KEY = /^(?:id|_id|uuid|guid|pk|_?rowid_?|ctid|oid)$/i;
const ENDS = /^(?:RETURNING|ORDER|LIMIT|FETCH|OPTION|SETTINGS|OFFSET)$/;

const least = (left: Extent, right: Extent) => (EXTENTS.indexOf(left) < EXTENTS.indexOf(right) ? left : right);
const most = (left: Extent, right: Extent) => (least(left, right) === left ? right : left);

/** Whether a statement that begins at `at` takes every row: no condition of its own, or one that leaves them all. */
export function takesAll(tokens: readonly Token[], at: number, table: string): boolean {
  let depth = 0;
  let from = -1;
  let end = at;
  for (; end < tokens.length; end += 1) {
    const word = upperOf(tokens[end]);
    if (word === '(') depth += 1;
    if (word === ')') depth -= 1;
    // A common table expression closes behind its statement.
    if (depth < 0) break;
    if (depth > 0) continue;
    if (word === 'LIMIT' && Number(tokens[end + 1]?.word) <= MAX_LIMIT) return false;
    if (word === 'WHERE' && from < 0) from = end + 1;
    else if (from >= 0 && ENDS.test(word)) break;
  }
  return from < 0 || extentOf(tokens.slice(from, end), table, 0) === 'all';
}

/** Cut at words of this kind that stand in no parentheses. */
function cut(tokens: readonly Token[], word: 'AND' | 'OR'): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  let between = false;
  for (const token of tokens) {
    const upper = upperOf(token);
    if (upper === '(') depth += 1;
    if (upper === ')') depth -= 1;
    if (depth === 0 && upper === 'BETWEEN') between = true;
    if (depth === 0 && upper === word && !(between && word === 'AND')) parts.push([]);
    else parts.at(-1)?.push(token);
    // The first AND behind BETWEEN is its own.
    if (depth === 0 && upper === 'AND') between = false;
  }
  return parts;
}

function extentOf(tokens: readonly Token[], table: string, depth: number): Extent {
  if (depth > MAX_DEPTH || tokens.length === 0) return 'all';
  const either = cut(tokens, 'OR');
  if (either.length > 1) return either.map((one) => extentOf(one, table, depth + 1)).reduce(most);
  const both = cut(tokens, 'AND');
  if (both.length > 1) return both.map((one) => extentOf(one, table, depth + 1)).reduce(least);
  if (upperOf(tokens[0]) === 'NOT' && upperOf(tokens[1]) !== 'EXISTS') {
    const inner = extentOf(tokens.slice(1), table, depth + 1);
    return inner === 'some' ? 'some' : inner === 'all' ? 'none' : 'all';
  }
  if (isWrapped(tokens)) return extentOf(tokens.slice(1, -1), table, depth + 1);
  return atom(tokens, table);
}

function isWrapped(tokens: readonly Token[]): boolean {
  if (upperOf(tokens[0]) !== '(' || upperOf(tokens.at(-1)) !== ')' || upperOf(tokens[1]) === 'SELECT') return false;
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    if (upperOf(token) === '(') depth += 1;
    if (upperOf(token) === ')') depth -= 1;
    if (depth === 0 && at < tokens.length - 1) return false;
  }
  return true;
}

const SIGN = /^[=<>!~]$/;
const isNumber = (text: string) => /^\d[\d.]*$/.test(text);
const isLiteral = ({ word, body, quoted }: Token) => body !== undefined || (!quoted && isNumber(word));
const textOf = ({ word, body }: Token) => body ?? word;
const isKey = (tokens: readonly Token[]) => tokens.length === 1 && KEY.test(lastName(tokens[0] as Token));
const lastName = ({ word }: Token) => word.slice(word.lastIndexOf('.') + 1);
const sameTokens = (left: readonly Token[], right: readonly Token[]) =>
  left.length > 0 &&
  left.length === right.length &&
  left.every(
    (token, at) => token.word.toUpperCase() === right[at]?.word.toUpperCase() && token.body === right[at]?.body,
  );

/** One comparison. What it does not know narrows. */
function atom(tokens: readonly Token[], table: string): Extent {
  const upper = tokens.map(upperOf);
  const [first] = tokens;
  if (tokens.length === 1 && first !== undefined) {
    if (upper[0] === 'TRUE') return 'all';
    if (upper[0] === 'FALSE' || upper[0] === 'NULL') return 'none';
    if (!isLiteral(first)) return 'some';
    return /^(?:0[\d.]*|f(?:alse)?|)$/i.test(textOf(first)) ? 'none' : 'all';
  }
  if (upper[0] === 'EXISTS') return narrowed(upper) ? 'some' : 'all';
  const at = upper.findIndex((word) => /^(?:=|<|>|!|IS|LIKE|ILIKE|RLIKE|REGEXP|GLOB|IN|BETWEEN|~|NOT)$/.test(word));
  if (at <= 0) return 'some';
  const signs = SIGN.test(upper[at] as string);
  const part = signs ? SIGN : /^(?:NOT|IS|LIKE|ILIKE|RLIKE|IN|BETWEEN|NULL|REGEXP|GLOB)$/;
  let end = at + 1;
  while (part.test(upper[end] ?? '') && (signs || upper[end] !== 'NULL' || upper[at] === 'IS')) end += 1;
  const operator = upper.slice(at, end).join(signs ? '' : ' ');
  return compare(tokens.slice(0, at), operator, tokens.slice(end), upper, table);
}

function compare(
  left: readonly Token[],
  operator: string,
  right: readonly Token[],
  upper: readonly string[],
  table: string,
): Extent {
  const [one] = right;
  const negative = right.length === 2 && one?.word === '-';
  const number = Number(negative ? `-${right[1]?.word}` : one?.word);
  const plain = right.length === 1 && one !== undefined && isLiteral(one);
  if (operator === 'IS NOT NULL') return isKey(left) ? 'all' : 'some';
  if (/^(?:LIKE|ILIKE|GLOB|RLIKE|REGEXP|~+)$/.test(operator))
    return plain && /^(?:%+|\*|(?:\^?\.\*\$?)?)$/.test(textOf(one as Token)) ? 'all' : 'some';
  if (operator === 'IN') {
    const inner = upper.slice(upper.indexOf('IN'));
    const named = inner[inner.indexOf('FROM') + 1] ?? '';
    if (inner[2] !== 'SELECT') return isKey(left) ? 'one' : 'some';
    return table !== '' && named === table.toUpperCase() && !narrowed(inner) ? 'all' : 'some';
  }
  if (operator === 'NOT IN') return isKey(left) && upper[upper.indexOf('IN') + 2] !== 'SELECT' ? 'all' : 'some';
  if (operator === 'BETWEEN')
    return isKey(left) && number <= 1 && Number(right.at(-1)?.word) >= 100_000 ? 'all' : 'some';
  if (!/^[=<>!]+$/.test(operator)) return 'some';
  const bothFixed = left.length === 1 && left.every(isLiteral) && plain;
  if (bothFixed) return holds(left[0] as Token, operator, one as Token) ? 'all' : 'none';
  if (sameTokens(left, right)) return /=/.test(operator) && operator !== '!=' ? 'all' : 'none';
  if (!isKey(left)) return 'some';
  if (operator === '=' || operator === '==' || operator === '<=>') return 'one';
  // All but one is as good as all.
  if (operator === '<>' || operator === '!=') return 'all';
  return /^>=?$/.test(operator) && (plain || negative) && number <= 1 ? 'all' : 'some';
}

function holds(left: Token, operator: string, right: Token): boolean {
  const [a, b] = [textOf(left), textOf(right)];
  const [x, y] = isNumber(a) && isNumber(b) ? [Number(a), Number(b)] : [a, b];
  if (operator === '<>' || operator === '!=') return x !== y;
  return (operator.includes('=') && x === y) || (operator.includes('<') && x < y) || (operator.includes('>') && x > y);
}

/** Whether a query inside takes less than a whole table. */
function narrowed(upper: readonly string[]): boolean {
  return upper.some((word) => /^(?:WHERE|LIMIT|HAVING|JOIN|EXCEPT|INTERSECT|TOP|FETCH|GROUP|OFFSET)$/.test(word));
}
