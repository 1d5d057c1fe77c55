import { describe, expect, test } from 'vitest';
import { BeaconError } from '../errors.ts';
import { detect } from './admit.fixture.ts';
import { MAX_CONTEXT, readContext, redactContext } from './context.ts';

function fieldOf(value: unknown): string | undefined {
  try {
    readContext(value);
  } catch (error) {
    expect(error).toBeInstanceOf(BeaconError);
    expect((error as BeaconError).code).toBe('invalid_argument');
    return (error as BeaconError).field;
  }
  return undefined;
}

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });

describe('reading', () => {
  test('known fields are typed, unknown ones kept', () => {
    const value = {
      cwd: '/w/a',
      workspace: '/w',
      attended: true,
      git: { branch: 'main', head: 'abc', dirty: false, tracked: ['a'] },
      traceparent: '00-x',
      more: { a: [1, null, 'x'] },
    };
    expect(readContext(value)).toEqual(value);
    expect(readContext(undefined)).toEqual({});
    expect(readContext(null)).toEqual({});
  });

  test('what was read is a copy', () => {
    const value = { git: { tracked: ['a'] } };
    const context = readContext(value);
    value.git.tracked.push('b');
    expect(context.git?.tracked).toEqual(['a']);
  });

  test.each([
    ['x', 'context'],
    [[], 'context'],
    [{ cwd: 1 }, 'context.cwd'],
    [{ cwd: 'relative' }, 'context.cwd'],
    [{ workspace: '/a\0' }, 'context.workspace'],
    [{ attended: 'yes' }, 'context.attended'],
    [{ git: [] }, 'context.git'],
    [{ git: { branch: 1 } }, 'context.git.branch'],
    [{ git: { dirty: 1 } }, 'context.git.dirty'],
    [{ git: { tracked: 'a' } }, 'context.git.tracked'],
    [{ git: { tracked: [1] } }, 'context.git.tracked.0'],
    [{ a: '\ud800' }, 'context.a'],
    [{ a: 2 ** 53 }, 'context.a'],
    [{ a: Number.NaN }, 'context.a'],
    [{ a: () => 1 }, 'context.a'],
    [{ a: 'x'.repeat(MAX_CONTEXT) }, 'context'],
    [{ a: Array(20_000).fill(1) }, 'context'],
    [JSON.parse('{"__proto__": {"attended": true}}'), 'context'],
  ])('%o names %s', (value, field) => {
    expect(fieldOf(value)).toBe(field);
  });

  test('depth is bounded', () => {
    expect(fieldOf(deep(7))).toBeUndefined();
    expect(fieldOf(deep(12))).toMatch(/^context\.a/);
  });
});

test('secrets leave every string, and every key', () => {
  const secret = 'CANARY0123456789';
  const context = readContext({
    cwd: `/w/${secret}`,
    a: [{ b: secret }, secret],
    [secret]: 1,
    git: { branch: secret, tracked: [secret] },
  });
  const text = JSON.stringify(redactContext(context, detect));
  expect(text).not.toContain(secret);
  expect(text).toContain('[canary:');
});

test('a value is judged with its name', () => {
  const named = (text: string) => {
    const at = text.indexOf('password=');
    return at < 0
      ? []
      : [
          {
            kind: 'assigned',
            class: 'secret' as const,
            where: '',
            confidence: 'high' as const,
            digest: 'd'.repeat(64),
            start: at + 9,
            end: text.length,
          },
        ];
  };
  expect(redactContext({ password: 'horse' }, named)).toEqual({ password: '[assigned:dddddddd]' });
});
