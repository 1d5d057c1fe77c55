// What every token store must do.

import { describe, expect, it } from 'vitest';
import type { TokenRecord, TokenStore } from './port.ts';

export function tokenRecord(over: Partial<TokenRecord> = {}): TokenRecord {
  return {
    tokenId: 'tok_1',
    tokenDigest: '11'.repeat(32),
    role: 'agent',
    tenantId: 't',
    agentId: 'a',
    createdAtMs: 1_700_000_000_000,
    expiresAtMs: 1_800_000_000_000,
    ...over,
  };
}

export function describeTokenStore(name: string, make: () => Promise<TokenStore> | TokenStore): void {
  describe(`token store: ${name}`, () => {
    it('finds a token by its digest, and no other', async () => {
      const store = await make();
      await store.put(tokenRecord());
      expect(await store.findByDigest('11'.repeat(32))).toEqual(tokenRecord());
      expect(await store.findByDigest('12'.repeat(32))).toBeUndefined();
    });

    it('returns an expired token too: its caller knows the time', async () => {
      const store = await make();
      await store.put(tokenRecord({ expiresAtMs: 1 }));
      expect((await store.findByDigest('11'.repeat(32)))?.expiresAtMs).toBe(1);
    });

    it('knows which names were ever minted, tenant by tenant', async () => {
      const store = await make();
      await store.put(tokenRecord({ expiresAtMs: 1 }));
      await store.put(
        tokenRecord({ tokenDigest: '22'.repeat(32), tokenId: 'tok_2', role: 'admin', tenantId: '', agentId: '' }),
      );
      expect(await store.isMinted('t', 'a')).toBe(true);
      expect(await store.isMinted('u', 'a')).toBe(false);
      expect(await store.isMinted('t', 'b')).toBe(false);
      expect(await store.isMinted('', '')).toBe(false);
    });

    it('keeps several tokens of one agent, and never two of one digest', async () => {
      const store = await make();
      await store.put(tokenRecord());
      await store.put(tokenRecord({ tokenDigest: '22'.repeat(32), tokenId: 'tok_2' }));
      await expect(store.put(tokenRecord({ tokenId: 'tok_3', role: 'admin' }))).rejects.toMatchObject({
        code: 'conflict',
      });
      expect((await store.findByDigest('11'.repeat(32)))?.role).toBe('agent');
    });

    it('does not find a revoked token again, ever; its name stays taken, and its agent’s other tokens work', async () => {
      const store = await make();
      await store.put(tokenRecord());
      await store.put(tokenRecord({ tokenDigest: '22'.repeat(32), tokenId: 'tok_2' }));
      expect(await store.revoke('tok_1')).toEqual(tokenRecord());
      expect(await store.findByDigest('11'.repeat(32))).toBeUndefined();
      expect(await store.isMinted('t', 'a')).toBe(true);
      expect((await store.findByDigest('22'.repeat(32)))?.tokenId).toBe('tok_2');
      expect(await store.revoke('tok_1')).toEqual(tokenRecord());
      expect(await store.revoke('tok_3')).toBeUndefined();
      await expect(store.put(tokenRecord())).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.findByDigest('11'.repeat(32))).toBeUndefined();
    });

    it('keeps a claimed name, again and again, in its tenant alone', async () => {
      const store = await make();
      await store.claim('t', 'a');
      await store.claim('t', 'a');
      expect(await store.isMinted('t', 'a')).toBe(true);
      expect(await store.isMinted('u', 'a')).toBe(false);
      expect(await store.isMinted('t/a', 'a')).toBe(false);
    });
  });
}
