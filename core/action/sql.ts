// SQL by its verbs: a small tokenizer that knows strings, quoted names, comments and statements; no pattern runs over the text.

import { graver, gravity } from './effects.ts';
import type { Effect } from './types.ts';

export type SqlReading = {
  readonly effect: Effect;
  readonly flags: readonly string[];
  readonly tables: readonly string[];
};

const MAX_TOKENS = 4_000;
type Token = { readonly word: string; readonly quoted: boolean };

/** Words, names and punctuation of each statement. Strings become `'`, so that nothing in them is a verb. */
function statements(text: string): Token[][] {
  const all: Token[][] = [[]];
  let count = 0;
  for (let at = 0; at < text.length && count < MAX_TOKENS; ) {
    const character = text[at] as string;
    if (/\s/.test(character)) at += 1;
    else if (text.startsWith('--', at) || character === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith('/*', at)) {
      // `/*! … */` runs in MySQL: only its marker is skipped.
      const executable = text[at + 2] === '!';
      const end = text.indexOf('*/', at + 2);
      at = executable ? at + 3 : end < 0 ? text.length : end + 2;
    } else if (character === "'" || character === '"' || character === '`') {
      let end = at + 1;
      while (end < text.length && !(text[end] === character && text[end + 1] !== character)) {
        end += text[end] === character || (text[end] === '\\' && character === "'") ? 2 : 1;
      }
      all.at(-1)?.push({ word: character === "'" ? "'" : text.slice(at + 1, end), quoted: true });
      count += 1;
      at = end + 1;
    } else if (character === '$' && /^\$\w*\$/.test(text.slice(at, at + 40))) {
      const tag = (/^\$\w*\$/.exec(text.slice(at, at + 40)) as RegExpExecArray)[0];
      const end = text.indexOf(tag, at + tag.length);
      all.at(-1)?.push({ word: "'", quoted: true });
      count += 1;
      at = end < 0 ? text.length : end + tag.length;
    } else if (character === ';') {
      all.push([]);
      at += 1;
    } else {
      let end = at;
      while (end < text.length && /[A-Za-z0-9_.$\u0080-\uffff]/.test(text[end] as string)) end += 1;
      if (end === at) end += 1;
      all.at(-1)?.push({ word: text.slice(at, end), quoted: false });
      count += 1;
      at = end;
    }
  }
  return all.filter((tokens) => tokens.length > 0);
}

const READS = new Set([
  'SELECT',
  'SHOW',
  'EXPLAIN',
  'DESCRIBE',
  'DESC',
  'VALUES',
  'PRAGMA',
  'HELP',
  'TABLE',
  'LIST',
  'ANALYZE',
  'CHECK',
]);
const QUIET = new Set([
  'USE',
  'SET',
  'BEGIN',
  'START',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'END',
  'DECLARE',
  'FETCH',
  'CLOSE',
  'OPEN',
  'PREPARE',
  'DEALLOCATE',
  'LISTEN',
  'DISCARD',
  'LOCK',
  'RESET',
  'PRINT',
  'GO',
]);
const CHANGES = new Set([
  'INSERT',
  'UPDATE',
  'MERGE',
  'REPLACE',
  'UPSERT',
  'CREATE',
  'COMMENT',
  'REFRESH',
  'VACUUM',
  'REINDEX',
  'CLUSTER',
  'OPTIMIZE',
  'IMPORT',
  'LOAD',
  'NOTIFY',
  'REPAIR',
  'ATTACH',
  'DETACH',
]);

/** The gravest of all statements. Text without a known verb is `unknown`. */
export function sqlEffect(text: string): SqlReading {
  let effect: Effect = 'none';
  const flags = new Set<string>();
  const tables = new Set<string>();
  for (const tokens of statements(text)) {
    const one = statementEffect(tokens, flags, tables);
    effect = gravity(one) === gravity(effect) && effect !== 'none' ? effect : graver(effect, one);
  }
  return {
    effect: effect === 'none' && text.trim() !== '' ? 'read' : effect,
    flags: [...flags],
    tables: [...tables].slice(0, 16),
  };
}

