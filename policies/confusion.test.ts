// Invariant 3: an evaluation error never skips a deny rule. Every field of denied inputs is replaced by every wrong type,
// and taken away; nothing becomes ALLOW or WARN.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Fragment } from '../core/policy-cases.ts';
import { readVerdict, runs } from '../core/route.ts';
import type { PolicySnapshot } from '../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { bundleWithTenants, caseInput, encode } from './case-input.ts';

type Path = readonly (string | number)[];
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const finding = { kind: 'aws_access_key', class: 'secret', where: 'action.code', confidence: 'high', digest: 'ab' };
const git = { branch: 'main', head: 'abc', dirty: true, tracked: ['a.txt'] };
const context = { cwd: '/w', workspace: '/w', attended: true, git };
const read = { effect: 'read', tool: 'ls', operation: 'ls', targets: ['file:/w'], digests: ['00'] };

const protectedChange = { files: 1, lines: 1, bytes: 9, places: ['infra/prod', 'infra'], trees: ['infra'] };

const DENIED: Record<string, Fragment> = {
  effect: { parts: [read, { ...read, effect: 'disk_destroy', flags: ['root_target'] }], context },
  flag: { parts: [{ ...read, flags: ['self_governance'] }], context },
  secret: { parts: [{ ...read, effect: 'send', to: 'own' }], findings: [finding], context },
  revoked: { parts: [read], facts: { revoked_scopes: ['global'] }, context },
  epoch: { parts: [read], facts: { revocation_epoch: null }, context },
  budget: { parts: [read], facts: { budget_exhausted: true }, context },
  level: { parts: [{ ...read, effect: 'write' }], facts: { level: 'L0' }, context },
  unattended: { parts: [{ ...read, effect: 'publish', to: 'public' }], context: { ...context, attended: false } },
  tool: { parts: [{ ...read, tool: 'telnet' }], identity: { tenant_id: 'globex' }, context },
  region: {
    parts: [{ ...read, effect: 'send', to: 'own' }],
    regions: ['us-east-1'],
    identity: { tenant_id: 'acme-eu' },
    context,
  },
  command: {
    parts: [read],
    commands: { list: [['git', 'git push', 'git push --force']] },
    identity: { tenant_id: 'acme-exec' },
    context,
  },
  path: {
    parts: [{ ...read, effect: 'write' }],
    change: protectedChange,
    identity: { tenant_id: 'acme-small' },
    context: { ...context, attended: false },
  },
};
/** What may lawfully be another value of the same type: the caller's own field that names the denied thing. */
const CHOICES: Record<string, readonly string[]> = {
  region: ['identity.tenant_id'],
  command: ['identity.tenant_id', ...[0, 1, 2].map((n) => `commands.list.0.${n}`)],
  path: ['identity.tenant_id', 'change.places.0', 'change.places.1', 'change.trees.0'],
  tool: ['identity.tenant_id', 'action.parts.0.tool'],
};

let policy: PolicySnapshot;
beforeAll(async () => {
  policy = await new WasmPolicyEngine().activate(await bundleWithTenants());
});

function* paths(value: Json, at: Path = []): Generator<Path> {
  yield at;
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    const step = Array.isArray(value) ? Number(key) : key;
    yield* paths((value as { [key: string]: Json })[key] as Json, [...at, step]);
  }
}

function valueAt(value: Json, path: Path): Json {
  return path.reduce<Json>((inner, step) => (inner as { [key: string]: Json })[step] as Json, value);
}

/** A copy with another value at the path; `undefined` takes the member away. */
function changed(value: Json, path: Path, replacement: Json | undefined): Json {
  if (path.length === 0) return replacement as Json;
  const copy = structuredClone(value);
  const holder = valueAt(copy, path.slice(0, -1)) as { [key: string]: Json };
  const last = path.at(-1) as string;
  if (replacement !== undefined) holder[last] = replacement;
  else if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return copy;
}

const WRONG: readonly Json[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1e300,
  '',
  'x',
  'unknown',
  [],
  [[]],
  ['x'],
  [null],
  {},
  { 0: 'x' },
];
const kind = (value: Json) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** An emptied list or object of the right type, or another allowed value, is another input, not a confused one. */
function isConfusion(path: Path, before: Json, after: Json): boolean {
  if (kind(before) === kind(after)) return false;
  // `unknown` is a listed value of external_write, and null of approval; both are read as what they say.
  const name = path.join('.');
  return !(name.endsWith('external_write') && (typeof after === 'boolean' || after === 'unknown'));
}

