// What every implementation of signing keys must do. Each implementation's test file calls this.

import { verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyObject, thumbprint } from '../../core/jwk.ts';
import type { SigningKeys } from './port.ts';

export type SigningKeysFixture = {
  open(): Promise<SigningKeys>;
  /** Opens the same keys again, as after a restart; absent for those that do not outlive the process. */
  reopen?(): Promise<SigningKeys>;
};

const message = new TextEncoder().encode('one message');

export function signingKeysContract(name: string, make: () => Promise<SigningKeysFixture>): void {
  describe(name, () => {
    test('signs with pure Ed25519 under the key it shows, which is named by its thumbprint', async () => {
      const keys = await (await make()).open();
      const { publicKey, sign } = keys.current();
      const signature = sign(message);
      expect(publicKey.bytes).toHaveLength(32);
      expect(publicKey.keyId).toBe(thumbprint(publicKey.bytes));
      expect(signature).toHaveLength(64);
      expect(verify(null, message, keyObject(publicKey.bytes), signature)).toBe(true);
      expect(keys.all()).toEqual([publicKey]);
    });

    test('rotation makes a new key current and never drops an old public half', async () => {
      const keys = await (await make()).open();
      const first = keys.current();
      const early = first.sign(message);
      await keys.rotate();
      await keys.rotate();
      expect(new Set(keys.all().map((key) => key.keyId)).size).toBe(3);
      expect(keys.all()[0]).toEqual(keys.current().publicKey);
      expect(keys.all()[2]).toEqual(first.publicKey);
      expect(verify(null, message, keyObject((keys.all()[2] as { bytes: Uint8Array }).bytes), early)).toBe(true);
    });

    test('rotations asked for at the same moment happen one after the other', async () => {
      const keys = await (await make()).open();
      await Promise.all([keys.rotate(), keys.rotate(), keys.rotate()]);
      expect(new Set(keys.all().map((key) => key.keyId)).size).toBe(4);
    });

    test('comes back the same after a restart, where it is meant to', async () => {
      const fixture = await make();
      const keys = await fixture.open();
      await keys.rotate();
      if (!fixture.reopen) return;
      const again = await fixture.reopen();
      expect(again.all()).toEqual(keys.all());
      expect(again.current().sign(message)).toEqual(keys.current().sign(message));
    });
  });
}
