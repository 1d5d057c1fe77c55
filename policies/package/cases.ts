// A package's cases: what an agent would propose, in the words of POST /api/guard, through the real admit and judge.
// In the bundle they stand as the facts they come down to, so that a Beacon runs the same bytes through its Wasm.

import type { Standing } from '../../clients/cli/policy-tools.ts';
import type { EvaluatedInput, Facts } from '../../core/envelope.ts';
import { BeaconError } from '../../core/errors.ts';
import { caseFault } from '../../core/policy-cases.ts';
import type { CallContext, Provenance } from '../../core/principal.ts';
import type { Verdict } from '../../core/route.ts';
import type { Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import { allDetectors } from '../../ports/detectors/all.ts';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { HmacTenantKeys } from '../../ports/tenant-key/hmac.ts';
import { type Admitted, admit } from '../../services/decision/admit.ts';
import { judge } from '../../services/decision/judge.ts';
import { readExplain } from '../../services/gateway/read-proposal.ts';

export type WrittenCase = Standing & {
  readonly name: string;
  readonly command?: string;
  readonly action?: object;
  readonly tools?: readonly object[];
  readonly code?: string;
  readonly tenant?: string;
  readonly agent?: string;
  readonly session?: string;
  readonly surface?: string;
  readonly context?: object;
  readonly expect: {
    readonly route: string;
    readonly codes?: readonly string[];
    readonly obligations?: readonly string[];
  };
};

export type Decided = {
  readonly admitted: Admitted;
  readonly facts: Facts;
  readonly input: EvaluatedInput;
  /** The bytes the policy was asked about. */
  readonly bytes: Uint8Array;
  readonly verdict: Verdict;
};

/** No real tenant's: digests of cases stand in bundles and must be the same on every machine. */
const keys = new HmacTenantKeys(new Uint8Array(32));
export const caseDeps = { privacy: { detectors: allDetectors(), keys }, settings: { isolation: 'own_user' as const } };
const DEFAULT_CONTEXT = { cwd: '/w', workspace: '/w' };

/** The proposal, and the call of an agent who authenticated like that. */
export function readAsked(body: object, provenance: Provenance): { proposal: Proposal; call: CallContext } {
  const proposal = readExplain(body);
  const { tenantId, agentId } = proposal;
  const principal = { role: 'agent', provenance, subject: 'case' } as const;
  const call = {
    principal: provenance === 'asserted' ? principal : { ...principal, tenantId, agentId },
    deadlineMs: Number.POSITIVE_INFINITY,
    requestDigest: '',
    traceId: '',
  };
  return { proposal, call };
}

/** `body`: as for POST /api/guard or /api/execute. Throws `invalid_argument` naming the field. */
export function decideOn(policy: PolicySnapshot, body: object, standing: Standing = {}): Decided {
  const { level = 'L2', provenance = 'authenticated', score = 300, valid_receipts = 0, approved = false } = standing;
  const { proposal, call } = readAsked(body, provenance);
  const admitted = admit(proposal, call, caseDeps);
  const facts: Facts = {
    ...{ score, valid_receipts, level },
    revocation_epoch: 1,
    revoked_scopes: [],
    budget_exhausted: false,
    approval: approved ? { action_id: `act_${'0'.repeat(32)}`, receipt_id: '000000000000-0' } : null,
  };
  const gathered = { facts, scopes: [], missing: [] };
  const { verdict, input: bytes } = judge(admitted, gathered, policy, { salt: '0'.repeat(32), nowMs: 0 });
  return { admitted, facts, input: JSON.parse(Buffer.from(bytes).toString()), bytes, verdict };
}

export type CaseRun = Decided & { readonly written: WrittenCase; readonly fault: string | undefined };

/** Throws `invalid_argument` naming the case when it proposes nothing Beacon could read. */
export function runCase(policy: PolicySnapshot, written: WrittenCase, tenants: readonly string[]): CaseRun {
  const { command, action, tools, code, session, surface } = written;
  const body = {
    tenant_id: written.tenant ?? tenants[0],
    agent_id: written.agent ?? 'agent',
    context: { ...DEFAULT_CONTEXT, ...written.context },
    ...(session === undefined ? {} : { session_id: session }),
    ...(surface === undefined ? {} : { surface }),
    ...(command === undefined ? {} : { action: { kind: 'shell', command } }),
    ...(action === undefined ? {} : { action }),
    ...(tools === undefined ? {} : { tools }),
    ...(code === undefined ? {} : { code }),
  };
  let decided: Decided;
  try {
    decided = decideOn(policy, body, written);
  } catch (cause) {
    throw new BeaconError('failed_precondition', `case "${written.name}": ${(cause as Error).message}`, { cause });
  }
  const expect = { ...written.expect, codes: written.expect.codes ?? [] };
  return { ...decided, written, fault: caseFault({ expect }, decided.verdict) };
}

/** As core/policy-cases.ts reads it: every member of the input that a case may have. */
export function bundleCase({ written, input }: CaseRun): object {
  const { version: _, action, salt: __, ...others } = input as EvaluatedInput & { salt: string };
  const { route, codes = [], obligations } = written.expect;
  return {
    name: written.name,
    parts: action.parts,
    ...others,
    expect: { route, codes, ...(obligations === undefined ? {} : { obligations }) },
  };
}
