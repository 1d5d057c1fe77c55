// Minted tokens in one process's memory. For tests.

import { BeaconError } from '../../core/errors.ts';
import type { TokenRecord, TokenStore } from './port.ts';

export class MemoryTokenStore implements TokenStore {
  readonly #byDigest = new Map<string, TokenRecord>();
  readonly #names = new Set<string>();
  readonly #revoked = new Set<string>();

  async put(token: TokenRecord): Promise<void> {
    if (this.#byDigest.has(token.tokenDigest)) throw new BeaconError('conflict', 'a token with this digest is kept');
    this.#byDigest.set(token.tokenDigest, { ...token });
    if (token.agentId !== '') this.#names.add(`${token.tenantId}/${token.agentId}`);
  }

  async findByDigest(tokenDigest: string): Promise<TokenRecord | undefined> {
    return this.#revoked.has(tokenDigest) ? undefined : this.#byDigest.get(tokenDigest);
  }

  async revoke(tokenId: string): Promise<TokenRecord | undefined> {
    const record = [...this.#byDigest.values()].find((one) => one.tokenId === tokenId);
    if (record) this.#revoked.add(record.tokenDigest);
    return record;
  }

  async claim(tenantId: string, agentId: string): Promise<void> {
    this.#names.add(`${tenantId}/${agentId}`);
  }

  async isMinted(tenantId: string, agentId: string): Promise<boolean> {
    return this.#names.has(`${tenantId}/${agentId}`);
  }
}
