// Every reason that stops an action names its rule, says what was understood, and what would be accepted instead. All rules
// are walked: the cases at every level with somebody there and nobody, and every row of the table of effects.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { EFFECTS } from '../core/action/types.ts';
import type { Case, Fragment } from '../core/policy-cases.ts';
import { type Reason, readVerdict, runs, type Verdict } from '../core/route.ts';
import type { PolicySnapshot } from '../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { BUNDLE, bundleWithTenants, caseInput, encode, readJson } from './case-input.ts';

/** What may be done instead begins with one of these. */
const ADVICE =
  /(?:^|[.;,:] (?:or )?|\bor )(?:Act|Ask|Begin|Check|Choose|Commit|Do|Download|Edit|End|Grant|Have|Hand|Leave|Let|Make|Name|Prefer|Prepare|Propose|Push|Put|Read|Refer|Remove|Report|Run|Save|Send|Share|Try|Use|Wait|Withhold|Work)\b/i;
const ASKS = /ask a person to approve|Ask a person to approve|let a person confirm/;
const STANDINGS = [
  { facts: { level: 'L0' }, identity: { client_provenance: 'authenticated' } },
  { facts: { level: 'L1' }, identity: { client_provenance: 'asserted' } },
  { facts: { level: 'L2' }, identity: { client_provenance: 'authenticated' } },
  { facts: { level: 'L3' }, identity: { client_provenance: 'attested' } },
];

type Row = { readonly code: string; readonly ladder: string };
type Table = {
  readonly dry_run?: boolean;
  readonly stricter?: Readonly<Record<string, string>>;
  readonly cases: Readonly<Record<string, Row & { readonly milder?: Readonly<Record<string, string>> }>>;
};
const data = JSON.parse(readFileSync(join(BUNDLE, 'data.json'), 'utf8')).beacon as {
  readonly effects: Readonly<Record<string, Table>>;
  readonly flags: Readonly<Record<string, object>>;
};

const RAILS = { secret: 'block', email: 'redact', phone: 'warn' };

let policy: PolicySnapshot;
beforeAll(async () => {
  const bundle = await bundleWithTenants();
  const laid = JSON.parse(new TextDecoder().decode(bundle.data));
  const tools = { pinned: { 'srv/pinned': 'd1' }, unlisted: 'block' };
  laid.beacon.guardrails.tenants = { railed: { pre_flight: RAILS, input: RAILS, output: RAILS, tools } };
  policy = await new WasmPolicyEngine().activate({ ...bundle, data: encode(laid) });
});

/** With the standing and the presence laid over what the fragment states itself. */
function* everywhere(fragment: Fragment): Generator<Fragment> {
  yield fragment;
  for (const standing of STANDINGS) {
    for (const attended of [true, false]) {
      const facts = { ...fragment.facts, ...standing.facts };
      const identity = { ...fragment.identity, ...standing.identity };
      yield { ...fragment, facts, identity, context: { ...fragment.context, attended } };
    }
  }
}

function* generated(): Generator<Fragment> {
  for (const effect of EFFECTS) {
    const { dry_run: dry, stricter = {}, cases } = data.effects[effect] as Table;
    const flags = new Set([...Object.keys(stricter), ...(dry ? ['dry_run'] : [])]);
    for (const row of Object.values(cases)) for (const flag of Object.keys(row.milder ?? {})) flags.add(flag);
    for (const flag of ['', ...flags, ...(effect === 'read' ? Object.keys(data.flags) : [])]) {
      const part = { effect, flags: flag === '' ? [] : [flag], targets: ['file:/w/a'] };
      for (const scope of ['workspace', 'temporary', 'home', 'system', 'machine', 'remote', 'none', 'unknown'])
        yield { parts: [{ ...part, scope }] };
      for (const to of ['own', 'public', 'foreign', 'nobody', 'repo']) yield { parts: [{ ...part, to }] };
      yield { parts: [{ ...part, targets: ['branch:origin/main'] }] };
      yield { parts: [{ ...part, targets: ['branch:origin/topic'] }] };
    }
  }
  for (const target of ['tool:pinned@d1', 'tool:pinned@d2', 'tool:other@d1', 'nothing']) {
    const described = { effect: 'output', tool: 'srv', operation: 'describe', targets: [target] };
    yield { parts: [described], identity: { tenant_id: 'railed' } };
  }
  for (const kind of Object.keys(RAILS)) {
    const findings = [
      { kind, class: kind === 'secret' ? 'secret' : 'pii', where: 'action.code', confidence: 'high', digest: 'ab' },
    ];
    for (const effect of ['prompt', 'output', 'read', 'send'])
      yield { parts: [{ effect, to: 'own' }], findings, identity: { tenant_id: 'railed' } };
  }
}

