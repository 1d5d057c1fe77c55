// What every receipt stream must do.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Consumption, ReceiptStream, StreamedReceipt } from './port.ts';

export const LOGS = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'] as const;

export function streamed(index: number, logId: string = LOGS[0], over: Partial<StreamedReceipt> = {}): StreamedReceipt {
  const envelope = new Uint8Array(Buffer.from(`{"leaf":"${logId}-${index}","text":"\u00fc\u0000"}`));
  return { receiptId: `${logId}-${index}`, logId, index, tenantId: 't.1@x', envelope, ...over };
}
export const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

const SETTLE_MS = 400;
/** Well below the time after which silence is taken for an end. */
const TAKE_OVER_MS = 3_500;

/** `make` gives an empty stream; both streams of `pair` are the same one, seen from two processes. */
export function describeReceiptStream(
  name: string,
  make: () => Promise<{ one: ReceiptStream; two: ReceiptStream }>,
  waitMs = 15_000,
): void {
  const until = (check: () => unknown) => vi.waitFor(check, { timeout: waitMs, interval: 10 });

  describe(`receipt stream: ${name}`, () => {
    let one: ReceiptStream;
    let two: ReceiptStream;
    const running: Consumption[] = [];
    const take = (from: ReceiptStream, logId: string, handle: (r: StreamedReceipt) => Promise<void>, durable = 'd') => {
      const consumption = from.consume(durable, logId, handle);
      running.push(consumption);
      return consumption;
    };
    beforeEach(async () => {
      ({ one, two } = await make());
    });
    afterEach(async () => {
      for (const consumption of running.splice(0)) await consumption.stop();
      await one.close();
      await two.close();
    });

    it('carries every field, each log by itself and in order, early and late receipts alike', async () => {
      const got: StreamedReceipt[] = [];
      const other: number[] = [];
      const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
      const tracestate = 'vendor=value';
      await one.publish([
        streamed(0, LOGS[0], { traceparent, tracestate }),
        streamed(0, LOGS[1]),
        streamed(1, LOGS[0]),
      ]);
      take(two, LOGS[0], async (receipt) => void got.push(receipt));
      take(two, LOGS[1], async (receipt) => void other.push(receipt.index));
      await until(() => expect(got).toHaveLength(2));
      await one.publish(numbers(2, 300).map((n) => streamed(n)));
      await until(() => expect(got).toHaveLength(300));
      // Served apart: nothing says which of the two consumptions is the first to begin.
      await until(() => expect(other).toHaveLength(1));
      expect(got.map(({ index }) => index)).toEqual(numbers(0, 300));
      expect(got[0]).toEqual(streamed(0, LOGS[0], { traceparent, tracestate }));
      expect(got[1]).toEqual(streamed(1));
      expect(other).toEqual([0]);
    });

    it('stores a receipt once that is published twice', async () => {
      const got: number[] = [];
      await one.publish([streamed(0), streamed(1)]);
      await two.publish([streamed(0), streamed(1), streamed(2)]);
      take(one, LOGS[0], async ({ index }) => void got.push(index));
      await until(() => expect(got).toHaveLength(3));
      expect(got).toEqual([0, 1, 2]);
    });

    it('hands over again what was rejected, and nothing that was acknowledged, also to the next one', async () => {
      const got: number[] = [];
      await one.publish(numbers(0, 4).map((n) => streamed(n)));
      const first = take(one, LOGS[0], async ({ index }) => {
        got.push(index);
        if (index === 2 && got.filter((n) => n === 2).length < 3) throw new Error('not now');
      });
      await until(() => expect(got.filter((n) => n === 2)).toHaveLength(3));
      expect(got.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 2, 2, 3]);
      await first.stop();
      await one.publish([streamed(4)]);
      const later: number[] = [];
      take(two, LOGS[0], async ({ index }) => void later.push(index));
      await until(() => expect(later).toHaveLength(1));
      expect(later).toEqual([4]);
    });

    it('serves one consumption of a name at a time; another takes over, with what was left open', async () => {
      const left: number[] = [];
      const right: number[] = [];
      const first = take(one, LOGS[0], async ({ index }) => {
        left.push(index);
        if (index >= 5) await new Promise(() => {});
      });
      await one.publish(numbers(0, 5).map((n) => streamed(n)));
      await until(() => expect(left).toHaveLength(5));
      take(two, LOGS[0], async ({ index }) => void right.push(index));
      // Until it asks, it could not be served.
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      await one.publish(numbers(5, 10).map((n) => streamed(n)));
      await until(() => expect(left).toHaveLength(10));
      expect(right).toEqual([]);
      const stoppedMs = performance.now();
      await first.stop();
      await until(() => expect(right.toSorted((a, b) => a - b)).toEqual(numbers(5, 10)));
      expect(performance.now() - stoppedMs).toBeLessThan(TAKE_OVER_MS);
    });

    it('gives each name its own memory', async () => {
      const got: string[] = [];
      await one.publish([streamed(0)]);
      take(one, LOGS[0], async () => void got.push('d'), 'd');
      take(one, LOGS[0], async () => void got.push('e'), 'e');
      await until(() => expect(got.toSorted()).toEqual(['d', 'e']));
    });

    it('says what it has of a log, under one identity', async () => {
      const { identity, last } = await one.reach(LOGS[0]);
      expect(last).toBeUndefined();
      await one.publish([streamed(0), streamed(1), streamed(7, LOGS[1])]);
      expect(await two.reach(LOGS[0])).toEqual({ identity, last: 1 });
      expect(await one.reach(LOGS[1])).toEqual({ identity, last: 7 });
    });
  });
}
