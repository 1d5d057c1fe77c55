// Holds the house rules: who may import whom, no circles, no file that grew too long, no room nobody agreed on.
// The table is docs/decisions/002-rooms.md; change both together.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const MAX_LINES = 400;
const ROOMS = ['.ci', 'bench', 'bin', 'clients', 'core', 'deploy', 'docs', 'gen', 'policies', 'ports', 'proto'];
const MORE_ROOMS = ['runtime', 'services', 'test'];
const PURE_LIBRARIES = ['@bufbuild/protobuf', 'canonicalize', 'unbash', 'node:crypto', 'node:buffer'];
const ENGINE_LIBRARIES = [
  '@bufbuild/protobuf',
  '@grpc/',
  'grpc-health-check',
  'prom-client',
  'fastify',
  'ioredis',
  '@nats-io/',
  '@opentelemetry/',
];

type Import = { from: string; to: string; typeOnly: boolean };

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT })
  .toString()
  .split('\0')
  .filter((file) => file !== '');
const sources = files.filter((file) => /\.(ts|mjs)$/.test(file) && !file.startsWith('gen/'));
const text = new Map(sources.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

const STATIC = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'/g;

function importsOf(file: string): Import[] {
  const body = text.get(file) ?? '';
  const resolve = (to: string) => (to.startsWith('.') ? normalize(join(dirname(file), to)) : to);
  const fixed = [...body.matchAll(STATIC)].map(([, type, to = '']) => {
    return { from: file, to: resolve(to), typeOnly: type !== undefined };
  });
  return [
    ...fixed,
    ...[...body.matchAll(DYNAMIC)].map(([, to = '']) => ({ from: file, to: resolve(to), typeOnly: false })),
  ];
}

const room = (file: string) => file.split('/')[0] as string;
const folder = (file: string) => file.split('/').slice(0, 2).join('/');
const isTest = (file: string) => /\.(test|fixture)\.(ts|mjs)$|\/contract\.ts$/.test(file);
const isOurs = (to: string) => ROOMS.includes(room(to)) || MORE_ROOMS.includes(room(to));
const isWiring = (file: string) => /^services\/([^/]+\/compose|[^/]+)\.ts$/.test(file) && !isShared(file);
const isShared = (file: string) => ['services/config.ts', 'services/access.ts'].includes(file);
const isPortContract = (to: string) => /^ports\/[^/]+\/port\.ts$/.test(to);
/** What the doors to the disk share; it knows no port and no word of the domain. */
const SYNCED_FILE = 'ports/synced-file.ts';
const isOneOf = (to: string, names: string[]) => names.some((name) => to === name || to.startsWith(name));

function mayPort({ from, to, typeOnly }: Import): boolean {
  if (from === SYNCED_FILE) return to.startsWith('node:');
  if (room(to) === 'core' || room(to) === 'gen') return true;
  if (from.endsWith('/port.ts')) return typeOnly && isPortContract(to);
  if (folder(to) === folder(from) || to === SYNCED_FILE) return true;
  return !isOurs(to) || (typeOnly && isPortContract(to));
}

function mayService({ from, to, typeOnly }: Import): boolean {
  if (isWiring(from)) return room(to) !== 'clients' && !(/\/compose\.ts$/.test(from) && /\/compose\.ts$/.test(to));
  // The one file that reads the environment needs the reader; the table of roles needs nothing that runs.
  if (room(to) === 'runtime') return typeOnly || from !== 'services/access.ts';
  if (room(to) === 'services') return isShared(to) || (folder(to) === folder(from) && !isWiring(to));
  return !isOurs(to) || room(to) === 'core' || room(to) === 'gen' || isPortContract(to);
}

/** The table: for each room, whether a file of it may have this import. Tests and fixtures answer to nobody but circles. */
const table: Record<string, (edge: Import) => boolean> = {
  core: ({ to }) => (isOurs(to) ? ['core', 'gen'].includes(room(to)) : isOneOf(to, PURE_LIBRARIES)),
  ports: mayPort,
  runtime: ({ to }) =>
    isOurs(to)
      ? room(to) === 'runtime' || to === 'core/errors.ts'
      : to.startsWith('node:') || isOneOf(to, ENGINE_LIBRARIES),
  services: mayService,
  clients: ({ from, to }) =>
    isOurs(to)
      ? ['clients', 'core', 'gen'].includes(room(to))
      : !to.startsWith('@grpc/') || from.startsWith('clients/transport'),
};

const edges = sources.flatMap(importsOf);

function broken(list: Import[]): string[] {
  return list
    .filter(({ from }) => !isTest(from) && room(from) in table)
    .filter((edge) => !table[room(edge.from)]?.(edge))
    .map(({ from, to }) => `${from} imports ${to}`);
}

test('every import keeps to the table', () => {
  expect(broken(edges)).toEqual([]);
});

test('the table refuses what it is there to refuse', () => {
  const forbidden: [string, string][] = [
    ['core/route.ts', 'node:fs'],
    ['core/route.ts', 'ports/budgets/port.ts'],
    ['core/route.ts', 'pino'],
    ['ports/budgets/port.ts', 'ports/budgets/memory.ts'],
    ['ports/budgets/sqlite.ts', 'ports/score-store/sqlite.ts'],
    ['ports/budgets/sqlite.ts', 'runtime/rpc.ts'],
    ['ports/budgets/port.ts', 'ports/synced-file.ts'],
    ['ports/synced-file.ts', 'core/errors.ts'],
    ['ports/synced-file.ts', 'ports/budgets/port.ts'],
    ['runtime/rpc.ts', 'core/route.ts'],
    ['services/decision/judge.ts', 'services/scoring/service.ts'],
    ['services/decision/judge.ts', 'ports/policy-engine/wasm.ts'],
    ['services/decision/compose.ts', 'services/scoring/compose.ts'],
    ['services/main.ts', 'clients/cli/main.ts'],
    ['clients/cli/verify.ts', 'services/access.ts'],
    ['clients/cli/verify.ts', 'runtime/rpc.ts'],
    ['clients/cli/verify.ts', '@grpc/grpc-js'],
  ];
  for (const [from, to] of forbidden) {
    expect(broken([{ from, to, typeOnly: false }]), `${from} -> ${to}`).toHaveLength(1);
  }
});

test('core asks neither the clock nor chance nor the process', () => {
  const asks =
    /\bDate\.now\(|new Date\(\)|\bMath\.random\b|\bprocess\.|\bperformance\.|\bconsole\.|\bset(Timeout|Interval)\(|\brandom(Bytes|UUID|Int)\b|\bgenerateKeyPair/;
  const found = sources
    .filter((file) => room(file) === 'core' && !isTest(file))
    .flatMap((file) => {
      const lines = (text.get(file) ?? '').split('\n');
      return lines
        .filter((line) => asks.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
        .map((line) => `${file}: ${line.trim()}`);
    });
  expect(found).toEqual([]);
});

test('the environment is read where a process begins, and handed on', () => {
  const found = sources.filter(
    (file) =>
      ['core', 'ports', 'runtime', 'services'].includes(room(file)) &&
      !['services/config.ts', 'services/beacond.ts'].includes(file) &&
      !isTest(file) &&
      /\bprocess\.env\b/.test(text.get(file) ?? ''),
  );
  expect(found).toEqual([]);
});

/** Every circle found by walking the imports depth first, as `a -> b -> a`. */
function circles(list: Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of list) if (isOurs(to)) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, path: string[]) => {
    const seen = path.indexOf(file);
    if (seen >= 0) found.push([...path.slice(seen), file].join(' -> '));
    if (seen >= 0 || done.has(file)) return;
    for (const to of next.get(file) ?? []) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return found;
}

test('no circle', () => {
  expect(circles(edges)).toEqual([]);
  const edge = (from: string, to: string) => ({ from, to, typeOnly: true });
  expect(circles([edge('core/a.ts', 'core/b.ts'), edge('core/b.ts', 'core/a.ts')])).toHaveLength(1);
});

test(`no file over ${MAX_LINES} lines`, () => {
  const long = sources.filter((file) => (text.get(file) ?? '').split('\n').length - 1 > MAX_LINES);
  expect(long).toEqual([]);
});

test('every file says what it is', () => {
  const silent = sources.filter((file) => !isTest(file) && !/^(#!.*\n)?\/\/ \S/.test(text.get(file) ?? ''));
  expect(silent).toEqual([]);
});

test('no new room without a decision', () => {
  const known = [...ROOMS, ...MORE_ROOMS];
  const unknown = files.filter((file) => file.includes('/') && !known.includes(room(file))).map(room);
  expect([...new Set(unknown)]).toEqual([]);
});

test('no vague names', () => {
  expect(sources.filter((file) => /(^|\/)(utils?|common|helpers?|misc|shared)(\/|\.)/.test(file))).toEqual([]);
});
