// What every keeper of idempotency keys must do.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Idempotency } from './port.ts';

const LOG = 'aaaaaaaaaaaa';
const at = (index: number, logId = LOG) => ({ logId, index });
const key = { tenantId: 't', agentId: 'a', key: 'k1' };
const record = { proposalDigest: 'd1', receiptId: `${LOG}-3`, actionId: 'act_1', expiresAtMs: 2_000 };

export function describeIdempotency(name: string, make: () => Promise<Idempotency> | Idempotency): void {
  describe(`idempotency: ${name}`, () => {
    let keys: Idempotency;
    beforeEach(async () => {
      keys = await make();
    });

    it('gives a key to exactly one of many', async () => {
      const claims = await Promise.all(Array.from({ length: 100 }, () => keys.claim(key, 'd1', 1_000)));
      expect(claims.filter((claim) => claim.kind === 'fresh')).toHaveLength(1);
      expect(claims.filter((claim) => claim.kind === 'pending' && claim.proposalDigest === 'd1')).toHaveLength(99);
    });

    it('answers a completed key with its record, whatever was proposed', async () => {
      await keys.claim(key, 'd1', 1_000);
      await keys.complete(key, record, at(3));
      expect(await keys.claim(key, 'd1', 1_001)).toEqual({ kind: 'done', record });
      expect(await keys.claim(key, 'd2', 1_001)).toEqual({ kind: 'done', record });
    });

    it('gives an abandoned key anew', async () => {
      await keys.claim(key, 'd1', 1_000);
      await keys.abandon(key);
      expect((await keys.claim(key, 'd2', 1_000)).kind).toBe('fresh');
    });

    it('keeps tenants, agents and keys apart', async () => {
      await keys.claim(key, 'd1', 1_000);
      for (const other of [
        { ...key, tenantId: 'u' },
        { ...key, agentId: 'b' },
        { ...key, key: 'k2' },
      ]) {
        expect((await keys.claim(other, 'd1', 1_000)).kind).toBe('fresh');
      }
      await expect(keys.claim({ ...key, key: 'a\0b' }, 'd1', 1)).rejects.toMatchObject({ code: 'invalid_argument' });
    });

    it('forgets a record at the end of its retention, and lets it be replaced', async () => {
      await keys.complete(key, record, at(3));
      expect((await keys.claim(key, 'd2', 1_999)).kind).toBe('done');
      expect((await keys.claim(key, 'd2', 2_000)).kind).toBe('fresh');
      const later = { ...record, proposalDigest: 'd2', receiptId: `${LOG}-9`, expiresAtMs: 4_000 };
      await keys.complete(key, later, at(9));
      expect(await keys.claim(key, 'd2', 2_001)).toEqual({ kind: 'done', record: later });
    });

    it('takes a completion at or below the record’s position as a repeat', async () => {
      await keys.complete(key, record, at(3));
      await keys.complete(key, { ...record, receiptId: 'other' }, at(3));
      await keys.complete(key, { ...record, receiptId: 'other' }, at(2));
      expect(await keys.claim(key, 'd1', 1_000)).toEqual({ kind: 'done', record });
    });

    it('sweeps what is past its retention, within the limit', async () => {
      for (let n = 0; n < 5; n++) await keys.complete({ ...key, key: `k${n}` }, record, at(n));
      await keys.complete({ ...key, key: 'fresh' }, { ...record, expiresAtMs: 9_000 }, at(9));
      expect(await keys.sweep(1_999, 10)).toBe(0);
      expect(await keys.sweep(2_000, 3)).toBe(3);
      expect(await keys.sweep(2_000, 10)).toBe(2);
      expect((await keys.claim({ ...key, key: 'fresh' }, 'd1', 2_000)).kind).toBe('done');
    });

    it('says up to where each record reflects a log', async () => {
      expect(await keys.recorded(LOG, [])).toEqual([]);
      await keys.complete(key, record, at(3));
      await keys.complete({ ...key, key: 'k0' }, record, at(0));
      await keys.complete({ ...key, key: 'k2' }, record, at(4, 'bbbbbbbbbbbb'));
      await keys.claim({ ...key, key: 'k3' }, 'd1', 1_000);
      const asked = ['k2', 'k1', 'k0', 'k3', 'k4'].map((name) => ({ ...key, key: name }));
      expect(await keys.recorded(LOG, asked)).toEqual([-1, 3, 0, -1, -1]);
      expect(await keys.recorded(LOG, [{ ...key, tenantId: 'u' }])).toEqual([-1]);
      const many = Array.from({ length: 300 }, (_, n) => ({ ...key, key: `none-${n}` }));
      expect(await keys.recorded(LOG, [...many, key])).toEqual([...many.map(() => -1), 3]);
    });

    it('advances from where it was told to be, and not when it was never told', async () => {
      expect(await keys.advanceFrom(0, at(5))).toBe(false);
      await keys.advance(at(0));
      expect(await keys.advanceFrom(0, at(5))).toBe(true);
      expect(await keys.advanceFrom(6, at(9))).toBe(false);
      expect(await keys.position(LOG)).toBe(5);
      expect(await keys.advanceFrom(4, at(9))).toBe(true);
      expect(await keys.position(LOG)).toBe(9);
    });

    it('keeps one position for each log, and only moves it forward', async () => {
      expect(await keys.position(LOG)).toBe(0);
      await keys.advance(at(7));
      await keys.advance(at(3));
      expect(await keys.position(LOG)).toBe(7);
      expect(await keys.position('bbbbbbbbbbbb')).toBe(0);
    });
  });
}
