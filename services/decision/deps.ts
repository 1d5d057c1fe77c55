// What the decision service stands on. Nothing here knows an engine or a mode.

import type { Isolation } from '../../core/enforceability.ts';
import type { CallContext } from '../../core/principal.ts';
import type { Receipt } from '../../core/receipt.ts';
import type { ReceiptSignerService } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { ActionStore } from '../../ports/action-store/port.ts';
import type { Budgets } from '../../ports/budgets/port.ts';
import type { Detector } from '../../ports/detectors/port.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import type { Idempotency } from '../../ports/idempotency/port.ts';
import type { PolicyEngine } from '../../ports/policy-engine/port.ts';
import type { RevocationList } from '../../ports/revocation-list/port.ts';
import type { ScoreStore } from '../../ports/score-store/port.ts';
import type { TenantKeys } from '../../ports/tenant-key/port.ts';
import type { Service } from '../../runtime/rpc.ts';
import type { PolicyControl } from './policy-status.ts';

export type Signer = Pick<Service<typeof ReceiptSignerService, CallContext>, 'seal' | 'getReceipt' | 'getStatus'>;

/** The stores a decision gathers from and writes to. */
export type Stores = {
  /** False once a write was lost: nothing is decided then, because what follows from it could not be kept. */
  readonly writable: () => boolean;
  /** Done when what was asked of stores elsewhere has left this process; absent where the stores are in it. */
  readonly left?: () => Promise<void> | undefined;
  readonly revocations: RevocationList;
  readonly scores: ScoreStore;
  readonly actions: ActionStore;
  readonly budgets: Budgets;
  readonly idempotency: Idempotency;
};

/** Decisions within `windowMs` from the first; 0 is no limit. */
export type ActionLimit = { readonly actions: number; readonly windowMs: number };

export type DecisionSettings = {
  readonly isolation: Isolation;
  readonly permitTtlMs: number;
  readonly actionDeadlineMs: number;
  readonly approvalTtlMs: number;
  readonly idempotencyTtlMs: number;
  /** Longest time the facts may take; after it the decision is a DENY. */
  readonly gatherTimeoutMs: number;
  readonly maxInFlight: number;
  /** Decisions a minute one agent may ask for; 0 is no limit. */
  readonly agentRate: number;
  readonly turn: ActionLimit;
  readonly session: ActionLimit;
  /** Names that may be proposed under without a token, all tenants together: each leaves rows that stay. */
  readonly assertedNames: number;
  /** Keeps no evidence; replay is then impossible, and receipts say so. */
  readonly zeroRetention: boolean;
  /** keyid of the receipt-signing key: the scope `key:`. */
  readonly keyId: () => string;
};

/** Where time and chance come from, and who is told. */
export type Env = {
  readonly now: () => number;
  readonly randomHex: (bytes: number) => string;
  /** 32 hex digits, 80 of the bits random, that sort by time: neighbours in the stores' indexes. */
  readonly newId: () => string;
  readonly failed: (event: string, error: unknown) => void;
  readonly bus: EventBus;
  readonly meter: Meter;
};

export type DecisionDeps = {
  readonly stores: Stores;
  readonly signer: Signer;
  /** Whether a receipt may be about to be voided, because nobody is known to have been answered with it. */
  readonly suspected?: ((receipt: Receipt) => Promise<boolean>) | undefined;
  readonly policy: PolicyEngine;
  /** The same where what it is asked is remembered for nothing; absent where nothing is remembered anyway. */
  readonly unremembered?: PolicyEngine | undefined;
  /** Absent where the built-in bundle alone decides. */
  readonly activation?: PolicyControl | undefined;
  readonly privacy: { readonly detectors: readonly Detector[]; readonly keys: TenantKeys };
  readonly settings: DecisionSettings;
  readonly env: Env;
};

/** Counted by the decision service; what it is counted with is compose's choice. */
export type Meter = {
  decided(what: {
    readonly route: string;
    readonly reasonClass: string;
    readonly surface: string;
    readonly provenance: string;
    readonly seconds: number;
    /** For the figure's latest example. */
    readonly receiptId: string;
    readonly traceId: string;
  }): void;
  stage(name: 'admit' | 'gather' | 'judge' | 'seal' | 'record', seconds: number): void;
  unsealed(code: string): void;
  voided(reason: string): void;
};
