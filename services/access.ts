// Who may call what: one table, held on every transport. Identity comes from a bearer token, from a client certificate
// (agents only) or, on loopback and where that is allowed, from nothing but the caller's word (`asserted`), which opens
// the least. What was shown and does not hold is refused, never taken for nothing.

import { createHash, timingSafeEqual } from 'node:crypto';
import { type CertificateIdentity, readCertificateIdentity } from '../core/certificate-identity.ts';
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
  explain: PROPOSERS,
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
  get_evidence: ['auditor', 'admin'],
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
  revoke_token: ['operator', 'admin'],
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
  /** What the caller showed in the TLS handshake; undefined when it showed none. */
  readonly certificate?: ShownCertificate | undefined;
};
export type ShownCertificate = {
  /** Its DNS and URI names. */
  readonly names: readonly string[];
  readonly notAfterMs: number;
  /** Why it is not to be believed, as OpenSSL says it; undefined when an authority of ours stands behind it. */
  readonly fault: string | undefined;
};
/** How certificates are looked at. Without these rules none is asked for. */
export type CertificateRules = {
  /** Whether a caller may do without one. */
  readonly required: boolean;
  readonly trustDomain: string;
  /** Whether one of the names is a service's of ours: such a certificate is for the other side of the gateway. */
  namesService(names: readonly string[]): boolean;
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
  /** No caller with this token is let in from the moment this resolves. Throws `not_found` for an unknown id. */
  revokeToken(tokenId: string): Promise<TokenRecord>;
};
export type SubjectFields = { readonly tenant: string; readonly agent: string };

export type AccessDependencies = {
  readonly tokens: TokenStore;
  /** SHA-256 (hex) of the admin token in its file. */
  readonly adminTokenDigest: string;
  readonly allowAsserted: boolean;
  readonly certificates?: CertificateRules | undefined;
  now(): number;
  randomBytes(length: number): Uint8Array;
};

const TOKEN = /^bcn_(agent|auditor|operator|admin)_[A-Za-z0-9_-]{43}$/;
const BEARER = /^Bearer +([!-~]{1,200}) *$/i;
const DAY_MS = 86_400_000;
export const MAX_TOKEN_LIFE_MS = 3650 * DAY_MS;
const DEFAULT_TOKEN_LIFE_MS = 365 * DAY_MS;
/** Names this process remembers to have claimed; claiming again is harmless. */
const MAX_CLAIMED_NAMES = 10_000;
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
  const claimed = new Set<string>();
  return {
    authenticate: (credentials) => authenticate(deps, credentials, claimed),
    authorizeSubject: (principal, tenantId, agentId, fields = BODY_FIELDS) =>
      authorizeSubject(deps, principal, tenantId, agentId, fields),
    mint: (request) => mint(deps, request),
    async revokeToken(tokenId) {
      const record = await deps.tokens.revoke(tokenId);
      if (record === undefined) throw new BeaconError('not_found', 'there is no token of this id');
      return record;
    },
  };
}

async function authenticate(
  deps: AccessDependencies,
  { authorization, local, certificate }: Credentials,
  claimed: Set<string>,
): Promise<Principal> {
  const shown = deps.certificates && identityShown(deps.certificates, certificate, deps.now());
  if (authorization !== undefined) {
    const principal = await principalOfToken(deps, authorization);
    if (shown !== undefined) requireSame(shown.identity, principal);
    return principal;
  }
  if (shown !== undefined) return principalOfCertificate(deps, shown, claimed);
  if (deps.allowAsserted && local) return { role: 'agent', provenance: 'asserted', subject: 'asserted' };
  throw new BeaconError('unauthenticated', 'a bearer token is needed');
}

type Shown = { readonly identity: CertificateIdentity; readonly notAfterMs: number };

/** Undefined only where none was shown and none is required. */
function identityShown(
  { required, trustDomain, namesService }: CertificateRules,
  certificate: ShownCertificate | undefined,
  nowMs: number,
): Shown | undefined {
  if (certificate === undefined) {
    if (!required) return undefined;
    throw new BeaconError('unauthenticated', 'a client certificate is needed');
  }
  const { fault, notAfterMs, names } = certificate;
  if (fault !== undefined) throw new BeaconError('unauthenticated', `the client certificate is refused: ${fault}`);
  // A connection may outlive the certificate it began with.
  if (notAfterMs <= nowMs) throw new BeaconError('unauthenticated', 'the client certificate has expired');
  const identity = namesService(names) ? undefined : readCertificateIdentity(names, trustDomain);
  if (identity === undefined) {
    throw new BeaconError('permission_denied', 'the client certificate names no agent and no person of this Beacon');
  }
  return { identity, notAfterMs };
}

/** A token beside a certificate must be for whom the certificate names: two halves of two identities make none. */
function requireSame(identity: CertificateIdentity, { role, tenantId, agentId }: Principal): void {
  const same =
    identity.kind === 'agent'
      ? role === 'agent' && tenantId === identity.tenantId && agentId === identity.agentId
      : role !== 'agent';
  if (!same) throw new BeaconError('permission_denied', 'the certificate and the token name different callers');
}

/** As a token minted for this agent would open, and with the name kept for it as minting does. */
async function principalOfCertificate(
  { tokens }: AccessDependencies,
  { identity, notAfterMs }: Shown,
  claimed: Set<string>,
): Promise<Principal> {
  if (identity.kind !== 'agent') {
    throw new BeaconError('unauthenticated', 'a bearer token is needed beside a person’s certificate');
  }
  const { tenantId, agentId } = identity;
  const name = `${tenantId}/${agentId}`;
  if (!claimed.has(name)) {
    await tokens.claim(tenantId, agentId);
    if (claimed.size >= MAX_CLAIMED_NAMES) claimed.clear();
    claimed.add(name);
  }
  const subject = `certificate:${name}`;
  return { role: 'agent', provenance: 'authenticated', subject, tenantId, agentId, expiresAtMs: notAfterMs };
}

async function principalOfToken(deps: AccessDependencies, authorization: string): Promise<Principal> {
  const token = BEARER.exec(authorization)?.[1] ?? '';
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
      throw new BeaconError('permission_denied', `${field}: the token or certificate is bound to another`, { field });
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
