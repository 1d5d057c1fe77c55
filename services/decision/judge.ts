// Beat three: the policy's verdict on exactly the bytes that are kept. Whatever goes wrong in evaluating is DENY.

import { canonicalJson, sha256Hex } from '../../core/canonical-json.ts';
import type { EvaluatedInput, Facts } from '../../core/envelope.ts';
import { deny, type Reason, readVerdict, strictest, type Verdict } from '../../core/route.ts';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import type { Admitted } from './admit.ts';
import type { Gathered } from './gather.ts';

/** Distinct tools one proposal may name: each is a scope by which it can be stopped, and all stand in its receipt. */
export const MAX_TOOLS = 48;

export type Judged = {
  readonly verdict: Verdict;
  /** RFC 8785 bytes of the evaluated input. */
  readonly input: Uint8Array;
  /** SHA-256 of `input`, hex. */
  readonly envelopeDigest: string;
};

const encoder = new TextEncoder();

/** `salt`: 32 hex digits, so that the digest of a guessable input says nothing. */
export function judge(
  admitted: Admitted,
  gathered: Gathered,
  policy: PolicySnapshot,
  { salt, nowMs }: { readonly salt: string; readonly nowMs: number },
): Judged {
  const input = encoder.encode(canonicalJson(evaluatedInput(admitted, gathered.facts, salt)));
  const verdict = combine([...hostVerdicts(admitted, gathered), ...expiry(policy, nowMs), evaluate(policy, input)]);
  return { verdict, input, envelopeDigest: sha256Hex(input) };
}

/** Whoever signed the policy said until when; after that its ALLOW is nobody's. */
function expiry(policy: PolicySnapshot, nowMs: number): Verdict[] {
  if (nowMs < policy.expiresAtMs) return [];
  return [
    deny(
      'policy_expired',
      'The active policy has expired. Have an operator activate a newer one; until then nothing may run.',
    ),
  ];
}

export function evaluate(policy: PolicySnapshot, input: Uint8Array): Verdict {
  try {
    return readVerdict(policy.evaluate(input));
  } catch {
    return deny(
      'policy_error',
      'The policy could not be evaluated on this action. Propose it in plainer or smaller parts, or report it to the operators.',
    );
  }
}

function evaluatedInput(admitted: Admitted, facts: Facts, salt: string): EvaluatedInput & { readonly salt: string } {
  return {
    version: 1,
    salt,
    identity: {
      tenant_id: admitted.tenantId,
      agent_id: admitted.agentId,
      session_id: admitted.sessionId,
      client_provenance: admitted.provenance,
    },
    surface: admitted.surface,
    runtime_family: admitted.family,
    action: admitted.action,
    externality: admitted.externality,
    findings: admitted.findings,
    change: admitted.change,
    commands: admitted.commands,
    regions: admitted.regions,
    facts,
    context: admitted.context,
  };
}

/** What holds whatever a policy says. */
function hostVerdicts({ tools }: Admitted, { facts, missing }: Gathered): Verdict[] {
  const verdicts: Verdict[] = [];
  if (tools.length > MAX_TOOLS) {
    verdicts.push(
      deny('too_many_tools', `One proposal may use at most ${MAX_TOOLS} different tools. Propose it in several steps.`),
    );
  }
  if (facts.revoked_scopes.length > 0) {
    const scopes = facts.revoked_scopes.join(', ');
    verdicts.push(
      deny(
        'revoked',
        `Stopped by the kill switch: ${scopes} is revoked. Work outside of it, or have an admin reinstate it.`,
        'beacon.revocation',
      ),
    );
  }
  if (facts.revocation_epoch === null) {
    const message = missing.includes('revocations')
      ? 'The revocation list did not answer, so nothing may run. Try again when it does.'
      : 'The revocation list is older than what was already seen, so nothing may run. Wait until it is rebuilt.';
    verdicts.push(deny('revocation_unknown', message, 'beacon.revocation'));
  }
  return verdicts;
}

/** Rules combine by maximum; the reasons of the strictest stand first, and none is lost or said twice. */
export function combine(verdicts: readonly Verdict[]): Verdict {
  const route = strictest(verdicts.map((verdict) => verdict.route));
  const ordered = [...verdicts].sort((a, b) => Number(b.route === route) - Number(a.route === route));
  const reasons = new Map<string, Reason>();
  for (const reason of ordered.flatMap((verdict) => verdict.reasons)) {
    const key = `${reason.rule} ${reason.code}`;
    if (!reasons.has(key)) reasons.set(key, reason);
  }
  return { route, reasons: [...reasons.values()], obligations: ordered.flatMap((verdict) => verdict.obligations) };
}
