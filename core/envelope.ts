// The envelope: everything a decision is made upon. It is evaluated, kept as evidence, and replayed, as these bytes.

import type { Called } from './action/called.ts';
import type { Change } from './action/extent.ts';
import type { ActionContext, CanonicalAction, Finding } from './action/types.ts';
import type { Externality } from './externality.ts';
import type { Provenance } from './principal.ts';

export type TrustLevel = 'L0' | 'L1' | 'L2' | 'L3';
export type RuntimeFamily = 'tool_hook' | 'framework_sdk' | 'gateway' | 'managed_platform' | 'observer';

export type SpentBudget = {
  readonly of: 'agent' | 'turn' | 'session';
  /** Decisions in `window_seconds`. */
  readonly limit: number;
  readonly window_seconds: number;
  /** RFC 3339, UTC, to the second. */
  readonly lifts_at: string;
};

/** What Beacon itself knows at the moment of deciding; no caller writes here. */
export type Facts = {
  readonly score: number;
  readonly valid_receipts: number;
  readonly level: TrustLevel;
  /** Null when no epoch could be read: the policy and the host both deny. */
  readonly revocation_epoch: number | null;
  readonly revoked_scopes: readonly string[];
  readonly budget_exhausted: boolean;
  /** Which one, where its keeper said so. */
  readonly budget_spent?: SpentBudget;
  /** A recorded, unexpired, unused approval for this fingerprint, tenant and agent. */
  readonly approval: { readonly action_id: string; readonly receipt_id: string } | null;
};

/**
 * The policy's input. `decide` gets exactly these bytes (RFC 8785); nothing in it is in clear that a detector replaced.
 */
export type EvaluatedInput = {
  readonly version: 1;
  readonly identity: {
    readonly tenant_id: string;
    readonly agent_id: string;
    readonly session_id: string;
    readonly client_provenance: Provenance;
  };
  readonly surface: string;
  readonly runtime_family: RuntimeFamily;
  readonly action: CanonicalAction;
  readonly externality: Externality;
  readonly findings: readonly Finding[];
  /** All absent in what was decided before they were told. */
  readonly change?: Change;
  readonly commands?: Called;
  readonly regions?: readonly string[];
  readonly facts: Facts;
  readonly context: ActionContext;
};
