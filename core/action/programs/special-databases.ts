// Database clients: reads the statements where they are given, calls opaque what cannot be seen.

import { type Arg, joinOrigins, type Stream } from '../../shell/values.ts';
import { type DraftTarget, plainTarget } from '../draft.ts';
import { placeOf } from '../places.ts';
import { type SqlReading, sqlEffect } from '../sql.ts';
import type { Effect } from '../types.ts';
import { isLocalHost, readUrl } from '../urls.ts';
import { byRule, type Call, emit, emitOptionFiles, has, optionValue, residueOf, type Special, target } from './call.ts';

/** Databases that are a file: the first operand is read. */
const FILE_DATABASE = /^(?:sqlite|duckdb|litecli)/;
type Statements = SqlReading | Omit<SqlReading, 'tables'>;

const STATEMENTS = ['-c', '-e', '-Q', '-q', '--query', '--eval', '-cmd'];
const FILES = ['-f', '-i', '--file', '-init'];

/** Where the database is: an address without user and password, or host and name. */
function databaseTarget(call: Call): { targets: DraftTarget[]; local: boolean } {
  const words = [
    ...call.given.operands,
    ...(['-d', '--uri'].map((name) => optionValue(call, name)).filter((word) => word !== undefined) as Arg[]),
  ];
  const url = words.map((word) => readUrlStrict(word.text)).find((address) => address !== undefined);
  if (url) return { targets: [plainTarget(`database:${url.host}${url.path}`)], local: isLocalHost(url.host) };
  const host = optionValue(call, '-h')?.text ?? optionValue(call, '--host')?.text ?? optionValue(call, '-S')?.text;
  const name = optionValue(call, '-d')?.text ?? optionValue(call, '-D')?.text ?? call.given.operands[0]?.text ?? '';
  const plain = /\s|=/.test(name) ? '' : name;
  return {
    targets: [plainTarget(`database:${host ?? 'localhost'}/${plain}`)],
    // Where an address nobody can see leads is not known to be here.
    local: host === undefined ? words.every((word) => word.known) : isLocalHost(host),
  };
}

function productionFlag(targets: readonly DraftTarget[]): readonly string[] {
  return targets.some((item) => /prod/i.test(item.id)) ? ['production'] : [];
}

function readUrlStrict(text: string) {
  return text.includes('://') ? readUrl(text) : undefined;
}

function emitStatements(call: Call, text: string, effectOf: (text: string) => Statements): Stream {
  const said = effectOf(text);
  const { effect, flags } = said;
  const tables = 'tables' in said ? said.tables : [];
  const { targets, local } = databaseTarget(call);
  if (effect === 'write' && writtenOut(call, text, targets, local)) return { origins: ['file'] };
  const read = effect === 'read' || effect === 'none';
  // A file that means more than a database is changed as such.
  const file = FILE_DATABASE.test(call.tool) ? call.given.operands[0] : undefined;
  if (!read && file && guarded(call, file))
    emit(call, {
      effect: 'write',
      operation: 'statement',
      targets: [target(call, file)],
      residue: [text],
      scope: undefined,
      systems: ['filesystem'],
    });
  emit(call, {
    effect,
    operation: read ? 'query' : 'statement',
    targets: [...targets, ...tables.map((name) => plainTarget(`table:${name}`))],
    flags: [...flags, ...(local ? [] : ['remote']), ...productionFlag(targets)],
    residue: read ? [] : [text],
    scope: local ? 'machine' : 'remote',
  });
  return { origins: said.shows === undefined ? ['file'] : ['file', said.shows] };
}

function guarded(call: Call, file: Arg): boolean {
  const { id, glob } = target(call, file);
  const { tags } = placeOf(id.replace(/^file:/, ''), glob, call.meaning.where);
  return tags.some((tag) => tag === 'governance' || tag === 'credential' || tag === 'audit');
}

/** `COPY … TO '…'`, `INTO OUTFILE '…'`: the server writes it, here as its own user, or sends it where the address says. */
function writtenOut(call: Call, text: string, from: readonly DraftTarget[], local: boolean): boolean {
  const place = /\b(?:OUTFILE|DUMPFILE|TO)\s{1,8}'([^'\n]{1,300})'/i.exec(text)?.[1];
  const address = place !== undefined && /^\w+:\/\//.test(place);
  if (place === undefined || (!address && (!local || !place.startsWith('/')))) return false;
  const word = { text: place, known: true, glob: false, origins: [] };
  emit(call, {
    effect: address ? 'send' : 'write',
    operation: 'write out',
    targets: [...from, address ? plainTarget(`object:${place.replace(/[?#].*$/, '')}`) : target(call, word)],
    residue: [text],
    scope: address ? 'remote' : undefined,
  });
  return true;
}

