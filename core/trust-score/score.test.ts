import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOW_SCORE } from './level.ts';
import { counted, DAY_ONE, decision, leak, outside, worked } from './samples.fixture.ts';
import { bandOf, computeScore, standingOf } from './score.ts';
import {
  addReceipt,
  addUnqualified,
  emptyTally,
  MAX_VOIDS,
  type ReceiptView,
  readTally,
  type Tally,
  UNQUALIFIED_REASONS,
  voidReceipt,
  writeTally,
} from './tally.ts';

const D = DAY_ONE;
const tallied = (receipts: readonly ReceiptView[]) => receipts.reduce(addReceipt, emptyTally());
const times = <T>(n: number, make: (at: number) => T): T[] => Array.from({ length: n }, (_, at) => make(at));
const scored = (receipts: readonly ReceiptView[], day = D) => computeScore(tallied(receipts), day);
const points = (receipts: readonly ReceiptView[], name: string, day = D) =>
  scored(receipts, day).factors.find((factor) => factor.name === name)?.points;

describe('trust score', () => {
  it('gives these exact factors for these receipts', () => {
    const score = scored(
      [
        ...times(12, () => worked(D - 40)).flat(),
        ...times(4, () => worked(D - 3)).flat(),
        ...worked(D, 'failed'),
        ...worked(D, 'lost_confirmation'),
        decision(D, 'WARN', { externality: outside }),
        decision(D - 1, 'DENY'),
        decision(D - 2, 'DENY', { parts: [{ effect: 'read' }, { effect: 'disk_destroy' }] }),
        decision(D - 90, 'DENY', { externality: leak }),
        decision(D - 1, 'APPROVAL'),
        counted('approval', D - 1, { status: 'requested' }),
        counted('approval', D - 1, { status: 'approved' }),
        counted('assumption', D, { status: 'unverified' }),
        counted('assumption', D, { status: 'confirmed', observed_digests: ['a'.repeat(64)] }),
        counted('assumption', D, { status: 'confirmed' }),
        counted('assumption', D - 7, { status: 'refuted' }),
      ],
      D,
    );
    expect(score).toMatchInlineSnapshot(`
      {
        "asOf": "2024-10-04",
        "band": "poor",
        "factors": [
          {
            "explanation": "Allowed: 18; allowed with a warning: 1; only looked: 0; denied: 3, of these severe: 1.",
            "name": "policy_conduct",
            "points": -145,
            "receipts": 22,
          },
          {
            "explanation": "Succeeded: 16; failed or partial: 1; ended without a confirmation: 1; voided: 0.",
            "name": "outcome_reliability",
            "points": 48,
            "receipts": 18,
          },
          {
            "explanation": "Assumptions confirmed by what was observed: 1; by the agent's word alone, which counts nothing: 1; refuted: 1.",
            "name": "assumption_accuracy",
            "points": -2,
            "receipts": 3,
          },
          {
            "explanation": "Requests a person approved: 1; denied: 0.",
            "name": "approval_conduct",
            "points": 7,
            "receipts": 1,
          },
          {
            "explanation": "Reached outside and allowed: 1; denied: 1, of these with secrets or regulated data: 1.",
            "name": "externality_exposure",
            "points": -59,
            "receipts": 2,
          },
          {
            "explanation": "Actions closed by a report: 17; never reported on: 1.",
            "name": "evidence_completeness",
            "points": 27,
            "receipts": 18,
          },
          {
            "explanation": "Receipts in the last 180 days: 65, on days: 7.",
            "name": "tenure_and_volume",
            "points": 4,
            "receipts": 65,
          },
        ],
        "score": 300,
        "totalReceipts": 65,
        "unqualified": [],
        "validReceipts": 65,
        "version": "beacon.score.v1",
      }
    `);
  });

  it('puts an agent without receipts at the floor', () => {
    const score = computeScore(emptyTally(), D);
    expect(score).toMatchObject({ score: 300, band: 'poor', totalReceipts: 0, validReceipts: 0, unqualified: [] });
    expect(score.factors.map((factor) => factor.points)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(score.asOf).toBe('2024-10-04');
  });

  it('counts what does not qualify in the total alone, and says why', () => {
    let tally = tallied([decision(D, 'ALLOW')]);
    const before = computeScore(tally, D);
    for (const reason of UNQUALIFIED_REASONS) tally = addUnqualified(tally, reason, D);
    tally = addUnqualified(tally, 'unsigned', D);
    const after = computeScore(tally, D);
    expect(after.score).toBe(before.score);
    expect(after.validReceipts).toBe(1);
    expect(after.totalReceipts).toBe(7);
    expect(after.unqualified).toEqual([
      { reason: 'bad_signature', count: 1 },
      { reason: 'malformed', count: 1 },
      { reason: 'not_in_ledger', count: 1 },
      { reason: 'unknown_key', count: 1 },
      { reason: 'unsigned', count: 2 },
    ]);
  });

  it('knows the bands', () => {
    const edges = [300, 579, 580, 669, 670, 739, 740, 799, 800, 850].map(bandOf);
    const names = ['poor', 'fair', 'good', 'very_good', 'exceptional'];
    expect(edges).toEqual(names.flatMap((name) => [name, name]));
  });
});

describe('conduct moves the score', () => {
  const busy = (days: number, perDay: number) => times(days, (n) => times(perDay, () => worked(D - n)).flat()).flat();

  it('raises an agent that does honest harmless work, day by day', () => {
    const scores = [busy(1, 7), busy(5, 10), busy(60, 10)].map((receipts) => scored(receipts).score);
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    expect(scores[0]).toBeGreaterThan(550);
    expect(scores[2]).toBeGreaterThan(700);
  });

  it('does not let a day of spam reach far', () => {
    const spam = scored(busy(1, 5_000));
    expect(spam.score).toBeLessThan(670);
    expect(spam.score - scored(busy(1, 50)).score).toBeLessThan(10);
  });

  it('reaches the exceptional band only with every factor shown', () => {
    const work = busy(120, 15);
    expect(scored(work).score).toBeLessThan(740);
    const shown = times(120, (n) => [
      counted('assumption', D - n, { status: 'confirmed', observed_digests: ['a'.repeat(64)] }),
      counted('approval', D - n, { status: 'approved' }),
      decision(D - n, 'ALLOW', { externality: outside }),
    ]).flat();
    const full = scored([...work, ...shown]);
    expect(full.band).toBe('exceptional');
    expect(full.score).toBeLessThanOrEqual(850);
  });

  it('keeps an agent that only looks above the low score, and never lets it rise by that', () => {
    const look = { parts: [{ effect: 'read' }, { effect: 'none' }] };
    const looked = (days: number, perDay: number) =>
      times(days, (n) => times(perDay, () => worked(D - n, 'succeeded', look)).flat()).flat();
    expect(scored(looked(1, 7)).score).toBeGreaterThanOrEqual(LOW_SCORE);
    expect(scored(times(20, () => decision(D, 'ALLOW', look))).score).toBeGreaterThanOrEqual(LOW_SCORE);
    expect(scored(looked(1, 300)).score).toBeLessThan(500);
    expect(scored(looked(180, 25)).score).toBeLessThan(580);
    // Nor does looking all day wash out what was denied, or make a few deeds many.
    const denied = decision(D, 'DENY');
    expect(scored([...looked(60, 20), denied, denied]).score).toBeLessThan(LOW_SCORE);
    expect(scored([...looked(1, 200), ...worked(D)]).score - scored(worked(D)).score).toBeLessThan(160);
    expect(scored([...looked(1, 200), ...busy(1, 7)]).score).toBeGreaterThanOrEqual(scored(busy(1, 7)).score);
  });

  it('believes no more successes in a day than there were deeds', () => {
    const words = times(500, () => counted('outcome', D, { status: 'succeeded' }));
    expect(scored(words).score).toBeLessThan(340);
  });

  it('takes an assumption for accurate only by what was observed', () => {
    const said = times(50, () => counted('assumption', D, { status: 'confirmed' }));
    const seen = times(5, () => counted('assumption', D, { status: 'confirmed', observed_digests: ['b'.repeat(64)] }));
    expect(points(said, 'assumption_accuracy')).toBe(0);
    expect(points(seen, 'assumption_accuracy')).toBeGreaterThan(0);
    expect(points([...said, ...seen], 'assumption_accuracy')).toBe(points(seen, 'assumption_accuracy'));
  });

  it('lowers conduct for a denial, more for a severe one, and not for a stop or a fault of Beacon', () => {
    const base = times(20, () => decision(D, 'ALLOW'));
    const withOne = (over: Record<string, unknown>) =>
      points([...base, decision(D, 'DENY', over)], 'policy_conduct') ?? 0;
    const clean = points(base, 'policy_conduct') as number;
    const plain = withOne({});
    const severe = withOne({ parts: [{ effect: 'self_governance' }] });
    expect(plain).toBeLessThan(clean);
    expect(severe).toBeLessThan(plain - 100);
    for (const rule of ['beacon.builtin', 'beacon.revocation.scope', 'beacon.budget.exhausted']) {
      expect(withOne({ reasons: [{ rule, code: 'x' }], parts: [{ effect: 'self_governance' }] })).toBe(clean);
    }
    const mixed = [
      { rule: 'beacon.revocation.scope', code: 'revoked' },
      { rule: 'beacon.effects.write', code: 'y' },
    ];
    expect(withOne({ reasons: mixed })).toBe(plain);
    expect(withOne({ reasons: [{ rule: 'beacon.builtinx', code: 'x' }] })).toBe(plain);
  });

  it('keeps an agent low that hides one severe attempt a day in harmless calls', () => {
    const days = times(60, (n) => decision(D - n, 'DENY', { parts: [{ effect: 'disk_destroy' }] }));
    expect(scored([...busy(60, 50), ...days]).score).toBeLessThan(450);
  });

  it('gives a warning less than an allowance', () => {
    const of = (route: string) =>
      points(
        times(5, () => decision(D, route)),
        'policy_conduct',
      ) as number;
    expect(of('WARN')).toBeGreaterThan(0);
    expect(of('WARN')).toBeLessThan(of('ALLOW'));
    expect(of('SIMULATE')).toBe(0);
    expect(of('APPROVAL')).toBe(0);
  });

  it('counts lost confirmations against reliability and completeness', () => {
    const lost = times(20, () => worked(D, 'lost_confirmation')).flat();
    expect(points(lost, 'outcome_reliability')).toBeLessThan(-100);
    expect(points(lost, 'evidence_completeness')).toBeLessThan(-50);
  });

  it('forgets slowly, and beyond the horizon wholly', () => {
    const bad = times(30, () => decision(D, 'DENY'));
    const good = busy(5, 10);
    const later = [0, 45, 179, 180].map((days) => scored(good, D + days).score);
    expect(later).toEqual([...later].sort((a, b) => b - a));
    expect(later[3]).toBe(300);
    expect(points(bad, 'policy_conduct', D + 180)).toBe(0);
    expect(scored(bad, D + 400).validReceipts).toBe(30);
  });

  it('states a day: what came after it does not count', () => {
    const receipts = [...worked(D - 10), ...worked(D)];
    expect(scored(receipts, D - 1)).toEqual(scored(worked(D - 10), D - 1));
  });
});

describe('provenance', () => {
  const asserted = { client_provenance: 'asserted' };

  it('never lets asserted receipts move a minted identity', () => {
    const minted = times(5, () => worked(D)).flat();
    const noise = [...times(50, () => worked(D, 'succeeded', asserted)).flat(), decision(D, 'DENY', asserted)];
    const clean = scored(minted);
    const mixed = scored([...minted, ...noise]);
    expect(mixed.factors).toEqual(clean.factors);
    expect(mixed.validReceipts).toBe(15);
    expect(mixed.totalReceipts).toBe(15 + 151);
    expect(mixed.unqualified).toEqual([{ reason: 'asserted', count: 151 }]);
    expect(standingOf(tallied(noise), 'authenticated', D).score).toBe(300);
  });

  it('shows the asserted standing while there is no other', () => {
    const tally = tallied(worked(D, 'succeeded', asserted));
    expect(computeScore(tally, D).validReceipts).toBe(3);
    expect(computeScore(tally, D).score).toBeGreaterThan(300);
    expect(standingOf(tally, 'asserted', D)).toEqual(computeScore(tally, D));
  });

  it('takes a receipt that names no provenance for asserted', () => {
    expect(decision(D, 'ALLOW', { client_provenance: undefined }).standing).toBe('asserted');
    expect(decision(D, 'ALLOW', { client_provenance: 'attested' }).standing).toBe('minted');
  });
});

describe('voids', () => {
  it('takes back what the receipt added, once, and counts the void', () => {
    const kept = worked(D - 1);
    const orphan = decision(D - 1, 'DENY');
    const tally = tallied([...kept, orphan]);
    const voided = voidReceipt(tally, 'l-9', orphan, D);
    expect(computeScore(voided, D)).toMatchObject({ validReceipts: 3, totalReceipts: 3 });
    const conduct = (of: Tally) => computeScore(of, D).factors.find((factor) => factor.name === 'policy_conduct');
    expect(conduct(voided)).toEqual(conduct(tallied(kept)));
    expect(computeScore(voided, D).factors[1]?.explanation).toContain('voided: 1.');
    expect(voidReceipt(voided, 'l-9', orphan, D + 1)).toEqual(voided);
  });
});

describe('many voids', () => {
  it('are remembered up to a bound, and none counts twice', () => {
    const orphan = decision(D, 'DENY');
    const n = MAX_VOIDS + 500;
    let tally = tallied(times(n, () => orphan));
    for (let at = 0; at < n; at += 1) tally = voidReceipt(tally, `l-${at}`, orphan, D);
    expect(tally.voids).toHaveLength(MAX_VOIDS);
    expect(writeTally(tally).length).toBeLessThan(MAX_VOIDS * 16);
    expect(computeScore(tally, D).validReceipts).toBe(0);
    expect(voidReceipt(tally, `l-${n - 1}`, orphan, D)).toBe(tally);
    expect(voidReceipt(tally, 'l-3', orphan, D)).toBe(tally);
  });
});

describe('recomputing', () => {
  const view = fc.record({
    day: fc.integer({ min: D - 400, max: D }),
    make: fc.constantFrom(
      (day: number) => decision(day, 'ALLOW'),
      (day: number) => decision(day, 'WARN', { externality: outside }),
      (day: number) => decision(day, 'DENY', { externality: leak }),
      (day: number) => decision(day, 'DENY', { parts: [{ effect: 'flood' }] }),
      (day: number) => counted('action', day),
      (day: number) => counted('outcome', day, { status: 'succeeded' }),
      (day: number) => counted('outcome', day, { status: 'lost_confirmation' }),
      (day: number) => counted('assumption', day, { status: 'refuted', client_provenance: 'asserted' }),
      (day: number) => counted('approval', day, { status: 'denied' }),
    ),
  });
  const receipts = fc.array(
    view.map(({ day, make }) => make(day)),
    { maxLength: 60 },
  );

  it('gives the same tally in any order and any batches, through the store or from scratch', () => {
    const shuffles = receipts.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }), fc.nat({ max: 60 })),
    );
    fc.assert(
      fc.property(shuffles, ([list, shuffled, split]) => {
        const scratch = tallied(list);
        const stored = readTally(writeTally(tallied(shuffled.slice(0, split))));
        const incremental = shuffled.slice(split).reduce(addReceipt, stored);
        expect(writeTally(incremental)).toBe(writeTally(scratch));
        expect(computeScore(incremental, D)).toEqual(computeScore(scratch, D));
      }),
      { numRuns: 200 },
    );
  });

  it('is what it was before a receipt that was voided, but for the void itself', () => {
    fc.assert(
      fc.property(receipts, view, (list, { day, make }) => {
        const orphan = make(day);
        const voided = voidReceipt(tallied([...list, orphan]), 'l-1', orphan, D);
        const never = tallied([...list, { standing: orphan.standing, day: D, counts: { voided: 1 } }]);
        expect(computeScore(voided, D)).toEqual(computeScore(never, D));
      }),
      { numRuns: 100 },
    );
  });

  it('stays within 300 and 850 and is 300 plus all points, clamped', () => {
    fc.assert(
      fc.property(receipts, (list) => {
        const { score, factors } = scored(list);
        const sum = factors.reduce((total, factor) => total + factor.points, 300);
        expect(score).toBe(Math.max(300, Math.min(850, sum)));
        expect(factors.every((factor) => Number.isSafeInteger(factor.points))).toBe(true);
      }),
    );
  });

  it('refuses a tally of another version', () => {
    expect(() => readTally('{"v":2}')).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});
