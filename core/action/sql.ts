// SQL by its verbs, one statement after the other, and by how much of a table each takes.

import { graver, gravity } from './effects.ts';
import { keptBack, ownTables } from './sql-session.ts';
import { type Cut, cutSql, readings, type Token, upperOf } from './sql-tokens.ts';
import { takesAll } from './sql-where.ts';
import type { Effect } from './types.ts';

export type SqlReading = {
  readonly effect: Effect;
  readonly flags: readonly string[];
  readonly tables: readonly string[];
  /** What a reading shows, told by the names of its columns. */
  readonly shows?: 'personal' | 'regulated';
};

/** Code inside code: a block in a string, and what that executes. */
const MAX_DEPTH = 4;
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
  const [first, ...others] = readings(text).map((cut) => readingOf(cut, text, depth)) as [SqlReading, ...SqlReading[]];
  // Another database may read it otherwise: that counts where it loses something there.
  const worse = others.find(
    ({ effect }) => gravity(effect) > gravity(first.effect) && gravity(effect) >= gravity('database_destroy'),
  );
  return worse ?? first;
}

function readingOf({ statements, complete }: Cut, text: string, depth: number): SqlReading {
  let effect: Effect = complete ? 'none' : 'unknown';
  const flags = new Set<string>();
  const tables = new Set<string>();
  let shows: SqlReading['shows'];
  const back = keptBack(statements);
  const own = ownTables(statements);
  for (const [at, tokens] of statements.entries()) {
    const seen = new Set<string>();
    const read = statementEffect(tokens, seen, tables, depth);
    const milder = read === 'database_destroy' && (back.has(at) || own.has(at));
    const one = milder ? 'database_change' : read;
    for (const flag of milder ? [] : seen) flags.add(flag);
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
  const effects = parted(tokens).map((one) => oneEffect(one, flags, tables, depth));
  return effects.reduce(graver);
}

function oneEffect(tokens: readonly Token[], flags: Set<string>, tables: Set<string>, depth: number): Effect {
  const upper = tokens.map(upperOf);
  addTables(tokens, upper, tables);
  let verb = upper.find((word) => word !== '' && word !== '(') ?? '';
  if (verb === 'EXPLAIN') {
    // `EXPLAIN ANALYZE` runs what it explains.
    if (!upper.includes('ANALYZE')) return 'read';
    verb = upper.find((word) => word === 'INSERT' || word === 'UPDATE' || word === 'DELETE') ?? 'SELECT';
  }
  if (verb === 'WITH') verb = 'SELECT';
  if (verb === 'SELECT' && upper.includes('INTO') && (upper.includes('OUTFILE') || upper.includes('DUMPFILE')))
    return 'write';
  if (
    upper.some((word) =>
      /^(?:XP_CMDSHELL|SYS_EXEC|LO_EXPORT|LO_IMPORT|PG_READ_FILE|PG_READ_BINARY_FILE|PG_LS_DIR|LOAD_FILE|LOAD_EXTENSION|SYS_EVAL|DBMS_SCHEDULER|SP_OACREATE|SP_EXECUTE_EXTERNAL_SCRIPT|DBLINK_CONNECT|DBLINK|DBLINK_EXEC|QUERY_TO_XML\w{0,20})$/.test(
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
  if (verb === 'PRAGMA') return pragmaEffect(upper);
  if (READS.has(verb))
    return upper.some((word, index) => upper[index + 1] === '(' && DEED.test(word)) ? 'unknown' : 'read';
  if (verb === 'SET' && /^(?:GLOBAL|PERSIST|PERSIST_ONLY)$/.test(upper[1] ?? '')) return settingEffect(tokens);
  if (verb === 'DO') return blockEffect(tokens, flags, tables, depth);
  if (/^(?:EXECUTE|EXEC|PREPARE)$/.test(verb)) return executed(tokens, upper, flags, tables, depth);
  if (QUIET.has(verb)) return 'none';
  const at = upper.indexOf(verb);
  switch (verb) {
    case 'DROP':
      if (/^(?:USER|ROLE|LOGIN|POLICY)$/.test(upper[1] ?? '')) return 'identity_change';
      if (upper[1] === 'TRIGGER' && tokens.some(({ word }) => AUDIT.test(word))) return 'security_disable';
      flags.add('bulk');
      return /^(?:INDEX|VIEW|FUNCTION|PROCEDURE|TRIGGER|EXTENSION|TYPE|POLICY|SEQUENCE)$/.test(upper[1] ?? '')
        ? 'database_change'
        : 'database_destroy';
    case 'TRUNCATE':
      flags.add('bulk');
      return 'database_destroy';
    case 'DELETE':
    case 'UPDATE': {
      const whole = takesAll(tokens, at, tableAt(tokens, upper, at));
      if (whole) flags.add('bulk');
      return whole || AUDIT.test(tableAt(tokens, upper, at)) ? 'database_destroy' : 'database_change';
    }
    case 'ALTER':
      if (/^(?:USER|ROLE|LOGIN|POLICY)$/.test(upper[1] ?? '')) return 'identity_change';
      if (upper[1] === 'SYSTEM') return settingEffect(tokens);
      if (/ OWNER TO | DEFAULT PRIVILEGES /.test(upper.join(' '))) return 'identity_change';
      if (upper.includes('DISABLE') && upper.includes('TRIGGER') && tokens.some(({ word }) => AUDIT.test(word)))
        return 'security_disable';
      if (upper.some((word, at) => word === 'DROP' && !LIGHT.test(upper[at + 1] ?? ''))) return 'database_destroy';
      if (mutation(tokens, upper) !== undefined) return mutation(tokens, upper) as Effect;
      if (upper.includes('DISABLE') && upper.includes('SECURITY')) return 'security_disable';
      return 'database_change';
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
      // Rows that go to an address go out.
      if (
        verb === 'INSERT' &&
        /^(?:S3|URL|REMOTE|REMOTESECURE|HDFS|GCS|AZUREBLOBSTORAGE|FILE)$/.test(functionAt(upper))
      )
        return 'write';
      if (verb !== 'CREATE') return 'database_change';
      if (/ LANGUAGE (?:C|PLPYTHON\d?U|PLPERLU|PLTCLU|PLSH|INTERNAL)(?: |$)/.test(upper.join(' '))) return 'run_opaque';
      return /^(?:USER|ROLE|LOGIN|POLICY)$/.test(upper[1] ?? '') ? 'identity_change' : 'database_change';
    case 'COPY':
      if (upper.includes('PROGRAM')) return 'run_opaque';
      if (upper.includes('TO')) return upper.includes('STDOUT') ? 'read' : 'write';
      if (upper[1] === 'INTO' && (tokens[2]?.body !== undefined || upper[2] === '@')) return 'write';
      return tokens.some(outsideFile) ? 'unknown' : 'database_change';
    case 'LOAD':
      if (tokens[1]?.body !== undefined) return 'run_opaque';
      return tokens.some(outsideFile) ? 'unknown' : 'database_change';
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
function mutation(tokens: readonly Token[], upper: readonly string[]): Effect | undefined {
  const at = upper.findIndex(
    (word, index) => /^(?:DELETE|UPDATE|TRUNCATE)$/.test(word) && upper[index - 1] !== 'ON' && index > 2,
  );
  if (at < 0) return undefined;
  const whole = upper[at] === 'TRUNCATE' || takesAll(tokens, at, upper[2] ?? '');
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
  const language = tokens.findIndex(({ word, quoted }) => !quoted && /^language$/i.test(word));
  if (language >= 0 && !/^(?:plpgsql|sql)$/i.test(tokens[language + 1]?.body ?? tokens[language + 1]?.word ?? ''))
    return 'run_opaque';
  if (body === undefined || depth >= MAX_DEPTH) return 'unknown';
  let effect: Effect = 'read';
  for (const inner of cutSql(body, { escapes: true, hashes: false }).statements) {
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

/** A function of one's own that is called after what it does. */
const DEED = /^(?:\w{1,60}\.)?(?:DELETE|DROP|PURGE|TRUNCATE|WIPE|DESTROY|ERASE|REMOVE|GRANT|REVOKE)_\w+$/;
const AUDIT = /(?:^|[_.])audit(?:s|ing|ed)?(?:[_.]|$)|_audit|audit_/i;

/** The table that a deletion or an update names. */
function tableAt(tokens: readonly Token[], upper: readonly string[], at: number): string {
  let next = at + 1;
  while (/^(?:FROM|ONLY|IGNORE|LOW_PRIORITY|QUICK|TABLE)$/.test(upper[next] ?? '')) next += 1;
  return tokens[next]?.word ?? '';
}

/** What is explained was read with it. */
const CLAUSE = /^(?:EXPLAIN|ANALYZE|VERBOSE)$/;
/** Define what runs another time, or are read on their own. */
const DEFINES = /^(?:CREATE|ALTER|GRANT|REVOKE|COMMENT|DO|EXECUTE|EXEC|PREPARE|SHOW|HELP|DESCRIBE|DESC|REPLACE|MERGE)$/;

/** At statements in a common table expression or a block, and at those that follow without a semicolon, as some databases take them. */
function parted(tokens: readonly Token[]): (readonly Token[])[] {
  const upper = tokens.map(upperOf);
  const opening = upper.findIndex((word) => word !== '' && word !== '(');
  const parts: (readonly Token[])[] = [];
  let from = 0;
  if (!DEFINES.test(upper[opening] ?? ''))
    for (let at = opening + 1; at < upper.length; at += 1) {
      if (CLAUSE.test(upper[at - 1] ?? '') || !beginsAt(upper, at)) continue;
      parts.push(tokens.slice(from, at));
      from = at;
    }
  return [...parts, tokens.slice(from)];
}

function beginsAt(upper: readonly string[], at: number): boolean {
  const [word, next, third] = upper.slice(at, at + 3);
  if (word === 'DELETE') return next === 'FROM';
  if (word === 'INSERT') return next === 'INTO' || next === 'OVERWRITE';
  if (word === 'UPDATE') return third === 'SET' || (next === 'ONLY' && upper[at + 3] === 'SET');
  if (word === 'TRUNCATE') return next === 'TABLE';
  if (word === 'DROP') return /^(?:TABLE|DATABASE|SCHEMA|USER|ROLE|LOGIN)$/.test(next ?? '');
  return word === 'EXECUTE' && next === 'IMMEDIATE';
}

/** `INSERT INTO FUNCTION s3(…)`. */
function functionAt(upper: readonly string[]): string {
  const at = upper.indexOf('FUNCTION');
  return at < 0 || at > 4 ? '' : (upper[at + 1] ?? '');
}

/** A file of the machine that is no data of anybody's work. */
function outsideFile({ body }: Token): boolean {
  return body !== undefined && /^(?:~|\/(?:etc|root|proc|sys|var\/(?:lib|log|run))(?:\/|$))|\/\.\w/.test(body);
}

/** Settings of the whole server; one by which it keeps watch is a control. */
function settingEffect(tokens: readonly Token[]): Effect {
  const text = tokens.map(({ word, body }) => body ?? word).join(' ');
  const watches =
    /audit|general_log|log_(?:bin|statement|connections|output)|require_secure|validate_password|\bssl\b|archive_mode/i;
  return watches.test(text) && /(?:=|TO)\s+(?:off|0|false|none|no)\s*$/i.test(text)
    ? 'security_disable'
    : 'system_change';
}

/** Most only ask or tune; these let anything be written, or decide who can open the file. */
function pragmaEffect(upper: readonly string[]): Effect {
  const name = (upper[1] ?? '').split('.').at(-1) ?? '';
  if (/^(?:KEY|REKEY|HEXKEY|HEXREKEY)$/.test(name)) return 'identity_change';
  return name === 'WRITABLE_SCHEMA' && upper.length > 2 ? 'unknown' : 'read';
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