function statementEffect(tokens: readonly Token[], flags: Set<string>, tables: Set<string>): Effect {
  const upper = tokens.map((token) => (token.quoted ? '' : token.word.toUpperCase()));
  addTables(tokens, upper, tables);
  let verb = upper.find((word) => word !== '' && word !== '(') ?? '';
  if (verb === 'EXPLAIN') {
    // `EXPLAIN ANALYZE` runs what it explains.
    if (!upper.includes('ANALYZE')) return 'read';
    verb = upper.find((word) => word === 'INSERT' || word === 'UPDATE' || word === 'DELETE') ?? 'SELECT';
  }
  if (verb === 'WITH')
    verb =
      upper.find((word) => word === 'DELETE' || word === 'UPDATE' || word === 'INSERT' || word === 'MERGE') ?? 'SELECT';
  if (verb === 'SELECT' && upper.includes('INTO') && (upper.includes('OUTFILE') || upper.includes('DUMPFILE')))
    return 'write';
  if (
    upper.some((word) =>
      /^(?:XP_CMDSHELL|SYS_EXEC|LO_EXPORT|PG_READ_FILE|LOAD_FILE|SYS_EVAL|DBMS_SCHEDULER)$/.test(word),
    )
  )
    return 'run_opaque';
  if (
    verb === 'SELECT' &&
    upper.some((word) =>
      /^(?:PG_TERMINATE_BACKEND|PG_CANCEL_BACKEND|PG_DROP_REPLICATION_SLOT|LO_UNLINK|SETVAL)$/.test(word),
    )
  )
    return 'database_change';
  if (READS.has(verb)) return 'read';
  if (QUIET.has(verb)) return 'none';
  const whole = !upper.includes('WHERE') && !upper.includes('LIMIT');
  switch (verb) {
    case 'DROP':
      if (/^(?:USER|ROLE)$/.test(upper[1] ?? '')) return 'identity_change';
      flags.add('bulk');
      return /^(?:INDEX|VIEW|FUNCTION|PROCEDURE|TRIGGER|EXTENSION|TYPE|POLICY|SEQUENCE)$/.test(upper[1] ?? '')
        ? 'database_change'
        : 'database_destroy';
    case 'TRUNCATE':
      flags.add('bulk');
      return 'database_destroy';
    case 'DELETE':
      if (whole) flags.add('bulk');
      return whole || tautology(upper) ? 'database_destroy' : 'database_change';
    case 'ALTER':
      if (/^(?:USER|ROLE|LOGIN)$/.test(upper[1] ?? '')) return 'identity_change';
      if (upper.includes('DROP')) return 'database_destroy';
      if (upper.includes('DISABLE') && upper.includes('SECURITY')) return 'security_disable';
      return 'database_change';
    case 'UPDATE':
      if (whole) flags.add('bulk');
      return whole ? 'database_destroy' : 'database_change';
    case 'GRANT':
    case 'REVOKE':
      return 'identity_change';
    case 'CREATE':
      return /^(?:USER|ROLE|LOGIN)$/.test(upper[1] ?? '') ? 'identity_change' : 'database_change';
    case 'COPY':
      if (upper.includes('PROGRAM')) return 'run_opaque';
      return upper.includes('TO') ? 'write' : 'database_change';
    case 'KILL':
    case 'SHUTDOWN':
      return 'process_many';
    case 'FLUSHALL':
    case 'FLUSHDB':
      return 'database_destroy';
    default:
  }
  return CHANGES.has(verb) ? 'database_change' : 'unknown';
}

/** `WHERE 1=1`, `WHERE true` narrow nothing. */
function tautology(upper: readonly string[]): boolean {
  const rest = upper.slice(upper.indexOf('WHERE') + 1);
  if (rest.length === 1 && (rest[0] === 'TRUE' || rest[0] === '1')) return true;
  return rest.length === 3 && rest[1] === '=' && rest[0] === rest[2] && rest[0] !== '';
}

function addTables(tokens: readonly Token[], upper: readonly string[], tables: Set<string>): void {
  upper.forEach((word, index) => {
    if (!/^(?:FROM|INTO|UPDATE|TABLE|JOIN|DATABASE|SCHEMA|TRUNCATE|ON)$/.test(word)) return;
    let next = index + 1;
    while (/^(?:IF|NOT|EXISTS|ONLY|TABLE)$/.test(upper[next] ?? '')) next += 1;
    const name = tokens[next];
    if (name && name.word !== "'" && /^[\w.$\u0080-\uffff]+$/.test(name.word)) tables.add(name.word.toLowerCase());
  });
}
