// Who may call what: one table, held on every transport. Identity comes from a bearer token or, on loopback and where
// that is allowed, from nothing but the caller's word (`asserted`), which opens the least.

import { createHash, timingSafeEqual } from 'node:crypto';
import { BeaconError } from '../core/errors.ts';
import type { Principal, Role } from '../core/principal.ts';
import type { TokenRecord, TokenStore } from '../ports/token-store/port.ts';

/** `anyone` needs no credential; `asserted` is an agent without a token, on loopback. */
type Caller = Role | 'asserted' | 'anyone';

const PROPOSERS = ['asserted', 'agent', 'admin'] as const;
const READERS = ['agent', 'auditor', 'operator', 'admin'] as const;
const STAFF = ['auditor', 'operator', 'admin'] as const;

/** Operation → who may. An agent's own token reaches only its own actions, receipts and score (`authorizeSubject`). */
export const OPERATIONS = {
  guard: PROPOSERS,
  execute: PROPOSERS,
  decide: PROPOSERS,
  open_action: PROPOSERS,
  record_assumption: PROPOSERS,
  update_outcome: PROPOSERS,
  get_action: ['asserted', ...READERS],
  wait_for_approval: ['asserted', ...READERS],
  resolve_approval: ['operator', 'admin'],
  list_approvals: STAFF,
  get_score: READERS,
  list_scores: STAFF,
  emit_score: ['admin'],
  import_receipts: ['admin'],
  get_receipt: READERS,
  get_proof: READERS,
  list_receipts: READERS,
  list_logs: ['anyone'],
  get_checkpoint: ['anyone'],
  get_hash_tile: ['anyone'],
  get_entries: ['auditor', 'admin'],
  get_keys: ['anyone'],
  list_revocations: STAFF,
  revoke: ['operator', 'admin'],
  reinstate: ['admin'],
  mint_agent_token: ['admin'],
  mint_token: ['admin'],
  rotate_key: ['admin'],
  get_policy: STAFF,
  activate_policy: ['admin'],
  metrics: ['anyone'],
  health: ['anyone'],
} as const satisfies Record<string, readonly Caller[]>;
export type Operation = keyof typeof OPERATIONS;

/** What a transport knows of its caller. */
export type Credentials = {
  /** The Authorization header as received. */
  readonly authorization: string | undefined;
  /** True only when the caller is on this machine and nothing stands between. */
  readonly local: boolean;
};

export type MintRequest = {
  readonly role: Role;
  readonly tenantId?: string;
  readonly agentId?: string;
  readonly expiresInMs?: number;
};
export type Minted = { readonly token: string; readonly record: TokenRecord };

export type Access = {
  /** Throws `unauthenticated` for a token that is malformed, unknown or expired, and for none where none is allowed. */
  authenticate(credentials: Credentials): Promise<Principal>;
  /**
   * Throws `permission_denied` when the caller may not touch what belongs to this agent: another than its token's, or,
   * without a token, one that a token was minted for. `field` names the offending field in the error.
   */
  authorizeSubject(principal: Principal, tenantId: string, agentId: string, field?: SubjectFields): Promise<void>;
  mint(request: MintRequest): Promise<Minted>;
};
export type SubjectFields = { readonly tenant: string; readonly agent: string };

export type AccessDependencies = {
  readonly tokens: TokenStore;
  /** SHA-256 (hex) of the admin token in its file. */
  readonly adminTokenDigest: string;
  readonly allowAsserted: boolean;
  now(): number;
  randomBytes(length: number): Uint8Array;
};

const TOKEN = /^bcn_(agent|auditor|operator|admin)_[A-Za-z0-9_-]{43}$/;
const BEARER = /^Bearer +([!-~]{1,200}) *$/i;
const DAY_MS = 86_400_000;
export const MAX_TOKEN_LIFE_MS = 3650 * DAY_MS;
const DEFAULT_TOKEN_LIFE_MS = 365 * DAY_MS;
const BODY_FIELDS: SubjectFields = { tenant: 'tenant_id', agent: 'agent_id' };

