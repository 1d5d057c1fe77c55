// The Wasm engine under the contract, and what only it can get wrong.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { readVerdict } from '../../core/route.ts';
import { loadBundle } from './bundle-folder.ts';
import { policyEngineContract } from './contract.ts';
import { WasmPolicyEngine } from './wasm.ts';

const policies = join(import.meta.dirname, '..', '..', 'policies');
const base = JSON.parse(readFileSync(join(policies, 'cases', 'base.json'), 'utf8'));
const allowed = { ...base.input, action: { parts: [{ ...base.part, effect: 'read', tool: 'ls', operation: 'ls' }] } };
const bundle = () => loadBundle(join(policies, 'bundle'));
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('wasm', () => {
  policyEngineContract({ make: () => new WasmPolicyEngine(), bundle, allowed });

  test('refuses a bundle without the entry point', async () => {
    const given = await bundle();
    const wasm = Buffer.from(given.wasm);
    const at = wasm.indexOf('beacon/decide');
    expect(at).toBeGreaterThan(0);
    for (let found = at; found >= 0; found = wasm.indexOf('beacon/decide', found)) wasm.write('beacon/decidf', found);
    await expect(new WasmPolicyEngine().activate({ ...given, wasm })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('entry point'),
    });
  });

  test('takes a view into a larger buffer as the bytes it shows', async () => {
    const snapshot = await new WasmPolicyEngine().activate(await bundle());
    const bytes = encode(allowed);
    const larger = new Uint8Array(bytes.length + 20).fill(0x5b);
    larger.set(bytes, 10);
    expect(readVerdict(snapshot.evaluate(larger.subarray(10, 10 + bytes.length))).route).toBe('ALLOW');
  });

  test('gives the same after its memory grew', async () => {
    const snapshot = await new WasmPolicyEngine().activate(await bundle());
    const expected = snapshot.evaluate(encode(allowed));
    const many = { ...allowed, context: { list: Array.from({ length: 60_000 }, () => []) } };
    for (let round = 0; round < 5; round += 1) {
      expect(readVerdict(snapshot.evaluate(encode(many))).route).toBe('ALLOW');
      expect(snapshot.evaluate(encode(allowed))).toEqual(expected);
    }
  });

  test('keeps an instance that large tables filled before it evaluated anything', async () => {
    const given = await bundle();
    const tables = {
      acme: Object.fromEntries(Array.from({ length: 120_000 }, (_, at) => [`key-${at}`, 'x'.repeat(40)])),
    };
    const data = encode({ ...JSON.parse(Buffer.from(given.data).toString()), tables });
    const snapshot = await new WasmPolicyEngine().activate({ ...given, data });
    const scope = (globalThis as unknown as { WebAssembly: { Instance: new (...given: unknown[]) => object } })
      .WebAssembly;
    const instances = vi.spyOn(scope, 'Instance');
    try {
      for (let round = 0; round < 10; round += 1) {
        expect(readVerdict(snapshot.evaluate(encode(allowed))).route).toBe('ALLOW');
      }
      // To make one takes a hundred times as long as to evaluate.
      expect(instances).toHaveBeenCalledTimes(0);
    } finally {
      instances.mockRestore();
    }
  });

  test('replaces an instance whose memory outgrew the limit, and only then', async () => {
    const snapshot = await new WasmPolicyEngine().activate(await bundle());
    const scope = (globalThis as unknown as { WebAssembly: { Instance: new (...given: unknown[]) => object } })
      .WebAssembly;
    const instances = vi.spyOn(scope, 'Instance');
    try {
      for (let round = 0; round < 50; round += 1) snapshot.evaluate(encode(allowed));
      expect(instances).toHaveBeenCalledTimes(0);
      const wide = { ...allowed, context: { list: Array.from({ length: 100_000 }, () => 0) } };
      snapshot.evaluate(encode(wide));
      snapshot.evaluate(encode(allowed));
      expect(instances).toHaveBeenCalledTimes(1);
    } finally {
      instances.mockRestore();
    }
  });
});
