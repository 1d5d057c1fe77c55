// Bearer tokens that an admin minted. Only digests are kept; the token is shown once.

import type { Role } from '../../core/principal.ts';

export type TokenRecord = {
  /** Public id, safe in logs. */
  readonly tokenId: string;
  /** SHA-256 (hex) of the token. */
  readonly tokenDigest: string;
  readonly role: Role;
  /** Set for agents; empty for people. */
  readonly tenantId: string;
  readonly agentId: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};

export type TokenStore = {
  /** Persisted (synced) before it resolves. */
  put(token: TokenRecord): Promise<void>;
  findByDigest(tokenDigest: string): Promise<TokenRecord | undefined>;
  /** Whether an identity of this name was ever minted for the tenant: it can then no longer be asserted. */
  isMinted(tenantId: string, agentId: string): Promise<boolean>;
};
