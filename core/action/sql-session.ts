// What statements of one text mean to each other: a transaction that is rolled back, and tables that last as long as they do.

import { type Token, upperOf } from './sql-tokens.ts';

const ROWS = /^(?:SELECT|INSERT|UPDATE|DELETE|WITH|VALUES|EXPLAIN|SHOW|SET)$/;

/**
 * Statements on rows within a transaction whose last word is that it did not happen. Others (DDL, TRUNCATE, calls) may commit
 * before it, so that one of them leaves nothing kept back.
 */
export function keptBack(statements: readonly (readonly Token[])[]): ReadonlySet<number> {
  const words = statements.map((tokens) => tokens.slice(0, 3).map(upperOf));
  const opens = ([first, second]: readonly string[]) =>
    (first === 'BEGIN' && (second === undefined || /^(?:TRAN|TRANSACTION|WORK)$/.test(second))) ||
    (first === 'START' && second === 'TRANSACTION');
  const undone = ([first, second]: readonly string[]) =>
    first === 'ROLLBACK' && (second === undefined || /^(?:TRAN|TRANSACTION|WORK)$/.test(second));
  const inside = statements.slice(1, -1);
  const last = words.at(-1);
  if (words.length < 3 || !opens(words[0] as string[]) || last === undefined || !undone(last)) return new Set();
  if (!inside.every((tokens, at) => ROWS.test(words[at + 1]?.[0] ?? '') && !tokens.some(ends))) return new Set();
  return new Set(inside.keys().map((at) => at + 1));
}

/** Some databases need no semicolon between statements. */
const ends = (token: Token) => /^(?:COMMIT|ROLLBACK|BEGIN|END|DROP|TRUNCATE|EXEC|EXECUTE|CALL)$/.test(upperOf(token));

/** Statements that drop a table which this text made for itself. */
export function ownTables(statements: readonly (readonly Token[])[]): ReadonlySet<number> {
  const made = new Set<string>();
  const own = new Set<number>();
  for (const [at, tokens] of statements.entries()) {
    const upper = tokens.map(upperOf);
    const skip = (from: number) => {
      let next = from;
      while (/^(?:IF|NOT|EXISTS|TABLE)$/.test(upper[next] ?? '')) next += 1;
      return next;
    };
    if (upper[0] === 'CREATE' && /^TEMP(?:ORARY)?$/.test(upper[1] ?? '') && upper[2] === 'TABLE')
      made.add(tokens[skip(2)]?.word.toLowerCase() ?? '');
    if (upper[0] !== 'DROP' || upper[1] !== 'TABLE') continue;
    const name = skip(1);
    // Dropped once, the name is another table's again.
    if (tokens.length === name + 1 && made.delete(tokens[name]?.word.toLowerCase() ?? '')) own.add(at);
  }
  return own;
}
