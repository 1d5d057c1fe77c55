// What every policy engine promises, as tests. `bundle` has canaries that are denied; `allowed` is an input it allows.

import { expect, test } from 'vitest';
import { readVerdict } from '../../core/route.ts';
import { MAX_INPUT_BYTES, type PolicyBundle, type PolicyEngine } from './port.ts';

export type PolicyEngineSetting = {
  readonly make: () => PolicyEngine;
  readonly bundle: () => Promise<PolicyBundle>;
  readonly allowed: object;
};

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

export function policyEngineContract({ make, bundle, allowed }: PolicyEngineSetting): void {
  const route = (result: unknown) => readVerdict(result).route;

  test('has no snapshot before the first activation', () => {
    expect(() => make().snapshot()).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  test('activates, names content and revision, decides', async () => {
    const engine = make();
    const given = await bundle();
    const snapshot = await engine.activate(given);
    expect(engine.snapshot()).toBe(snapshot);
    expect(snapshot.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(snapshot.revision).toBe(given.revision);
    expect(route(snapshot.evaluate(encode(allowed)))).toBe('ALLOW');
    for (const canary of given.canaries) expect(route(snapshot.evaluate(canary))).toBe('DENY');
  });

  test('refuses what it cannot stand behind and keeps the snapshot before', async () => {
    const engine = make();
    const good = await bundle();
    const before = await engine.activate(good);
    const bad: Record<string, Partial<PolicyBundle>> = {
      'a canary that is allowed': { canaries: [...good.canaries, encode(allowed)] },
      'no canary': { canaries: [] },
      'a canary that cannot be evaluated': { canaries: [new Uint8Array()] },
      'no module': { wasm: new Uint8Array() },
      'a torn module': { wasm: good.wasm.subarray(0, good.wasm.length >> 1) },
      'no data': { data: new Uint8Array() },
      'data that is a list': { data: encode([]) },
      'data that is not UTF-8': { data: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) },
      'data without the tables': { data: encode({}), canaries: [...good.canaries, encode(allowed)] },
    };
    for (const [name, part] of Object.entries(bad)) {
      const attempt = engine.activate({ ...good, ...part });
      if (name === 'data without the tables') {
        // It denies everything: safe, so it may be activated; it must not allow.
        await attempt.catch(() => undefined);
        expect(route(engine.snapshot().evaluate(encode(allowed))), name).not.toBe('WARN');
        await engine.activate(good);
        continue;
      }
      await expect(attempt, name).rejects.toMatchObject({ code: 'failed_precondition' });
      expect(engine.snapshot().digest, name).toBe(before.digest);
    }
  });

  test('swaps only after beforeSwap, and not at all when that fails', async () => {
    const engine = make();
    const good = await bundle();
    const before = await engine.activate(good);
    expect(before.expiresAtMs).toBe(Number.POSITIVE_INFINITY);
    const refusal = new Error('not recorded');
    const next = { ...good, revision: 'next', expiresAtMs: 7 };
    await expect(engine.activate(next, () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(engine.snapshot()).toBe(before);
    const after = await engine.activate(next, async (checked) => {
      expect(engine.snapshot()).toBe(before);
      expect(checked).toMatchObject({ digest: before.digest, revision: 'next', expiresAtMs: 7 });
    });
    expect(engine.snapshot()).toBe(after);
    let asked = false;
    const bad = engine.activate({ ...good, canaries: [encode(allowed)] }, async () => {
      asked = true;
    });
    await expect(bad).rejects.toMatchObject({ code: 'failed_precondition' });
    expect(asked).toBe(false);
  });

  test('keeps an old snapshot working while a new one is active', async () => {
    const engine = make();
    const good = await bundle();
    const before = await engine.activate(good);
    const after = await engine.activate({ ...good, revision: 'next' });
    expect(engine.snapshot()).toBe(after);
    expect(after.digest).toBe(before.digest);
    expect(before.evaluate(encode(allowed))).toEqual(after.evaluate(encode(allowed)));
  });

  test('owns what it was given', async () => {
    const given = await bundle();
    const snapshot = await make().activate(given);
    const { digest } = snapshot;
    given.wasm.fill(0);
    given.data.fill(0);
    expect(route(snapshot.evaluate(encode(allowed)))).toBe('ALLOW');
    expect(snapshot.digest).toBe(digest);
  });

  test('bounds its input', async () => {
    const snapshot = await make().activate(await bundle());
    const padded = (length: number) => encode({ ...allowed, padding: 'x'.repeat(length) });
    const overhead = padded(0).length;
    expect(route(snapshot.evaluate(padded(MAX_INPUT_BYTES - overhead)))).toBe('ALLOW');
    expect(() => snapshot.evaluate(padded(MAX_INPUT_BYTES - overhead + 1))).toThrow();
    const nested = (depth: number) =>
      encode({ ...allowed, padding: JSON.parse('['.repeat(depth) + ']'.repeat(depth)) });
    expect(route(snapshot.evaluate(nested(40)))).toBe('ALLOW');
    expect(() => snapshot.evaluate(nested(200))).toThrow();
    expect(() => snapshot.evaluate(new TextEncoder().encode('['.repeat(200_000)))).toThrow();
    // Brackets in texts are not nesting, and closing ones in texts do not hide any.
    expect(route(snapshot.evaluate(encode({ ...allowed, padding: '[{"\\'.repeat(1_000) })))).toBe('ALLOW');
    const hidden = [...Array(200)].reduce((inner: unknown) => [']]]]', inner], 0);
    expect(() => snapshot.evaluate(encode({ ...allowed, padding: hidden }))).toThrow();
    expect(route(snapshot.evaluate(encode(allowed)))).toBe('ALLOW');
  });

  test('allows nothing on input that is no object, and goes on', async () => {
    const snapshot = await make().activate(await bundle());
    const whole = JSON.stringify(allowed);
    const texts = [
      'null',
      'false',
      '0',
      '""',
      '[]',
      '{}',
      '"x"',
      ' ',
      '{',
      'nul',
      whole.slice(0, -1),
      `${whole}x`,
      `[${whole}]`,
    ];
    for (const text of texts) {
      const attempt = () => readVerdict(snapshot.evaluate(new TextEncoder().encode(text))).route;
      expect(denied(attempt), text).toBe(true);
    }
    expect(denied(() => route(snapshot.evaluate(new Uint8Array())))).toBe(true);
    expect(denied(() => route(snapshot.evaluate(encode(JSON.stringify(allowed)))))).toBe(true);
    expect(route(snapshot.evaluate(encode(allowed)))).toBe('ALLOW');
  });

  test('is a pure function of bundle and input: fresh, interleaved, with keys in another order', async () => {
    const given = await bundle();
    const inputs = [encode(allowed), ...given.canaries];
    const worn = await make().activate(given);
    for (let round = 0; round < 20; round += 1) {
      const at = (round * 7) % inputs.length;
      const input = inputs[at] as Uint8Array;
      const fresh = await make().activate(given);
      const expected = JSON.stringify(fresh.evaluate(input));
      for (const other of inputs) worn.evaluate(other);
      expect(JSON.stringify(worn.evaluate(input))).toBe(expected);
      const reordered = encode(reversedKeys(JSON.parse(new TextDecoder().decode(input))));
      expect(JSON.stringify(worn.evaluate(reordered))).toBe(expected);
      expect(fresh.digest).toBe(worn.digest);
    }
  });
}

/** DENY, or a fault the caller makes a DENY. */
function denied(attempt: () => string): boolean {
  try {
    return attempt() === 'DENY';
  } catch {
    return true;
  }
}

function reversedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversedKeys(inner)] as const);
  return Object.fromEntries(entries.reverse());
}
