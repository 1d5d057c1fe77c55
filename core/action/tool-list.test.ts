// A list of tools as a server describes them: what of it becomes parts, texts and digests, and what is refused by its field.

import { expect, test } from 'vitest';
import { fingerprint } from '../fingerprint.ts';
import { admit, detect, digest } from './admit.fixture.ts';
import { admitProposal } from './admit.ts';
import { MAX_DESCRIBED_TOOLS, toolDigest } from './tool-list.ts';

const search = {
  name: 'search',
  description: 'Searches issues.',
  inputSchema: { type: 'object', properties: { query: { type: 'string', description: 'What to look for.' } } },
};
const create = { name: 'create_issue', description: 'Opens an issue.' };

const describe = (tools: readonly unknown[], more: object = {}) =>
  admit('output', { tool: 'github', toolsJson: JSON.stringify(tools), ...more });

test('each tool is a part of its server, named with the digest of its definition', () => {
  const { action, tools, summary } = describe([search, create]);
  expect(action.parts).toMatchObject([
    { tool: 'github', operation: 'describe', effect: 'output', flags: [] },
    { targets: [`tool:create_issue@${toolDigest(create)}`] },
  ]);
  expect(action.parts[0]?.targets).toEqual([`tool:search@${toolDigest(search)}`]);
  expect(tools).toEqual(['github']);
  expect(summary).toContain('github describe');
});

test('another definition is another action; the order of keys and `_meta` are nothing', () => {
  const of = (tool: object) => fingerprint(describe([tool]).action);
  const reordered = { inputSchema: search.inputSchema, description: search.description, name: search.name };
  expect(of(reordered)).toBe(of(search));
  expect(of({ ...search, _meta: { at: 1 } })).toBe(of(search));
  expect(of({ ...search, description: 'Searches issues. ' })).not.toBe(of(search));
  expect(of({ ...search, inputSchema: { ...search.inputSchema, required: ['query'] } })).not.toBe(of(search));
});

test('a description that is another than the first one seen', () => {
  const flags = (firstSeen: object) => describe([search, create], { firstSeen }).action.parts.map((part) => part.flags);
  expect(flags({})).toEqual([[], []]);
  expect(flags({ search: toolDigest(search), create_issue: toolDigest(create) })).toEqual([[], []]);
  expect(flags({ search: toolDigest(create) })).toEqual([['description_changed'], []]);
  // What every object has is no tool that was seen.
  const odd = { ...create, name: 'constructor' };
  expect(describe([odd], { firstSeen: {} }).action.parts[0]?.flags).toEqual([]);
});

test('every name and text is looked through, with its place; nothing found stands anywhere in clear', () => {
  const seen: [string, string | undefined][] = [];
  const spy = (text: string, where: string, place?: string) => {
    seen.push([where, place]);
    return detect(text, where);
  };
  const tools = [
    { ...search, description: 'CANARYdescription' },
    {
      name: 'CANARYname',
      inputSchema: { properties: { CANARYkeyed: { enum: ['CANARYenum'], default: 'CANARYdefault' } } },
    },
  ];
  const kind = { case: 'output', value: { tool: 'github', toolsJson: JSON.stringify(tools) } };
  const admitted = admitProposal({ actions: [{ kind }], context: {}, detect: spy as typeof detect, digest });
  expect(admitted.findings).toHaveLength(5);
  expect(new Set(admitted.findings.map(({ where }) => where))).toEqual(
    new Set(['action.tools.0.description', 'action.tools.1']),
  );
  expect(seen.filter(([, place]) => place !== undefined).every(([, place]) => place === 'description')).toBe(true);
  expect(JSON.stringify(admitted)).not.toContain('CANARY');
});

test('no name reads as a digest', () => {
  const tricky = { ...search, name: `x@${toolDigest(search)}` };
  const [target = ''] = describe([tricky]).action.parts[0]?.targets ?? [];
  expect(target).toMatch(/^tool:\?[0-9a-f]{16}@sha256:[0-9a-f]{64}$/);
});

test.each([
  [[], {}, 'action.tools'],
  [[7], {}, 'action.tools.0'],
  [[search, { description: 'x' }], {}, 'action.tools.1.name'],
  [[{ name: '' }], {}, 'action.tools.0.name'],
  [Array.from({ length: MAX_DESCRIBED_TOOLS + 1 }, () => search), {}, 'action.tools'],
  [[search], { firstSeen: { search: 'abc' } }, 'action.first_seen'],
  [[search], { firstSeen: [] }, 'action.first_seen'],
  [[search], { text: 'and a text' }, 'action.tools'],
])('%j with %j is refused by its field', (tools, more, field) => {
  expect(() => describe(tools, more)).toThrow(expect.objectContaining({ code: 'invalid_argument', field }));
});

test('deep, broken or no list at all', () => {
  let deep: object = {};
  for (let i = 0; i < 40; i += 1) deep = { deep };
  expect(() => describe([{ name: 'x', deep }])).toThrow(/nested deeper/);
  for (const toolsJson of ['{}', '[', 'x', '[{"name":"a","name":"b"}]']) {
    expect(() => admit('output', { tool: 't', toolsJson }), toolsJson).toThrow(/action.tools/);
  }
  expect(() => describe([{ name: 'x', description: 'y'.repeat(140_000) }])).toThrow(
    expect.objectContaining({ code: 'payload_too_large' }),
  );
});
