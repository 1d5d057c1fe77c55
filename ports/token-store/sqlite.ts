// Minted tokens of one machine. Wants a synced door: tokens have no other source to be rebuilt from.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BeaconError } from '../../core/errors.ts';
import type { TokenRecord, TokenStore } from './port.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };

const SCHEMA = `
CREATE TABLE IF NOT EXISTS token (
  token_digest TEXT PRIMARY KEY, token_id TEXT NOT NULL, role TEXT NOT NULL, tenant_id TEXT NOT NULL,
  agent_id TEXT NOT NULL, created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_agent ON token (tenant_id, agent_id);
CREATE TABLE IF NOT EXISTS revoked_token (token_digest TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claimed_name (tenant_id TEXT, agent_id TEXT, PRIMARY KEY (tenant_id, agent_id)) WITHOUT ROWID`;
const RECORD = `SELECT token_id AS tokenId, token_digest AS tokenDigest, role, tenant_id AS tenantId, agent_id AS agentId,
  created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs FROM token`;

export class SqliteTokenStore implements TokenStore {
  readonly #door: Door;
  readonly #find: StatementSync;
  readonly #findById: StatementSync;
  readonly #minted: StatementSync;
  readonly #insert: StatementSync;
  readonly #isRevoked: StatementSync;
  readonly #revoke: StatementSync;
  readonly #claim: StatementSync;

  constructor(door: Door) {
    this.#door = door;
    door.db.exec(SCHEMA);
    this.#find = door.db.prepare(`${RECORD} WHERE token_digest = ?`);
    this.#findById = door.db.prepare(`${RECORD} WHERE token_id = ?`);
    this.#minted = door.db.prepare(
      `SELECT 1 FROM token WHERE tenant_id = ?1 AND agent_id = ?2
       UNION ALL SELECT 1 FROM claimed_name WHERE tenant_id = ?1 AND agent_id = ?2 LIMIT 1`,
    );
    this.#isRevoked = door.db.prepare('SELECT 1 FROM revoked_token WHERE token_digest = ?');
    this.#revoke = door.db.prepare('INSERT OR IGNORE INTO revoked_token VALUES (?)');
    this.#claim = door.db.prepare('INSERT OR IGNORE INTO claimed_name VALUES (?, ?)');
    this.#insert = door.db.prepare('INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?)');
  }

  async put(token: TokenRecord): Promise<void> {
    this.#door.write(() => {
      if (this.#find.get(token.tokenDigest) !== undefined) {
        throw new BeaconError('conflict', 'a token with this digest is kept');
      }
      const { tokenDigest, tokenId, role, tenantId, agentId, createdAtMs, expiresAtMs } = token;
      this.#insert.run(tokenDigest, tokenId, role, tenantId, agentId, createdAtMs, expiresAtMs);
    });
  }

  async findByDigest(tokenDigest: string): Promise<TokenRecord | undefined> {
    const row = this.#find.get(tokenDigest);
    if (row === undefined || this.#isRevoked.get(tokenDigest) !== undefined) return undefined;
    return { ...row } as TokenRecord;
  }

  async revoke(tokenId: string): Promise<TokenRecord | undefined> {
    const row = this.#findById.get(tokenId);
    if (row === undefined) return undefined;
    const record = { ...row } as TokenRecord;
    this.#door.write(() => this.#revoke.run(record.tokenDigest));
    return record;
  }

  async claim(tenantId: string, agentId: string): Promise<void> {
    this.#door.write(() => this.#claim.run(tenantId, agentId));
  }

  async isMinted(tenantId: string, agentId: string): Promise<boolean> {
    return agentId !== '' && this.#minted.get(tenantId, agentId) !== undefined;
  }
}