function client(call: Call, effectOf: (text: string) => Statements, operandIsStatement: boolean): Stream {
  emitOptionFiles(call);
  const { given, invocation } = call;
  const held = FILE_DATABASE.test(call.tool) ? given.operands[0] : undefined;
  if (held && held.text !== ':memory:')
    emit(call, {
      effect: 'read',
      operation: 'read',
      targets: [target(call, held)],
      residue: [],
      scope: undefined,
      systems: ['filesystem'],
    });
  const words = STATEMENTS.flatMap((name) => [...(given.options.get(name) ?? [])]);
  if (operandIsStatement) words.push(...given.operands.slice(1));
  const files = FILES.flatMap((name) => [...(given.options.get(name) ?? [])]);
  const { stdin } = invocation.frame;
  if (words.length === 0 && files.length === 0 && given.options.has('-l'))
    return emitStatements(call, 'select 1', effectOf);
  for (const file of files) {
    const place = target(call, file);
    const written = invocation.state.files.get(place.id);
    if (written?.text !== undefined) words.push({ text: written.text, known: true, glob: false, origins: [] });
    else {
      emit(call, {
        effect: 'read',
        operation: 'read',
        targets: [place],
        residue: [],
        scope: undefined,
        systems: ['filesystem'],
      });
      emit(call, {
        effect: 'database_change',
        operation: 'script',
        targets: databaseTarget(call).targets,
        flags: ['unseen_script', ...productionFlag(databaseTarget(call).targets)],
        residue: [place.id],
      });
    }
  }
  if (words.length > 0) {
    const text = words.map((word) => word.text).join(';\n');
    if (words.some((word) => !word.known && word.origins.length > 0))
      call.walk.judge.opaque(
        'sql',
        text,
        words.flatMap((word) => word.origins),
        invocation.frame,
      );
    return emitStatements(call, text, effectOf);
  }
  if (files.length > 0) return { origins: ['file'] };
  if (stdin.text !== undefined) return emitStatements(call, stdin.text, effectOf);
  if (stdin.origins.length > 0 || invocation.frame.flags.includes('pipeline_sink')) {
    emit(call, {
      effect: stdin.origins.includes('download') ? 'run_opaque' : 'database_change',
      operation: 'script',
      targets: databaseTarget(call).targets,
      flags: ['unseen_script', ...productionFlag(databaseTarget(call).targets)],
    });
    return { origins: ['file'] };
  }
  emit(call, { effect: 'run_unknown', operation: 'session', targets: databaseTarget(call).targets });
  return { origins: joinOrigins(stdin.origins, ['file']) };
}

const sql: Special = (call) => client(call, sqlOrMeta, FILE_DATABASE.test(call.tool));

/** psql's `\` and sqlite's `.` commands; those that run programs or write files say so. */
function sqlOrMeta(text: string): Statements {
  // What goes to standard output goes on from there.
  const lines = text
    .split('\n')
    .map((line) => line.trim().replace(/^\\copy\b(.{1,4000})\bto\s+p?stdout\b.*$/i, 'COPY $1 TO STDOUT'));
  if (lines.some((line) => /^(?:\\!|\.(?:shell|system)\b|\\copy\b.*\bprogram\b)|^\\[a-z]+.*\|/i.test(line)))
    return { effect: 'run_opaque', flags: [] };
  const meta = (line: string) => /^(?:\\[a-z?]|\.[a-z])/i.test(line);
  const rest = lines.filter((line) => !meta(line)).join('\n');
  const writes = lines.some((line) => /^\\copy\b.*\bto\b|^\\o\b|^\.(?:output|once|backup|save)\b/i.test(line));
  if (rest.trim() === '')
    return {
      effect: writes
        ? 'write'
        : lines.some((line) => /^\.(?:restore|import|read)\b|^\\i\b/.test(line))
          ? 'database_change'
          : 'read',
      flags: [],
    };
  return sqlEffect(rest);
}

const mongo: Special = (call) => client(call, mongoEffect, false);

