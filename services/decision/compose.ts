// Puts the decision service together: policy, detectors, where time and chance come from, and what is counted.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENTS } from '../../core/events.ts';
import { type PublicKey, parseJwks } from '../../core/jwk.ts';
import { readCases } from '../../core/policy-cases.ts';
import { PolicyRefused } from '../../core/policy-manifest.ts';
import type { CallContext } from '../../core/principal.ts';
import type { Residency } from '../../core/residency.ts';
import { allDetectors } from '../../ports/detectors/all.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import { loadBundle, readCanaries } from '../../ports/policy-engine/bundle-folder.ts';
import type { PolicyEngine } from '../../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import { FolderPolicySource } from '../../ports/policy-source/folder.ts';
import { HttpPolicySource } from '../../ports/policy-source/http.ts';
import { FilePolicyKeep } from '../../ports/policy-source/keep-file.ts';
import type { PolicySource } from '../../ports/policy-source/port.ts';
import type { TenantKeys } from '../../ports/tenant-key/port.ts';
import { randomHex } from '../../runtime/random.ts';
import type { Tracing } from '../../runtime/tracing.ts';
import type { DecisionDeps, DecisionSettings, Meter, Signer, Stores } from './deps.ts';
import { PolicyActivation } from './policy-activation.ts';
import type { PolicyMeter } from './policy-meter.ts';
import { remembering } from './policy-rehearsal.ts';
import type { ReceiptSource } from './recorder.ts';
import { residentDecision } from './resident.ts';
import { DecisionMaker } from './service.ts';
import { carryingTrace, tracedDecision } from './traced.ts';

const SEAL_TIMEOUT_MS = 5_000;

export type DecisionOptions = {
  readonly stores: Stores;
  readonly signer: Signer;
  readonly suspected?: DecisionDeps['suspected'];
  /** Absent where a projector beside the signer follows the log. */
  readonly source?: ReceiptSource;
  readonly keys: TenantKeys;
  readonly bus: EventBus;
  readonly settings: DecisionSettings;
  readonly meter: Meter;
  readonly policy: PolicyEngine;
  readonly activation?: PolicyActivation | undefined;
  readonly now: () => number;
  readonly failed: (event: string, error: unknown) => void;
  /** Told of each decision: ids and what a receipt says in clear. */
  readonly logged?: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly tracing?: Tracing | undefined;
  readonly residency?: Residency | undefined;
  /** Whether calls come over the wire. */
  readonly remote?: boolean;
};

/** Loads, checks and warms the bundle in a folder. Throws `failed_precondition` when it cannot be trusted. */
export async function composePolicy(folder: string): Promise<PolicyEngine> {
  const engine = new WasmPolicyEngine();
  await engine.activate(await loadBundle(folder));
  return engine;
}

export function composeDecision(options: DecisionOptions): DecisionMaker {
  const { stores, source, keys, settings, meter, policy, activation, now, failed, tracing, residency } = options;
  const bus = loggedDecisions(options);
  const signer = carryingTrace(options.signer, { tracing, residency });
  const newId = () => now().toString(16).padStart(12, '0') + randomHex(10);
  const env = { now, failed, bus, meter, randomHex, newId };
  const privacy = { detectors: allDetectors(), keys };
  const call = () => systemCall(Number.MAX_SAFE_INTEGER);
  // Where nothing may be kept, a new policy is compared on the built-in inputs alone.
  const watched = activation && !settings.zeroRetention ? remembering(policy, activation.recent) : policy;
  const maker = new DecisionMaker(
    {
      ...{ stores, signer, suspected: options.suspected, activation, privacy, settings, env },
      policy: watched,
      unremembered: policy,
    },
    source,
    call,
  );
  const kind = options.remote ? 'server' : 'internal';
  return tracedDecision(residentDecision(maker, residency), { tracing, kind, residency });
}

/** Beside what is told on the bus, a line of the log. */
function loggedDecisions({ bus, logged, residency }: DecisionOptions): EventBus {
  if (!logged) return bus;
  return {
    publish(event) {
      const { name, data, region } = event;
      // Without a table nobody has looked at the region that a call came with.
      if (name === EVENTS.decisionMade) logged(name, residency && region ? { ...data, region } : data);
      bus.publish(event);
    },
    subscribe: (name, listener) => bus.subscribe(name, listener),
    close: () => bus.close(),
  };
}

