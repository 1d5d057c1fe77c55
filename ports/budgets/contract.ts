// What every keeper of budgets must do.

import { describe, expect, it } from 'vitest';
import type { Budgets } from './port.ts';

export function describeBudgets(name: string, make: () => Promise<Budgets> | Budgets): void {
  const agent = { name: 'agent:t/a', capacity: 3, refillPerSecond: 1 };
  const tenant = { name: 'tenant:t', capacity: 5, refillPerSecond: 10 };

  describe(`budgets: ${name}`, () => {
    it('gives what the bucket holds, then says which is empty and for how long', async () => {
      const budgets = await make();
      for (let n = 0; n < 3; n++) expect((await budgets.take([agent], 1, 1000)).allowed).toBe(true);
      expect(await budgets.take([agent], 1, 1000)).toEqual({
        allowed: false,
        exhausted: 'agent:t/a',
        retryAfterMs: 1000,
      });
      expect((await budgets.take([agent], 1, 1999)).allowed).toBe(false);
      expect((await budgets.take([agent], 1, 2000)).allowed).toBe(true);
    });

    it('takes from all or from none', async () => {
      const budgets = await make();
      for (let n = 0; n < 3; n++) await budgets.take([tenant, agent], 1, 0);
      expect(await budgets.take([tenant, agent], 1, 0)).toMatchObject({ allowed: false, exhausted: 'agent:t/a' });
      const left = await budgets.take([tenant], 2, 0);
      expect(left.allowed).toBe(true);
      expect((await budgets.take([tenant], 1, 0)).allowed).toBe(false);
    });

    it('never holds more than its capacity, and nothing for a clock that went back', async () => {
      const budgets = await make();
      await budgets.take([agent], 3, 10_000);
      expect((await budgets.take([agent], 1, 5_000)).allowed).toBe(false);
      expect((await budgets.take([agent], 3, 99_999_999)).allowed).toBe(true);
      expect((await budgets.take([agent], 1, 99_999_999)).allowed).toBe(false);
    });

    it('gives exactly the capacity to many callers at once', async () => {
      const budgets = await make();
      const answers = await Promise.all(Array.from({ length: 50 }, () => budgets.take([tenant], 1, 7)));
      expect(answers.filter((answer) => answer.allowed)).toHaveLength(5);
    });

    it('keeps agents of other names apart', async () => {
      const budgets = await make();
      await budgets.take([agent], 3, 0);
      expect((await budgets.take([{ ...agent, name: 'agent:t/b' }], 3, 0)).allowed).toBe(true);
    });

    it('gives a window once, and all of it again when it ends, whatever was asked in between', async () => {
      const budgets = await make();
      const turn = { name: 'turn:t/a/o1', capacity: 3, refillPerSecond: 0, windowMs: 60_000 };
      expect((await budgets.take([turn], 1, 1_000)).allowed).toBe(true);
      expect((await budgets.take([turn], 1, 30_000)).allowed).toBe(true);
      expect((await budgets.take([turn], 1, 60_000)).allowed).toBe(true);
      for (const nowMs of [60_000, 60_500, 60_999]) {
        expect(await budgets.take([turn], 1, nowMs)).toEqual({
          allowed: false,
          exhausted: 'turn:t/a/o1',
          retryAfterMs: 61_000 - nowMs,
        });
      }
      for (let n = 0; n < 3; n++) expect((await budgets.take([turn], 1, 61_000 + n)).allowed).toBe(true);
      expect(await budgets.take([turn], 1, 61_010)).toMatchObject({ allowed: false, retryAfterMs: 59_990 });
      expect((await budgets.take([{ ...turn, name: 'turn:t/a/o2' }], 1, 61_010)).allowed).toBe(true);
    });

    it('gives nothing for a clock that went back behind the beginning of a window', async () => {
      const budgets = await make();
      const turn = { name: 'turn:t/a/o1', capacity: 1, refillPerSecond: 0, windowMs: 60_000 };
      await budgets.take([turn], 1, 100_000);
      expect((await budgets.take([turn], 1, 1_000)).allowed).toBe(false);
    });

    it('names the one that holds up longest, and takes nothing from a window beside an empty bucket', async () => {
      const budgets = await make();
      const turn = { name: 'turn:t/a/o1', capacity: 2, refillPerSecond: 0, windowMs: 60_000 };
      await budgets.take([agent], 3, 0);
      expect(await budgets.take([turn, agent], 1, 0)).toMatchObject({ exhausted: 'agent:t/a', retryAfterMs: 1_000 });
      await budgets.take([turn], 2, 0);
      expect(await budgets.take([turn, agent], 1, 0)).toMatchObject({ exhausted: 'turn:t/a/o1', retryAfterMs: 60_000 });
      const left = await budgets.take([{ ...turn, name: 'turn:t/a/o2' }], 2, 0);
      expect(left.allowed).toBe(true);
    });

    it('takes back what was taken for nothing, at most what it holds and not into the next window', async () => {
      const budgets = await make();
      const turn = { name: 'turn:t/a/o1', capacity: 3, refillPerSecond: 0, windowMs: 60_000 };
      await budgets.take([agent, turn], 3, 1_000);
      await budgets.give([agent, turn], 1, 1_000);
      expect((await budgets.take([agent, turn], 1, 1_000)).allowed).toBe(true);
      expect((await budgets.take([turn], 1, 1_000)).allowed).toBe(false);
      for (let n = 0; n < 5; n++) await budgets.give([agent, turn], 1, 1_000);
      expect((await budgets.take([agent], 3, 1_000)).allowed).toBe(true);
      expect((await budgets.take([agent], 1, 1_000)).allowed).toBe(false);
      await budgets.take([turn], 2, 61_000);
      await budgets.give([turn], 1, 121_000);
      expect((await budgets.take([turn], 3, 121_000)).allowed).toBe(true);
      await budgets.give([{ ...turn, name: 'turn:t/a/o9' }], 1, 1_000);
      expect((await budgets.take([{ ...turn, name: 'turn:t/a/o9' }], 3, 1_000)).allowed).toBe(true);
      expect((await budgets.take([{ ...turn, name: 'turn:t/a/o9' }], 1, 1_000)).allowed).toBe(false);
    });

    it('has no more for being swept', async () => {
      const budgets = await make();
      const slow = { ...agent, refillPerSecond: 0.1 };
      await budgets.take([slow], 1, 0);
      await budgets.take([slow], 2, 500);
      await budgets.sweep(11_000, 100);
      expect((await budgets.take([slow], 2, 11_000)).allowed).toBe(false);
      expect((await budgets.take([slow], 1, 11_000)).allowed).toBe(true);
    });

    it('has a window again only when its time is over, however often it is swept', async () => {
      const budgets = await make();
      const turn = { name: 'turn:t/a/o1', capacity: 1, refillPerSecond: 0, windowMs: 60_000 };
      await budgets.take([turn], 1, 0);
      await budgets.sweep(59_999, 100);
      expect((await budgets.take([turn], 1, 59_999)).allowed).toBe(false);
      await budgets.sweep(60_000, 100);
      expect((await budgets.take([turn], 1, 60_000)).allowed).toBe(true);
    });

    it('refuses none, too many, the same twice, and a cost no bucket can ever hold', async () => {
      const budgets = await make();
      const nine = Array.from({ length: 9 }, (_, n) => ({ ...tenant, name: `b${n}` }));
      const never = { ...agent, refillPerSecond: 0 };
      const both = { ...agent, windowMs: 1_000 };
      for (const buckets of [[], nine, [agent, agent], [never], [both], [{ ...never, windowMs: 0 }]]) {
        await expect(budgets.take(buckets, 1, 0)).rejects.toMatchObject({ code: 'invalid_argument' });
      }
      await expect(budgets.take([agent], 4, 0)).rejects.toMatchObject({ code: 'invalid_argument' });
    });
  });
}
