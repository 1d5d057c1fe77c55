// Puts the decision service together: policy, detectors, where time and chance come from, and what is counted.

import { randomBytes, randomUUID } from 'node:crypto';
import type { CallContext } from '../../core/principal.ts';
import type { DecisionService } from '../../gen/beacon/v1/decision_service_pb.js';
import { piiDetector } from '../../ports/detectors/pii.ts';
import { secretDetector } from '../../ports/detectors/secrets.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import { loadBundle } from '../../ports/policy-engine/bundle-folder.ts';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import type { TenantKeys } from '../../ports/tenant-key/port.ts';
import { multiplex } from '../../runtime/multiplex.ts';
import type { Service } from '../../runtime/rpc.ts';
import type { DecisionSettings, Meter, Signer, Stores } from './deps.ts';
import type { ReceiptSource } from './recorder.ts';
import { DecisionMaker } from './service.ts';

/** Most decisions of one stream under way; further requests wait unread. */
export const MAX_STREAM_IN_FLIGHT = 512;

export type DecisionOptions = {
  readonly stores: Stores;
  readonly signer: Signer;
  readonly source: ReceiptSource;
  readonly keys: TenantKeys;
  readonly bus: EventBus;
  readonly settings: DecisionSettings;
  readonly meter: Meter;
  readonly policyFolder: string;
  readonly now: () => number;
  readonly failed: (event: string, error: unknown) => void;
};

export type DecisionComposition = {
  readonly service: Service<typeof DecisionService, CallContext>;
  readonly maker: DecisionMaker;
  readonly policy: PolicySnapshot;
};

export async function composeDecision(options: DecisionOptions): Promise<DecisionComposition> {
  const { stores, signer, source, keys, bus, settings, meter, now, failed } = options;
  const policy = new WasmPolicyEngine();
  const active = await policy.activate(await loadBundle(options.policyFolder));
  const env = { now, failed, bus, meter, randomHex: (bytes: number) => randomBytes(bytes).toString('hex') };
  const privacy = { detectors: [secretDetector, piiDetector], keys };
  const systemCall = (): CallContext => ({
    principal: { role: 'admin', provenance: 'authenticated', subject: 'service:decision' },
    deadlineMs: Number.MAX_SAFE_INTEGER,
    requestDigest: '',
    traceId: randomUUID().replaceAll('-', ''),
  });
  const maker = new DecisionMaker({ stores, signer, policy, privacy, settings, env }, source, systemCall);
  return { service: streaming(maker), maker, policy: active };
}

function streaming(maker: DecisionMaker): Service<typeof DecisionService, CallContext> {
  return Object.assign(maker, {
    decide: (requests: Parameters<Service<typeof DecisionService, CallContext>['decide']>[0], call: CallContext) =>
      multiplex(requests, (request) => maker.decideOne(request, call), MAX_STREAM_IN_FLIGHT),
  });
}
