import { expect, test } from 'vitest';
import { caseFault, MAX_CASES, readCases } from './policy-cases.ts';

const base = {
  input: { version: 1, identity: { tenant_id: 'a' }, facts: { score: 300 }, context: {}, externality: {} },
  part: { tool: 'sh', externality: { destination_type: 'none', external_write: false } },
  to: { own: { destination_type: 'repo' } },
};
const one = { name: 'ls', parts: [{ to: 'own', tool: 'ls' }], expect: { route: 'ALLOW', codes: ['read'] } };
const bytes = (value: unknown) => new Uint8Array(Buffer.from(JSON.stringify(value)));
const file = (cases: unknown) => bytes({ base, cases });

test('a case is a fragment over the base', () => {
  const facts = { score: 800 };
  const [first, second] = readCases(file({ files: [one, { ...one, name: 'more', parts: [{}], facts }], none: [] }));
  expect(first?.name).toBe('files: ls');
  const input = JSON.parse(Buffer.from(first?.input ?? []).toString());
  expect(input).toMatchObject({ version: 1, facts: { score: 300 }, findings: [] });
  expect(input.action.parts).toEqual([
    { tool: 'ls', externality: { destination_type: 'repo', external_write: false } },
  ]);
  expect(JSON.parse(Buffer.from(second?.input ?? []).toString())).toMatchObject({ facts });
});

test('nothing that a person may have misspelt is passed over', () => {
  const having = (change: object) => file({ files: [{ ...one, ...change }] });
  const expecting = (change: object) => having({ expect: { ...one.expect, ...change } });
  for (const bad of [
    bytes([]),
    bytes({ base }),
    bytes({ base, cases: { files: [one] }, more: 1 }),
    bytes({ base: { ...base, to: [] }, cases: { files: [one] } }),
    bytes({ base: { input: {}, part: {} }, cases: { files: [one] } }),
    file({}),
    file({ files: [] }),
    file({ files: one }),
    file({ files: [null] }),
    file({ files: Array(MAX_CASES + 1).fill(one) }),
    having({ name: '' }),
    having({ parts: {} }),
    having({ parts: ['x'] }),
    having({ parts: [{ to: 'nowhere' }] }),
    having({ parts: [{ to: 'toString' }] }),
    having({ fact: {} }),
    having({ expect: {} }),
    expecting({ route: 'ALOW' }),
    expecting({ codes: 'read' }),
    expecting({ codes: [1] }),
    expecting({ obligations: [1] }),
    expecting({ obligation: [] }),
    Buffer.from('{"base":{},"base":{},"cases":{}}'),
    new Uint8Array([0xff]),
  ]) {
    const attempt = () => readCases(bad);
    expect(attempt, Buffer.from(bad).toString().slice(0, 200)).toThrow(
      expect.objectContaining({ code: 'failed_precondition' }),
    );
  }
});

test('route, reasons and obligations are held; a denial for want of a verdict fits no case', () => {
  const reason = (code: string, rule = 'beacon.decide.x') => ({ rule, code, message: 'M.' });
  const verdict = { route: 'WARN' as const, reasons: [reason('a'), reason('b')], obligations: [{ kind: 'notify' }] };
  const fault = (expect: object, of = verdict) => caseFault({ expect: { route: 'WARN', codes: [], ...expect } }, of);
  expect(fault({ codes: ['b'] })).toBeUndefined();
  expect(fault({ obligations: ['notify'] })).toBeUndefined();
  expect(fault({ route: 'ALLOW' })).toContain('WARN');
  expect(fault({ codes: ['c'] })).toContain('c');
  expect(fault({ obligations: [] })).toContain('notify');
  expect(fault({}, { ...verdict, reasons: [reason('policy_error', 'beacon.builtin')] })).toContain('no verdict');
});