describe.each(Object.keys(DENIED))('denied by %s', (name) => {
  const input = caseInput(DENIED[name] as Fragment) as unknown as Json;

  test('as it stands', () => {
    expect(readVerdict(policy.evaluate(encode(input))).route).toBe('DENY');
  });

  test('with any field of the wrong type', () => {
    let tried = 0;
    for (const path of paths(input)) {
      const before = valueAt(input, path);
      for (const after of WRONG) {
        if (!isConfusion(path, before, after)) continue;
        // An epoch that is there again is a fact, not a confusion; so is a finding's free text.
        if (name === 'epoch' && path.at(-1) === 'revocation_epoch' && typeof after === 'number') continue;
        const verdict = verdictOf(changed(input, path, after));
        expect(runs(verdict.route), `${path.join('.')} = ${JSON.stringify(after)}: ${JSON.stringify(verdict)}`).toBe(
          false,
        );
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(500);
  });

  test('with any member missing', () => {
    for (const path of paths(input)) {
      if (path.length === 0 || typeof path.at(-1) === 'number') continue;
      // Recorded before they were told; the host always tells them (services/decision/judge.test.ts).
      if (['change', 'commands', 'regions'].includes(path.join('.'))) continue;
      const verdict = verdictOf(changed(input, path, undefined));
      expect(runs(verdict.route), `without ${path.join('.')}: ${JSON.stringify(verdict)}`).toBe(false);
    }
  });

  test('with any text another', () => {
    for (const path of paths(input)) {
      if (typeof valueAt(input, path) !== 'string' || isFreeText(name, path)) continue;
      const verdict = verdictOf(changed(input, path, 'no_such_value'));
      expect(runs(verdict.route), `${path.join('.')}: ${JSON.stringify(verdict)}`).toBe(false);
    }
  });
});

describe('allowed', () => {
  const approval = { action_id: 'act_00', receipt_id: 'ab-1' };
  const harmless = { ...read, flags: ['recursive'] };
  const email = { ...finding, kind: 'email', class: 'pii' };
  const input = caseInput({ parts: [harmless], findings: [email], facts: { approval }, context }) as unknown as Json;

  test('as it stands', () => {
    expect(verdictOf(input).route).toBe('ALLOW');
  });

  test('no longer with any field of the wrong type', () => {
    for (const path of paths(input)) {
      const name = path.join('.');
      // What git tracks serves the normaliser; no rule reads it.
      if (name.startsWith('context.git.tracked.')) continue;
      for (const after of WRONG) {
        if (!isConfusion(path, valueAt(input, path), after)) continue;
        // No epoch and no approval are said with null.
        if (after === null && name === 'facts.approval') continue;
        const { route } = verdictOf(changed(input, path, after));
        expect(route, `${name} = ${JSON.stringify(after)}`).toBe('DENY');
      }
    }
  });

  test('no longer without any member but what a caller may leave out', () => {
    for (const path of paths(input)) {
      if (path.length === 0 || typeof path.at(-1) === 'number' || (path[0] === 'context' && path.length > 1)) continue;
      expect(verdictOf(changed(input, path, undefined)).route, path.join('.')).toBe('DENY');
    }
  });
});

describe('tables that lead nowhere', () => {
  const input = caseInput({ parts: [read], findings: [finding] }) as unknown as Json;
  test.each([
    ['effects', 'read', 'cases', 'otherwise', 'ladder'],
    ['effects', 'read', 'cases', 'otherwise'],
    ['effects', 'read', 'by'],
    ['effects', 'read'],
    ['ladders', 'reading', 'L2'],
    ['ladders', 'reading'],
    ['ladders'],
    ['findings', 'secret', 'local', 'high'],
    ['findings', 'secret'],
    ['trust', 'levels'],
    ['trust', 'cap'],
    ['words', 'ranks'],
    ['words', 'routes'],
    ['words'],
    ['limits', 'change', 'approved', 'lines'],
    ['limits', 'change', 'noticed'],
    ['limits', 'steps', 'approved'],
    ['limits', 'steps', 'approved', 'ladder'],
    ['limits', 'protected_paths'],
    ['limits'],
  ])('deny: %s', async (...path) => {
    const bundle = await bundleWithTenants();
    const data = JSON.parse(new TextDecoder().decode(bundle.data)) as Json;
    const broken = { ...bundle, data: encode(changed(data, ['beacon', ...path], undefined)) };
    const engine = new WasmPolicyEngine();
    const snapshot = await engine.activate(broken).catch(() => undefined);
    if (snapshot === undefined) return;
    expect(runs(readVerdict(snapshot.evaluate(encode(input))).route)).toBe(false);
  });
});

function verdictOf(value: Json): ReturnType<typeof readVerdict> {
  const bytes = value === undefined ? new Uint8Array() : encode(value);
  try {
    return readVerdict(policy.evaluate(bytes));
  } catch {
    return readVerdict(undefined);
  }
}

/** Texts that may be anything: another one is another proposal. */
function isFreeText(name: string, path: Path): boolean {
  const dotted = path.join('.');
  return (CHOICES[name] ?? []).includes(dotted) || (name === 'flag' && dotted === 'action.parts.0.flags.0');
}
