// The table of regions: what it lets a tenant's data lie in, and that nothing else ever comes out of it.

import { expect, test } from 'vitest';
import {
  chooseRegion,
  parseResidency,
  regionsOf,
  wishInBaggage,
  wishInContext,
  wishInContextJson,
} from './residency.ts';

const parse = (table: unknown) => parseResidency(Buffer.from(JSON.stringify(table)));
const REGIONS = { eu: { otlp_endpoint: 'https://otel.eu.example/v1/traces' }, us: {} };
const TABLE = parse({ regions: REGIONS, tenants: { acme: ['eu'], globex: ['us', 'eu'] } });

test('a tenant is in its first region, and may wish for another of its own', () => {
  expect(chooseRegion(TABLE, 'acme', undefined)).toBe('eu');
  expect(chooseRegion(TABLE, 'globex', undefined)).toBe('us');
  expect(chooseRegion(TABLE, 'globex', 'eu')).toBe('eu');
  expect(TABLE.regions.get('eu')?.otlpEndpoint).toBe('https://otel.eu.example/v1/traces');
});

test.each(['us', 'mars', '', 'EU', 'eu '])('a wish for %j is refused, not answered with another region', (wish) => {
  expect(() => chooseRegion(TABLE, 'acme', wish)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

test('a tenant that is not named has no region, unless the table says where the others are', () => {
  expect(() => chooseRegion(TABLE, 'nobody', undefined)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(() => chooseRegion(TABLE, 'constructor', 'eu')).toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(regionsOf(TABLE, 'nobody')).toEqual([]);
  expect(chooseRegion(parse({ regions: REGIONS, others: ['us'] }), 'nobody', undefined)).toBe('us');
});

test.each([
  [],
  { tenants: {} },
  { regions: {} },
  { regions: { EU: {} } },
  { regions: { 'eu.west': {} } },
  { regions: { eu: { otlp_endpoint: 'collector:4318' } } },
  { regions: { eu: { otel: 'https://x' } } },
  { regions: REGIONS, tenants: { acme: [] } },
  { regions: REGIONS, tenants: { acme: ['mars'] } },
  { regions: REGIONS, tenants: { acme: ['eu', 'eu'] } },
  { regions: REGIONS, tenants: { acme: 'eu' } },
  { regions: REGIONS, tenants: { 'a b': ['eu'] } },
  { regions: REGIONS, others: [] },
  { regions: REGIONS, tenant: { acme: ['eu'] } },
])('is no table: %j', (table) => {
  expect(() => parse(table)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

test('a long baggage header is read as fast as a short one: whoever sends it need not have shown who they are', () => {
  const slow = `a= x${' '.repeat(8_000)}x`;
  const startedMs = performance.now();
  for (let n = 0; n < 50; n += 1) expect(wishInBaggage(slow)).toBeUndefined();
  expect(performance.now() - startedMs).toBeLessThan(500);
});

test('a wish stands in baggage or in the context', () => {
  expect(wishInBaggage('a=1, beacon.region=eu;secret=x, b=2')).toBe('eu');
  expect(wishInBaggage('beacon.region = us')).toBe('us');
  expect(wishInBaggage('beacon.region=')).toBe('');
  expect(wishInBaggage('xbeacon.region=eu,beacon.regions=us')).toBeUndefined();
  expect(wishInBaggage(undefined)).toBeUndefined();
  expect(wishInContext({ region: 'eu' })).toBe('eu');
  expect(wishInContext({ region: ['eu'] })).toBe('');
  expect(wishInContext(null)).toBeUndefined();
  expect(wishInContextJson('{"region":"us"}')).toBe('us');
  expect(wishInContextJson('{"region":')).toBeUndefined();
});
