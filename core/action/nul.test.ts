// A NUL ends a text for some who read it, so that what runs is another thing than what was judged. No way in may bring one:
// HTTP refuses it in the body, but a proposal comes by gRPC too, and JSON travels within texts.

import { expect, test } from 'vitest';
import { admit, effects, tool } from './admit.fixture.ts';
import { readContext } from './context.ts';

const path = '/etc/shadow\0.md';
const argumentsJson = JSON.stringify({ file_path: path });
const WITH_NUL: readonly (readonly [field: string, kind: string, value: object])[] = [
  ['action.command', 'shell', { command: `cat ${path}` }],
  ['action.command', 'shell', { command: 'echo x > .git/hooks/pre-commit\0/../../../notes.md' }],
  ['action.cwd', 'shell', { command: 'ls', cwd: '/work\0' }],
  ['action.text', 'code', { language: 'python', text: `open("${path}")` }],
  ['action.patch', 'patch', { patch: `*** Begin Patch\n*** Delete File: ${path}\n*** End Patch` }],
  ['action.url', 'http', { method: 'GET', url: 'https://a.example\0.b.example/' }],
  ['action.headers.x', 'http', { method: 'GET', url: 'https://a.example/', headers: { x: '\0' } }],
  ['action.name', 'tool', { name: 'Read\0er', argumentsJson: '{}' }],
  ['action.arguments.file_path', 'tool', { name: 'Read', argumentsJson }],
  ['action.arguments.file_path', 'mcp', { server: 'fs', tool: 'read_file', argumentsJson }],
  ['action.object', 'kubernetes', { verb: 'get', objectJson: '{"kind\\u0000":"Pod"}' }],
  ['action.tools.0.name', 'output', { toolsJson: '[{"name":"a\\u0000"}]' }],
];

test.each(WITH_NUL)('%s of %s is refused: %j', (field, kind, value) => {
  expect(() => admit(kind, value)).toThrow(expect.objectContaining({ code: 'invalid_argument', field }));
});

test('in a call within a call it leaves the call unknown', () => {
  const inner = (file: string) => ({ function: { name: 'Read', arguments: JSON.stringify({ file_path: file }) } });
  expect(effects(tool('batch', inner('/etc/shadow')))).toEqual(['read_credential']);
  expect(effects(tool('batch', inner(path)))).toEqual(['unknown']);
});

test('in the context too, in values and names', () => {
  const refused = (field: string) => expect.objectContaining({ code: 'invalid_argument', field });
  expect(() => readContext({ cwd: '/work\0' })).toThrow(refused('context.cwd'));
  expect(() => readContext({ git: { branch: 'main\0' } })).toThrow(refused('context.git.branch'));
  expect(() => readContext({ told: { 'a\0': 1 } })).toThrow(refused('context.told'));
});
