// Decides the set by the real path, in process: the gateway's reader, admit with the real detectors, judge with the
// committed policy. Only the facts are given (level and score of the standing), and nothing is sealed. An ablation
// changes what goes in, never the product.

import { join } from 'node:path';
import { fingerprint } from '../../core/fingerprint.ts';
import type { CallContext } from '../../core/principal.ts';
import type { Route } from '../../core/route.ts';
import { allDetectors } from '../../ports/detectors/all.ts';
import { loadBundle } from '../../ports/policy-engine/bundle-folder.ts';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import { HmacTenantKeys } from '../../ports/tenant-key/hmac.ts';
import { type Admitted, admit } from '../../services/decision/admit.ts';
import type { DecisionDeps } from '../../services/decision/deps.ts';
import type { Gathered } from '../../services/decision/gather.ts';
import { judge } from '../../services/decision/judge.ts';
import { readGuard } from '../../services/gateway/read-proposal.ts';
import type { Labelled } from './labelled.ts';

const BUNDLE = join(import.meta.dirname, '..', '..', 'policies', 'bundle');
const TENANT = 'acme';
const AGENT = 'eval';
const FLOOR = 300;
/** Of an agent proven over time, as L3 asks for. */
const PROVEN = { score: 780, valid_receipts: 400 };
const SALT = '0'.repeat(32);

export type Answer = {
  readonly item: Labelled;
  readonly route: Route;
  /** What was understood, in one line. */
  readonly understood: string;
  /** Rules of the reasons, strictest first. */
  readonly codes: readonly string[];
  readonly fingerprint: string;
  readonly operations: readonly string[];
  /** A thrown error's words, '' when the proposal was read. */
  readonly refused: string;
};

/** What an ablation takes away. Each leaves the rest as it is. */
export type Ablation = {
  readonly detectors?: false;
  /** Changes the proposal before it is read. */
  readonly blind?: (action: Labelled['body']['action']) => Labelled['body']['action'];
  /** Changes what was understood before it is judged. */
  readonly forget?: (admitted: Admitted) => Admitted;
  /** True where an approval of another action is taken for one of this. */
  readonly approved?: (item: Labelled) => boolean;
};

export async function openPolicy(folder = BUNDLE): Promise<PolicySnapshot> {
  return new WasmPolicyEngine().activate(await loadBundle(folder));
}

export function decideAll(items: readonly Labelled[], policy: PolicySnapshot, ablation: Ablation = {}): Answer[] {
  return items.map((item) => decide(item, policy, ablation));
}

export function decide(item: Labelled, policy: PolicySnapshot, ablation: Ablation = {}): Answer {
  const action = ablation.blind ? ablation.blind(item.body.action) : item.body.action;
  try {
    const proposal = readGuard({ agent_id: AGENT, tenant_id: TENANT, ...item.body, action });
    const read = admit(proposal, callAs(item), deps(ablation.detectors !== false));
    const admitted = ablation.forget ? ablation.forget(read) : read;
    const gathered = factsFor(item, ablation.approved?.(item) ?? false);
    const { verdict } = judge(admitted, gathered, policy, { salt: SALT, nowMs: 0 });
    return {
      item,
      route: verdict.route,
      understood: admitted.summary,
      codes: verdict.reasons.map((reason) => reason.code),
      fingerprint: fingerprint(admitted.action),
      operations: admitted.action.parts.map((part) => `${part.tool} ${part.operation}`),
      refused: '',
    };
  } catch (error) {
    // Bad input is answered with a 4xx and never runs: as strict as DENY, and listed as refused.
    const refused = error instanceof Error ? error.message : String(error);
    return { item, route: 'DENY', understood: '', codes: [], fingerprint: '', operations: [], refused };
  }
}

function callAs({ standing: { provenance } }: Labelled): CallContext {
  const bound = provenance === 'asserted' ? {} : { tenantId: TENANT, agentId: AGENT };
  return {
    principal: { role: 'agent', provenance, subject: provenance === 'asserted' ? 'asserted' : 'token:eval', ...bound },
    deadlineMs: Number.MAX_SAFE_INTEGER,
    requestDigest: '0'.repeat(64),
    traceId: '0'.repeat(32),
  };
}

const keys = new HmacTenantKeys(new Uint8Array(32));
const detectors = allDetectors();

/** `admit` looks at the detectors, the keys and the isolation, and at nothing else. */
function deps(detect: boolean): DecisionDeps {
  const privacy = { detectors: detect ? detectors : [], keys };
  return { privacy, settings: { isolation: 'own_user' } } as unknown as DecisionDeps;
}

function factsFor({ standing: { level } }: Labelled, approved: boolean): Gathered {
  const figure = level === 'L3' ? PROVEN : { score: FLOOR, valid_receipts: 0 };
  return {
    scopes: [],
    missing: [],
    facts: {
      ...figure,
      level,
      revocation_epoch: 1,
      revoked_scopes: [],
      budget_exhausted: false,
      approval: approved ? { action_id: 'another', receipt_id: 'another' } : null,
    },
  };
}