export type PolicyConfig = {
  readonly dataDir: string;
  readonly policyDir: string;
  readonly policyUrl: string;
  readonly policyKeys: string;
  readonly policyCaFile: string;
  readonly policyTokenFile: string;
  readonly policyPollMs: number;
};

export type ActivationOptions = {
  readonly policy: PolicyEngine;
  /** The built-in bundle's. */
  readonly builtIn: string;
  readonly config: PolicyConfig;
  readonly signer: Pick<Signer, 'seal'>;
  readonly bus: EventBus;
  readonly meter: PolicyMeter;
  readonly now: () => number;
  readonly log: {
    info(event: string, fields: Readonly<Record<string, unknown>>): void;
    warn(event: string, fields: Readonly<Record<string, unknown>>): void;
  };
};

/** Undefined where no source of bundles is set. Not yet started. */
export async function composeActivation(options: ActivationOptions): Promise<PolicyActivation | undefined> {
  const { policy, builtIn, config, signer, bus, meter, now, log } = options;
  const { digest, revision } = policy.snapshot();
  const unsigned = { name: 'built-in', version: 0, expiresAtMs: Number.POSITIVE_INFINITY, receiptId: '' };
  meter.active({ ...unsigned, digest, revision, refused: undefined });
  const source = policySource(config);
  if (!source) return undefined;
  const { canaries: always } = await loadBundle(builtIn);
  const part = (files: ReadonlyMap<string, Uint8Array>, name: string) => files.get(name) ?? new Uint8Array();
  return new PolicyActivation({
    engine: policy,
    source,
    // A server that is away, or a fresh replica, must not bring the built-in bundle back: it may be the milder one.
    required: source.kind === 'http',
    keep: new FilePolicyKeep(join(config.dataDir, 'policy', 'active.json')),
    trustedKeys: () => readKeys(config.policyKeys),
    prepare: (files) => ({
      bundle: {
        wasm: part(files, 'policy.wasm'),
        data: part(files, 'data.json'),
        revision: '',
        canaries: [...always, ...readCanaries(part(files, 'canaries.json'))],
      },
      rehearsal: { cases: readCases(part(files, 'cases.json')), canaries: always },
    }),
    signer,
    ownCall: () => systemCall(now() + SEAL_TIMEOUT_MS),
    now,
    told: {
      activated(status, previous_digest, rehearsal) {
        meter.active(status);
        const { version, receiptId: receipt_id } = status;
        const active = { digest: status.digest, revision: status.revision };
        log.info(EVENTS.policyActivated, { ...active, version, receipt_id, previous_digest, ...rehearsal });
        bus.publish({ name: EVENTS.policyActivated, data: active });
      },
      agreed: () => meter.agreed(),
      refused({ reason, message }, error) {
        meter.refused(reason);
        log.warn(EVENTS.policyRefused, { reason, message, ...(reason === 'unsealed' ? { error } : {}) });
      },
    },
  });
}

function policySource(config: PolicyConfig): PolicySource | undefined {
  const { policyDir, policyUrl: url, policyCaFile: caFile, policyTokenFile: tokenFile, policyPollMs: pollMs } = config;
  if (url !== '') return new HttpPolicySource({ url, caFile, tokenFile, pollMs });
  return policyDir === '' ? undefined : new FolderPolicySource(policyDir);
}

async function readKeys(path: string): Promise<readonly PublicKey[]> {
  try {
    return parseJwks(await readFile(path));
  } catch (cause) {
    throw new PolicyRefused('unreadable', 'BEACON_POLICY_KEYS cannot be read', cause);
  }
}

function systemCall(deadlineMs: number): CallContext {
  return {
    principal: { role: 'admin', provenance: 'authenticated', subject: 'service:decision' },
    deadlineMs,
    requestDigest: '',
    traceId: randomUUID().replaceAll('-', ''),
  };
}
