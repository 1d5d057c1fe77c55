import fc from 'fast-check';
import { parse } from 'unbash';
import { expect, test } from 'vitest';
import { MAX_SHELL_TEXT, parseShell } from './parse.ts';
import { newState } from './values.ts';
import { expandWord } from './words.ts';

function expand(text: string, vars: { readonly [name: string]: string } = {}): string[] {
  const state = newState('/w', '/home/ada');
  for (const [name, value] of Object.entries(vars)) state.vars.set(name, { text: value, known: true, origins: [] });
  const command = parse(`x ${text}`).commands[0]?.command;
  if (command?.type !== 'Command') throw new Error('no command');
  const expander = { state, substitute: () => ({ origins: [] }), suspect: () => undefined };
  return command.args
    .flatMap((word) => (word.type === 'Word' ? expandWord(word, expander) : []))
    .map((word) => `${word.known ? '' : '?'}${word.glob ? '*' : ''}${word.text}`);
}

test.each([
  ['\'a b\' "c d" e\\ f', ['a b', 'c d', 'e f']],
  ["$'\\x2f\\057\\u002f'", ['///']],
  ['$A "$A" $A$B', ['1', '2', '1 2', '1', '23']],
  ['a{b,c}d {1..3}', ['abd', 'acd', '1', '2', '3']],
  ['*.ts "*.ts" \\*', ['**.ts', '*.ts', '*']],
  ['$UNSET "$UNSET/x"', ['?$UNSET', '?$UNSET/x']],
  ['~ ~/x "$HOME"', ['~', '~/x', '/home/ada']],
  [`\${A:-x} \${NOPE:-y} \${B:0:1} \${B/3/4} \${#B} \${B%3} \${B^^}`, ['1', '2', 'y', '3', '4', '1', '3']],
  [`$PWD \${PATH:0:1}`, ['/w', '/']],
  ["''", ['']],
  ['$EMPTY', []],
])('%s', (text, expected) => {
  expect(expand(text, { A: '1 2', B: '3', EMPTY: '' })).toEqual(expected);
});

test('text without special characters is itself', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_./,:@%+-]{1,40}$/), (text) => {
      expect(expand(`'${text}'`)).toEqual([text]);
      expect(expand(text)).toEqual([text]);
    }),
  );
});

test('what is too long, too deep or broken is opaque; a broken script still shows what comes first', () => {
  expect(parseShell('a'.repeat(MAX_SHELL_TEXT + 1)).opaque).toBe('too_long');
  expect(parseShell('$('.repeat(100)).opaque).toBe('too_deep');
  expect(parseShell('<<a '.repeat(300)).opaque).toBe('too_deep');
  const broken = parseShell('rm x\nif [ ; then');
  expect(broken.opaque).toBe('syntax');
  expect(broken.script?.commands.length).toBeGreaterThan(0);
});
