// Puts the decision service together: policy, detectors, where time and chance come from, and what is counted.

import { randomBytes, randomUUID } from 'node:crypto';
import type { CallContext } from '../../core/principal.ts';
import { combineDetectors } from '../../ports/detectors/combine.ts';
import { piiDetector } from '../../ports/detectors/pii.ts';
import { secretsDetector } from '../../ports/detectors/secrets.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import { loadBundle } from '../../ports/policy-engine/bundle-folder.ts';
import type { PolicyEngine } from '../../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import type { TenantKeys } from '../../ports/tenant-key/port.ts';
import type { DecisionSettings, Meter, Signer, Stores } from './deps.ts';
import type { ReceiptSource } from './recorder.ts';
import { DecisionMaker } from './service.ts';

const RANDOM_POOL_BYTES = 4_096;

export type DecisionOptions = {
  readonly stores: Stores;
  readonly signer: Signer;
  /** Absent where a projector beside the signer follows the log. */
  readonly source?: ReceiptSource;
  readonly keys: TenantKeys;
  readonly bus: EventBus;
  readonly settings: DecisionSettings;
  readonly meter: Meter;
  readonly policy: PolicyEngine;
  readonly now: () => number;
  readonly failed: (event: string, error: unknown) => void;
};

/** Loads, checks and warms the bundle in a folder. Throws `failed_precondition` when it cannot be trusted. */
export async function composePolicy(folder: string): Promise<PolicyEngine> {
  const engine = new WasmPolicyEngine();
  await engine.activate(await loadBundle(folder));
  return engine;
}

export function composeDecision(options: DecisionOptions): DecisionMaker {
  const { stores, signer, source, keys, bus, settings, meter, policy, now, failed } = options;
  const randomHex = pooledRandomHex();
  const newId = () => now().toString(16).padStart(12, '0') + randomHex(10);
  const env = { now, failed, bus, meter, randomHex, newId };
  const privacy = { detectors: [combineDetectors(secretsDetector(), piiDetector())], keys };
  const systemCall = (): CallContext => ({
    principal: { role: 'admin', provenance: 'authenticated', subject: 'service:decision' },
    deadlineMs: Number.MAX_SAFE_INTEGER,
    requestDigest: '',
    traceId: randomUUID().replaceAll('-', ''),
  });
  return new DecisionMaker({ stores, signer, policy, privacy, settings, env }, source, systemCall);
}

/** Random bytes by the page: a call to the system for each of a decision's ids costs more than the ids. */
function pooledRandomHex(): (bytes: number) => string {
  let pool = randomBytes(RANDOM_POOL_BYTES);
  let at = 0;
  return (bytes) => {
    if (at + bytes > pool.length) {
      pool = randomBytes(RANDOM_POOL_BYTES);
      at = 0;
    }
    at += bytes;
    return pool.toString('hex', at - bytes, at);
  };
}
