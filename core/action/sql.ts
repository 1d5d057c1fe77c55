// SQL by its verbs: a small tokenizer that knows strings, quoted names, comments and statements; no pattern runs over the text.

import { graver, gravity } from './effects.ts';
import type { Effect } from './types.ts';

export type SqlReading = {
  readonly effect: Effect;
  readonly flags: readonly string[];
  readonly tables: readonly string[];
  /** What a reading shows, told by the names of its columns. */
  readonly shows?: 'personal' | 'regulated';
};

const MAX_TOKENS = 4_000;
/** Code inside code: a block in a string, and what that executes. */
const MAX_DEPTH = 4;
type Token = { readonly word: string; readonly quoted: boolean; readonly body?: string };

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
      const body = text.slice(at + 1, end);
      all.at(-1)?.push(character === "'" ? { word: "'", quoted: true, body } : { word: body, quoted: true });
      count += 1;
      at = end + 1;
    } else if (character === '$' && /^\$\w*\$/.test(text.slice(at, at + 40))) {
      const tag = (/^\$\w*\$/.exec(text.slice(at, at + 40)) as RegExpExecArray)[0];
      const end = text.indexOf(tag, at + tag.length);
      const body = text.slice(at + tag.length, end < 0 ? text.length : end);
      all.at(-1)?.push({ word: "'", quoted: true, body });
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

const REGULATED =
  /^(?:\w+_)?(?:ssn|social_security\w*|national_id|tax_id|passport\w*|iban|card_?number|credit_card|cvv|cvc|pan|diagnosis|medical\w*|health_\w+|biometric\w*)$/i;
const PERSONAL =
  /^(?:\w+_)?(?:e?mail|email_address|phone|phone_number|mobile|first_name|last_name|full_name|street|address|birth_?(?:date|day)|date_of_birth|dob)$/i;

/** The gravest of all statements. Text without a known verb is `unknown`. */
export function sqlEffect(text: string, depth = 0): SqlReading {
  let effect: Effect = 'none';
  const flags = new Set<string>();
  const tables = new Set<string>();
  let shows: SqlReading['shows'];
  for (const tokens of statements(text)) {
    const one = statementEffect(tokens, flags, tables, depth);
    const named = (pattern: RegExp) => tokens.some((token) => pattern.test(columnOf(token)));
    const about = new Set(tokens.map(columnOf).filter((name) => PERSONAL.test(name)));
    // One column is a list; several together are who somebody is.
    if (named(REGULATED) || about.size > 1) shows = 'regulated';
    else if (shows === undefined && about.size > 0) shows = 'personal';
    effect = gravity(one) === gravity(effect) && effect !== 'none' ? effect : graver(effect, one);
  }
  return {
    effect: effect === 'none' && text.trim() !== '' ? 'read' : effect,
    flags: [...flags],
    tables: [...tables].slice(0, 16),
    ...(shows !== undefined && { shows }),
  };
}

function columnOf({ word }: Token): string {
  return word.slice(word.lastIndexOf('.') + 1);
}

function statementEffect(tokens: readonly Token[], flags: Set<string>, tables: Set<string>, depth: number): Effect {
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
      /^(?:XP_CMDSHELL|SYS_EXEC|LO_EXPORT|LO_IMPORT|PG_READ_FILE|PG_READ_BINARY_FILE|PG_LS_DIR|LOAD_FILE|LOAD_EXTENSION|SYS_EVAL|DBMS_SCHEDULER|SP_OACREATE|SP_EXECUTE_EXTERNAL_SCRIPT|DBLINK_CONNECT)$/.test(
        word,
      ),
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
  if (verb === 'DO') return blockEffect(tokens, flags, tables, depth);
  if (/^(?:EXECUTE|EXEC|PREPARE)$/.test(verb)) return executed(tokens, upper, flags, tables, depth);
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
      if (upper.some((word, at) => word === 'DROP' && !LIGHT.test(upper[at + 1] ?? ''))) return 'database_destroy';
      if (mutation(upper) !== undefined) return mutation(upper) as Effect;
      if (upper.includes('DISABLE') && upper.includes('SECURITY')) return 'security_disable';
      return 'database_change';
    case 'UPDATE':
      if (whole) flags.add('bulk');
      return whole ? 'database_destroy' : 'database_change';
    case 'GRANT':
    case 'REVOKE':
      return 'identity_change';
    case 'ATTACH':
      // A file of this machine becomes a database: one that lies elsewhere may hold anything.
      return tokens.some(({ body, word }) => /^[/~]|^[A-Za-z]:[\\/]/.test(body ?? word))
        ? 'unknown'
        : 'database_change';
    case 'CREATE':
    case 'REPLACE':
    case 'INSERT':
    case 'MERGE':
    case 'VACUUM':
      if (startsOver(verb, upper)) {
        flags.add('bulk');
        return 'database_destroy';
      }
      if (verb !== 'CREATE') return 'database_change';
      return /^(?:USER|ROLE|LOGIN)$/.test(upper[1] ?? '') ? 'identity_change' : 'database_change';
    case 'COPY':
      if (upper.includes('PROGRAM')) return 'run_opaque';
      if (upper.includes('TO')) return upper.includes('STDOUT') ? 'read' : 'write';
      return 'database_change';
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

/** Dropped from a column or a table, these take no rows along. */
const LIGHT = /^(?:NOT|DEFAULT|CONSTRAINT|INDEX|KEY|FOREIGN|PRIMARY|IDENTITY|EXPRESSION|CHECK)$/;

/** `ALTER TABLE t DELETE WHERE …`, as some engines delete; `ON DELETE CASCADE` is a rule, no deed. */
function mutation(upper: readonly string[]): Effect | undefined {
  const at = upper.findIndex(
    (word, index) => /^(?:DELETE|UPDATE|TRUNCATE)$/.test(word) && upper[index - 1] !== 'ON' && index > 2,
  );
  if (at < 0) return undefined;
  const whole = upper[at] === 'TRUNCATE' || !upper.includes('WHERE') || tautology(upper);
  return whole ? 'database_destroy' : 'database_change';
}

/** What was in a table is gone, though nothing says drop: a replacement, an overwriting load, a merge that removes the rest. */
function startsOver(verb: string, upper: readonly string[]): boolean {
  if (verb === 'MERGE') return upper.includes('DELETE') && / NOT MATCHED BY SOURCE /.test(upper.join(' '));
  if (verb === 'INSERT') return upper[upper.indexOf('INSERT') + 1] === 'OVERWRITE';
  if (verb === 'VACUUM') return /(?:^| )RETAIN 0 /.test(upper.join(' '));
  const at = upper.indexOf('REPLACE');
  if (at < 0 || (verb === 'CREATE' && upper[at - 1] !== 'OR')) return false;
  const rest = upper.slice(at + 1).filter((word) => !/^(?:TRANSIENT|EXTERNAL|HYBRID|DYNAMIC|ICEBERG)$/.test(word));
  return /^(?:TABLE|DATABASE|SCHEMA)$/.test(rest[0] ?? '') && rest[1] !== 'FUNCTION';
}

const INNER = /^(?:INSERT|UPDATE|DELETE|MERGE|DROP|TRUNCATE|ALTER|CREATE|GRANT|REVOKE|COPY|EXECUTE|EXEC|PERFORM|CALL)$/;

/** `DO $$ … $$`: the statements of the block, whatever control words stand before them. */
function blockEffect(tokens: readonly Token[], flags: Set<string>, tables: Set<string>, depth: number): Effect {
  const body = tokens.find((token) => token.body !== undefined)?.body;
  if (body === undefined || depth >= MAX_DEPTH) return 'unknown';
  let effect: Effect = 'read';
  for (const inner of statements(body)) {
    const at = inner.findIndex((token) => !token.quoted && INNER.test(token.word.toUpperCase()));
    if (at < 0) continue;
    effect = graver(effect, statementEffect(inner.slice(at), flags, tables, depth + 1));
  }
  return effect;
}

/** A statement that is a string is read; one that is put together while it runs cannot be. */
function executed(
  tokens: readonly Token[],
  upper: readonly string[],
  flags: Set<string>,
  tables: Set<string>,
  depth: number,
): Effect {
  if (depth >= MAX_DEPTH) return 'run_opaque';
  const as = upper.indexOf('AS');
  if (upper[0] === 'PREPARE' && as > 0) return statementEffect(tokens.slice(as + 1), flags, tables, depth + 1);
  const rest = tokens
    .slice(upper[0] === 'PREPARE' ? 2 : 1)
    .filter(({ word, quoted }) => quoted || !/^(?:IMMEDIATE|FROM|sp_executesql|[(),N])$/i.test(word));
  const only = rest[0]?.body;
  if (only !== undefined && rest.length === 1) {
    const inner = sqlEffect(only, depth + 1);
    for (const flag of inner.flags) flags.add(flag);
    for (const name of inner.tables) tables.add(name);
    return inner.effect;
  }
  // `EXEC procedure` and `EXECUTE prepared` name what they run.
  const named = rest.length > 0 && !rest[0]?.quoted && /^[A-Za-z_][\w.$]*$/.test(rest[0]?.word ?? '');
  return named &&
    depth === 0 &&
    upper[0] !== 'PREPARE' &&
    !rest.some(({ word }) => /^(?:\|\||\+|FORMAT|CONCAT)$/i.test(word))
    ? 'unknown'
    : 'run_opaque';
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