const MONGO_DESTROYS =
  /\b(?:dropDatabase|drop|deleteMany|remove|dropIndexes|dropUser|shutdownServer|fsyncLock|bulkWrite|renameCollection|dropAllUsersFromDatabase)\s*\(/;
const MONGO_CHANGES =
  /\b(?:insert\w*|update\w*|replaceOne|deleteOne|findAndModify|findOneAnd\w+|createIndex|createCollection|save|mapReduce|adminCommand|runCommand)\s*\(/;
const MONGO_IDENTITY = /\b(?:createUser|updateUser|grantRolesToUser|createRole|changeUserPassword)\s*\(/;
const MONGO_READS =
  /\b(?:find|findOne|count\w*|aggregate|distinct|stats|getCollectionNames|explain|printjson|version|status|hello|ping|isMaster|listDatabases|serverStatus|getIndexes|getUsers|ls)\b|^\s*(?:show|use|help)\b/;

export function mongoEffect(text: string): { effect: Effect; flags: readonly string[] } {
  if (MONGO_DESTROYS.test(text)) return { effect: 'database_destroy', flags: ['bulk'] };
  if (MONGO_IDENTITY.test(text)) return { effect: 'identity_change', flags: [] };
  if (MONGO_CHANGES.test(text)) return { effect: 'database_change', flags: [] };
  if (/\b(?:exec|run|require|load|child_process|process)\b/.test(text)) return { effect: 'run_opaque', flags: [] };
  return MONGO_READS.test(text) ? { effect: 'read', flags: [] } : { effect: 'unknown', flags: [] };
}

const REDIS_READS =
  /^(?:get|mget|hget|hgetall|hmget|hkeys|hvals|hlen|exists|ttl|pttl|type|keys|scan|hscan|sscan|zscan|lrange|llen|lindex|smembers|sismember|scard|zrange\w*|zscore|zcard|zrank|zcount|strlen|bitcount|getbit|info|ping|dbsize|memory|object|time|echo|client list|slowlog|latency|command|config get|cluster info|cluster nodes|xrange|xlen|xinfo|xread|randomkey|dump|monitor|subscribe|psubscribe|select|auth|hello|role|lastsave|wait|touch)$/;

export function redisEffect(words: readonly string[]): { effect: Effect; flags: readonly string[] } {
  const verb = (words[0] ?? '').toLowerCase();
  const two = `${verb} ${(words[1] ?? '').toLowerCase()}`;
  if (/^flush(?:all|db)$|^swapdb$/.test(verb)) return { effect: 'database_destroy', flags: ['bulk'] };
  if (
    /^(?:shutdown|debug|replicaof|slaveof|failover)$/.test(verb) ||
    /^(?:client kill|cluster reset|script flush|function flush|config rewrite)$/.test(two)
  )
    return { effect: 'process_many', flags: [] };
  if (/^(?:config set|module load|acl \w+)$/.test(two)) return { effect: 'security_disable', flags: [] };
  if (/^(?:eval|evalsha|fcall|script|function)$/.test(verb)) return { effect: 'run_opaque', flags: [] };
  if (REDIS_READS.test(verb) || REDIS_READS.test(two)) return { effect: 'read', flags: [] };
  if (
    /^(?:del|unlink|hdel|srem|zrem|lrem|ltrim|getdel|xdel|xtrim|expire\w*|pexpire\w*|zremrangeby\w+|spop|lpop|rpop)$/.test(
      verb,
    )
  )
    return { effect: 'database_change', flags: words.length > 2 ? ['bulk'] : [] };
  return verb === '' ? { effect: 'run_unknown', flags: [] } : { effect: 'database_change', flags: [] };
}

const redis: Special = (call) => {
  emitOptionFiles(call);
  const { stdin, flags } = call.invocation.frame;
  const host = optionValue(call, '-h')?.text ?? readUrlStrict(optionValue(call, '-u')?.text ?? '')?.host ?? 'localhost';
  const local = isLocalHost(host);
  const base = {
    targets: [plainTarget(`database:${host}/redis`)],
    scope: local ? ('machine' as const) : ('remote' as const),
  };
  const reads = ['--scan', '--bigkeys', '--memkeys', '--hotkeys', '--stat', '--latency'].some((name) =>
    has(call, name),
  );
  const words = call.given.operands.map((word) => word.text);
  if (words.length > 0) {
    const one = redisEffect(words);
    // Keys that are listed elsewhere: as many as there are.
    const many = call.invocation.frame.flags.includes('bulk') && /^(?:del|unlink)$/i.test(words[0] ?? '');
    const { effect, flags: found } = many ? { effect: 'database_destroy' as const, flags: ['bulk'] } : one;
    emit(call, {
      ...base,
      effect,
      operation: (words[0] as string).toLowerCase().slice(0, 32),
      flags: [...found, ...(local ? [] : ['remote'])],
      residue: effect === 'read' ? [] : [words.join('\0')],
    });
    return { origins: ['file'] };
  }
  if (reads) emit(call, { ...base, effect: 'read', operation: 'scan' });
  else if (stdin.text !== undefined) {
    for (const line of stdin.text
      .split('\n')
      .filter((item) => item.trim() !== '')
      .slice(0, 64)) {
      const { effect, flags: found } = redisEffect(line.trim().split(/\s+/));
      emit(call, {
        ...base,
        effect,
        operation: 'statement',
        flags: [...found],
        residue: effect === 'read' ? [] : [line],
      });
    }
  } else
    emit(call, {
      ...base,
      effect: flags.includes('pipeline_sink') || has(call, '--eval') ? 'run_opaque' : 'run_unknown',
      operation: 'session',
      residue: residueOf(call),
    });
  return { origins: ['file'] };
};

const dump: Special = (call) => {
  byRule({ ...call, rule: { ...call.rule, operands: 'none' } });
  return { origins: ['file', 'secret'] };
};

export const DATABASE_SPECIALS: { readonly [name: string]: Special } = { sql, mongo, redis, 'db-dump': dump };
