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

/** Nothing is ever taken back: tokens and names are added, and a revoked token stays revoked. */
export type TokenStore = {
  /** Persisted (synced) before it resolves. */
  put(token: TokenRecord): Promise<void>;
  /** Undefined for a token that nobody minted, and for one that was revoked. */
  findByDigest(tokenDigest: string): Promise<TokenRecord | undefined>;
  /** Persisted before it resolves, and seen by every reader from then on. Undefined for an id that nobody minted. */
  revoke(tokenId: string): Promise<TokenRecord | undefined>;
  /** Keeps a name for those who prove it by other means than a token of ours. Persisted before it resolves. */
  claim(tenantId: string, agentId: string): Promise<void>;
  /** Whether an identity of this name was ever minted or claimed in the tenant: it can then no longer be asserted. */
  isMinted(tenantId: string, agentId: string): Promise<boolean>;
};