function* walked(): Generator<readonly [string, Verdict]> {
  for (const file of readdirSync(join(import.meta.dirname, 'cases'))) {
    if (file === 'base.json' || file === 'overlays.json') continue;
    for (const one of readJson(file) as Case[])
      for (const fragment of everywhere(one)) yield [one.name, verdictOn(fragment)];
  }
  for (const one of generated())
    for (const fragment of everywhere(one)) yield [JSON.stringify(fragment), verdictOn(fragment)];
}

function verdictOn(fragment: Fragment): Verdict {
  return readVerdict(policy.evaluate(encode(caseInput(fragment))));
}

/** What is wrong with a reason of a verdict; undefined when nothing is. */
function fault({ rule, code, message }: Reason, { route }: Verdict, strictest: boolean): string | undefined {
  if (!/^beacon\.[a-z_]+\.[a-z_]+$/.test(rule) || !/^[a-z_]+$/.test(code)) return 'names no rule';
  if (!/^[A-Z`]/.test(message) || !message.endsWith('.')) return 'is no sentence';
  if (ADVICE.test(message.split(/[.;] /)[0] as string) && message.split('. ').length < 2)
    return 'says nothing that was understood';
  // That a person approved stops nothing.
  if (runs(route) || rule === 'beacon.approval.recorded') return undefined;
  if (!ADVICE.test(message)) return 'says nothing that would be accepted';
  if (route !== 'DENY' || !strictest) return undefined;
  // Who is denied cannot be told to ask, unless it says what has to change first.
  return ASKS.test(message) && !/reading is accepted|when a person is/.test(message)
    ? 'sends to a person who cannot help'
    : undefined;
}

const faults = new Map<string, string>();
const seen = new Set<string>();

test('every reason says what was understood and what would be accepted instead', () => {
  for (const [name, verdict] of walked()) {
    for (const [index, reason] of verdict.reasons.entries()) {
      seen.add(`${reason.rule} ${reason.code}`);
      const found = fault(reason, verdict, index === 0);
      if (found !== undefined) faults.set(`${reason.rule} ${reason.code}: ${found}`, `${reason.message} (${name})`);
    }
  }
  expect(Object.fromEntries(faults)).toEqual({});
}, 60_000);

test('and all rules were walked', () => {
  const folder = join(import.meta.dirname, 'beacon');
  const written = readdirSync(folder)
    .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/"(beacon\.[a-z_]+\.[a-z_]*)"/g)])
    .map((match) => match[1] as string);
  const rules = [...seen].map((one) => one.split(' ')[0] as string);
  expect(written.length).toBeGreaterThan(20);
  // Some rules are named after what they look at: `beacon.effects.` and the effect.
  for (const name of new Set(written))
    expect(
      rules.some((rule) => (name.endsWith('.') ? rule.startsWith(name) : rule === name)),
      name,
    ).toBe(true);
  for (const [effect, { cases }] of Object.entries(data.effects))
    for (const { code } of Object.values(cases)) {
      // The row of what does nothing serves every dry run.
      const by = code === 'dry_run' ? 'publish' : effect;
      expect([...seen], code).toContain(`beacon.effects.${by} ${code}`);
    }
  for (const flag of Object.keys(data.flags)) expect(rules).toContain(`beacon.flags.${flag}`);
});
