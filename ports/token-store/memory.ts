// Minted tokens in one process's memory. For tests.

import { BeaconError } from '../../core/errors.ts';
import type { TokenRecord, TokenStore } from './port.ts';

export class MemoryTokenStore implements TokenStore {
  readonly #byDigest = new Map<string, TokenRecord>();
  readonly #minted = new Set<string>();

  async put(token: TokenRecord): Promise<void> {
    if (this.#byDigest.has(token.tokenDigest)) throw new BeaconError('conflict', 'a token with this digest is kept');
    this.#byDigest.set(token.tokenDigest, { ...token });
    if (token.agentId !== '') this.#minted.add(`${token.tenantId}/${token.agentId}`);
  }

  async findByDigest(tokenDigest: string): Promise<TokenRecord | undefined> {
    return this.#byDigest.get(tokenDigest);
  }

  async isMinted(tenantId: string, agentId: string): Promise<boolean> {
    return this.#minted.has(`${tenantId}/${agentId}`);
  }
}
