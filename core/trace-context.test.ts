// Trace context: what the W3C specification has a participant accept, pass on and drop.

import { expect, test } from 'vitest';
import { isTraceId, readTraceContext, unrecordedParent, writeTraceparent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test('a traceparent is read and written again', () => {
  const read = readTraceContext(`00-${TRACE}-${SPAN}-01`, 'congo=t61rcWkgMzE, rojo=00f067aa0ba902b7');
  expect(read).toEqual({ traceId: TRACE, spanId: SPAN, flags: 1, state: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7' });
  expect(read && writeTraceparent(read)).toBe(`00-${TRACE}-${SPAN}-01`);
  expect(readTraceContext(`00-${TRACE}-${SPAN}-00`)?.flags).toBe(0);
});

test('a version to come may say more; this one may not', () => {
  expect(readTraceContext(`cc-${TRACE}-${SPAN}-01-what-comes`)?.traceId).toBe(TRACE);
  expect(readTraceContext(`00-${TRACE}-${SPAN}-01-more`)).toBeUndefined();
});

test.each([
  undefined,
  7,
  '',
  'x',
  `ff-${TRACE}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01\n`,
])('names no span: %s', (traceparent) => {
  expect(readTraceContext(traceparent)).toBeUndefined();
});

test.each([
  'no equals sign',
  'UPPER=1',
  'a=b\u0000',
  `a=${'x'.repeat(600)}`,
  Array.from({ length: 33 }, (_, i) => `a${i}=1`).join(','),
  ['a=1'],
])('a tracestate that is none is dropped, its parent kept', (state) => {
  expect(readTraceContext(`00-${TRACE}-${SPAN}-01`, state)).toMatchObject({ traceId: TRACE, state: '' });
});

test('a trace without a span is named by one that is said not to be recorded', () => {
  expect(readTraceContext(unrecordedParent(TRACE))).toMatchObject({ traceId: TRACE, flags: 0 });
  expect(readTraceContext(unrecordedParent(`1${'0'.repeat(31)}`))).toMatchObject({ flags: 0 });
  expect(unrecordedParent('')).toBeUndefined();
  expect(isTraceId('0'.repeat(32))).toBe(false);
});
