// What every source of policy bundles must do, wherever the files come from.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MANIFEST_FILE, MAX_POLICY_FILE_BYTES, PolicyRefused } from '../../core/policy-manifest.ts';
import type { PolicySource } from './port.ts';

export type PolicyPlace = {
  readonly source: PolicySource;
  /** These files and no others are there from now on. */
  put(files: ReadonlyMap<string, Uint8Array>): Promise<void>;
  close(): Promise<void>;
};

const text = (word: string) => new Uint8Array(Buffer.from(word));
const bundle = (data: string) =>
  new Map([
    [MANIFEST_FILE, text('envelope')],
    ['data.json', text(data)],
    ['policy.wasm', new Uint8Array([0, 255, 1])],
  ]);

export function describePolicySource(name: string, open: () => Promise<PolicyPlace>): void {
  describe(`policy source: ${name}`, () => {
    let place: PolicyPlace;
    beforeEach(async () => {
      place = await open();
    });
    afterEach(() => place.close());

    it('gives the envelope apart from the files, byte for byte', async () => {
      await place.put(bundle('{}'));
      const { source } = place;
      for (const read of [await source.read(), await source.read(await source.stamp())]) {
        expect(Buffer.from(read?.envelope ?? []).toString()).toBe('envelope');
        expect([...(read?.files.keys() ?? [])].sort()).toEqual(['data.json', 'policy.wasm']);
        expect([...(read?.files.get('policy.wasm') ?? [])]).toEqual([0, 255, 1]);
      }
    });

    it('gives what is there now when no stamp is named', async () => {
      for (const data of ['{"a":1}', '{"a":2}']) {
        await place.put(bundle(data));
        const read = await place.source.read();
        expect(Buffer.from(read?.files.get('data.json') ?? []).toString()).toBe(data);
      }
    });

    it('tells of changes, and its stamp is then another; without one it stays', async () => {
      await place.put(bundle('{"a":1}'));
      const stamps: string[] = [];
      const changed = vi.fn(async () => {
        stamps.push(await place.source.stamp());
      });
      const stop = place.source.watch(changed);
      const before = await place.source.stamp();
      expect(await place.source.stamp()).toBe(before);
      await place.put(bundle('{"a":2}'));
      await vi.waitFor(() => expect(stamps.at(-1) ?? before).not.toBe(before), { timeout: 5_000 });
      stop();
      await new Promise((resolve) => setTimeout(resolve, 50));
      changed.mockClear();
      await place.put(bundle('{"a":3}'));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(changed).not.toHaveBeenCalled();
    });

    it('gives no bundle where there is none', async () => {
      const read = await place.source.read().catch((error) => {
        expect(error).toBeInstanceOf(PolicyRefused);
        return undefined;
      });
      expect(read).toBeUndefined();
    });

    it('refuses a file of more than a bundle may have, and more files', async () => {
      await place.put(new Map([...bundle('{}'), ['canaries.json', new Uint8Array(MAX_POLICY_FILE_BYTES + 1)]]));
      await expect(place.source.read()).rejects.toMatchObject({ reason: 'too_large' });
      await place.put(new Map([...Array(40)].map((_, i) => [`f${i}`, text('x')])));
      await expect(place.source.read()).rejects.toMatchObject({ reason: 'extra_file' });
      await place.put(bundle('{}'));
      expect((await place.source.read())?.files.size).toBe(2);
    });
  });
}
