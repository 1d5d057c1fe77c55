import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { createLog, Secret } from './log.ts';

test('one line of JSON for each event at or above the level', () => {
  const lines: string[] = [];
  const log = createLog('warn', (line) => lines.push(line));
  log.info('quiet');
  log.error('loud', { error: new Error('why', { cause: new TypeError('because') }), size: 7n, text: 'line\nbreak' });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toContain('\n');
  expect(JSON.parse(lines[0] as string)).toMatchObject({
    level: 'error',
    event: 'loud',
    error: { message: 'why', cause: { name: 'TypeError', message: 'because' } },
    size: '7',
  });
});

test('a text without end is cut', () => {
  const lines: string[] = [];
  createLog('debug', (line) => lines.push(line)).info('long', { text: 'x'.repeat(100_000) });
  expect(lines[0]?.length).toBeLessThan(3000);
});

test('a secret shows itself to nobody who does not ask', () => {
  const secret = new Secret('hunter2');
  const shown = [String(secret), `${secret}`, JSON.stringify({ secret }), inspect({ secret }), inspect(secret)];
  for (const text of shown) expect(text).toContain('[secret]');
  expect(shown.join()).not.toContain('hunter2');
  expect(Object.values(secret)).toEqual([]);
  expect(secret.reveal()).toBe('hunter2');
});