/** Whether the table opens the operation to callers without any credential. */
export function isPublic(operation: Operation): boolean {
  return (OPERATIONS[operation] as readonly Caller[]).includes('anyone');
}

/** Throws unless the table names the caller: `unauthenticated` for one without a token, else `permission_denied`. */
export function authorize(principal: Principal, operation: Operation): void {
  const callers: readonly Caller[] = OPERATIONS[operation];
  const caller: Caller = principal.provenance === 'asserted' ? 'asserted' : principal.role;
  if (callers.includes('anyone') || callers.includes(caller)) return;
  if (caller === 'asserted') throw new BeaconError('unauthenticated', `${operation} needs a token`);
  throw new BeaconError('permission_denied', `${operation} is not open to the role ${principal.role}`);
}

/** A new token's text: `bcn_<role>_` and 32 random bytes. */
export function tokenText(role: Role, random: Uint8Array): string {
  return `bcn_${role}_${Buffer.from(random).toString('base64url')}`;
}

export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function createAccess(deps: AccessDependencies): Access {
  return {
    authenticate: (credentials) => authenticate(deps, credentials),
    authorizeSubject: (principal, tenantId, agentId, fields = BODY_FIELDS) =>
      authorizeSubject(deps, principal, tenantId, agentId, fields),
    mint: (request) => mint(deps, request),
  };
}

async function authenticate(deps: AccessDependencies, credentials: Credentials): Promise<Principal> {
  if (credentials.authorization === undefined) {
    if (deps.allowAsserted && credentials.local) return { role: 'agent', provenance: 'asserted', subject: 'asserted' };
    throw new BeaconError('unauthenticated', 'a bearer token is needed');
  }
  const token = BEARER.exec(credentials.authorization)?.[1] ?? '';
  const digest = tokenDigest(token);
  if (timingSafeEqual(Buffer.from(digest, 'hex'), Buffer.from(deps.adminTokenDigest, 'hex'))) {
    return { role: 'admin', provenance: 'authenticated', subject: 'token:admin' };
  }
  const record = TOKEN.test(token) ? await deps.tokens.findByDigest(digest) : undefined;
  if (record === undefined) throw new BeaconError('unauthenticated', 'the token is not known');
  if (record.expiresAtMs <= deps.now()) throw new BeaconError('unauthenticated', 'the token has expired');
  const subject = `token:${record.tokenId}`;
  const { role, tenantId, agentId, expiresAtMs } = record;
  const principal = { role, provenance: 'authenticated', subject, expiresAtMs } as const;
  return role === 'agent' ? { ...principal, tenantId, agentId } : principal;
}

async function authorizeSubject(
  deps: AccessDependencies,
  principal: Principal,
  tenantId: string,
  agentId: string,
  fields: SubjectFields,
): Promise<void> {
  if (principal.role !== 'agent') return;
  if (principal.provenance === 'asserted') {
    if (!(await deps.tokens.isMinted(tenantId, agentId))) return;
    throw new BeaconError(
      'permission_denied',
      `${fields.agent}: this name has a token of its own; send it, or propose under another name`,
      {
        field: fields.agent,
      },
    );
  }
  for (const [field, named, bound] of [
    [fields.tenant, tenantId, principal.tenantId],
    [fields.agent, agentId, principal.agentId],
  ] as const) {
    if (named !== bound)
      throw new BeaconError('permission_denied', `${field}: the token is bound to another`, { field });
  }
}

async function mint(deps: AccessDependencies, request: MintRequest): Promise<Minted> {
  const life = request.expiresInMs ?? DEFAULT_TOKEN_LIFE_MS;
  const token = tokenText(request.role, deps.randomBytes(32));
  const createdAtMs = deps.now();
  const record: TokenRecord = {
    tokenId: Buffer.from(deps.randomBytes(8)).toString('hex'),
    tokenDigest: tokenDigest(token),
    role: request.role,
    tenantId: request.tenantId ?? '',
    agentId: request.agentId ?? '',
    createdAtMs,
    expiresAtMs: createdAtMs + Math.min(life, MAX_TOKEN_LIFE_MS),
  };
  await deps.tokens.put(record);
  return { token, record };
}
