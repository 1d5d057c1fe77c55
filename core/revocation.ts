// Revocation scopes: what a scope text means, and every scope a decision falls under. Scopes mean at least what they say.

import { invalidArgument } from './errors.ts';
import type { Provenance } from './principal.ts';

const NAME = '[A-Za-z0-9][A-Za-z0-9._@-]{0,127}';
const FORMS: readonly { readonly kind: string; readonly form: RegExp }[] = [
  { kind: 'global', form: /^global$/ },
  { kind: 'tenant', form: new RegExp(`^tenant:${NAME}$`) },
  { kind: 'agent', form: new RegExp(`^agent:(${NAME}/)?${NAME}$`) },
  { kind: 'session', form: new RegExp(`^session:${NAME}$`) },
  { kind: 'tool', form: /^tool:[\x21-\x7e]{1,128}$/ },
  { kind: 'policy', form: /^policy:[0-9a-f]{64}$/ },
  { kind: 'key', form: /^key:[A-Za-z0-9_-]{43}$/ },
  { kind: 'permit', form: /^permit:pmt_[0-9a-f]{32}$/ },
  { kind: 'provenance', form: /^provenance:(asserted|authenticated|attested)$/ },
];

/** The stated bound on clock error: how long before its end a lease stops being used. */
export const CLOCK_BOUND_MS = 250;

/** The most scopes one consultation of the revocation list takes. */
export const MAX_SCOPES_PER_CONSULT = 64;

/** Returns the scope unchanged, or throws `invalid_argument` naming `scope`. */
export function requireScope(value: unknown): string {
  if (typeof value !== 'string') throw invalidArgument('scope', 'must be a string');
  if (!FORMS.some(({ form }) => form.test(value))) {
    throw invalidArgument(
      'scope',
      'must be global, tenant:T, agent:A, agent:T/A, session:S, tool:NAME, policy:SHA256, key:KEYID, permit:ID or provenance:asserted|authenticated|attested',
    );
  }
  return value;
}

/** The tenant a scope names; undefined for one that names none, such as an agent's name in every tenant. */
export function tenantOfScope(scope: string): string | undefined {
  const [, tenant, ofAgent] = /^(?:tenant:(.+)|agent:([^/]+)\/.+)$/.exec(scope) ?? [];
  return tenant ?? ofAgent;
}

export type ScopeFacts = {
  readonly tenantId: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly provenance: Provenance;
  readonly tools: readonly string[];
  readonly policyDigest: string;
  readonly keyId: string;
  /** Empty when no permit is issued. */
  readonly permitId: string;
};

export function toolScope(tool: string): string {
  return `tool:${tool}`;
}

/** Every scope whose revocation stops this decision, without duplicates; those of its tools last. */
export function scopesOf(facts: ScopeFacts): string[] {
  const scopes = new Set<string>([
    'global',
    `provenance:${facts.provenance}`,
    `tenant:${facts.tenantId}`,
    `agent:${facts.agentId}`,
    `agent:${facts.tenantId}/${facts.agentId}`,
    `policy:${facts.policyDigest}`,
  ]);
  // Which key will sign is not known before, where several signers share the work: each adds its own.
  if (facts.keyId !== '') scopes.add(`key:${facts.keyId}`);
  if (facts.sessionId !== '') scopes.add(`session:${facts.sessionId}`);
  if (facts.permitId !== '') scopes.add(`permit:${facts.permitId}`);
  for (const tool of facts.tools) scopes.add(toolScope(tool));
  return [...scopes];
}

export type RevocationInForce = { readonly scope: string; readonly revocationId: string; readonly epoch: number };

/** The scopes in force after a sequence of changes in epoch order. */
export function fold(
  inForce: ReadonlyMap<string, RevocationInForce>,
  change: RevocationInForce & { readonly operation: string },
): Map<string, RevocationInForce> {
  const next = new Map(inForce);
  const { operation, ...entry } = change;
  if (operation === 'revoke') next.set(change.scope, entry);
  if (operation === 'reinstate') next.delete(change.scope);
  return next;
}

/** What revoking this scope does not stop, in one sentence; empty when nothing needs saying. */
export function adviceFor(scope: string, minted: boolean): string {
  if (!scope.startsWith('agent:') || minted) return '';
  return 'A caller without a token can come back under another name; revoke provenance:asserted to stop every such caller.';
}
