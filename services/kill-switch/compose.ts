// Puts the kill switch together: where its time, chance and digests come from.

import { randomBytes, randomUUID } from 'node:crypto';
import type { CallContext } from '../../core/principal.ts';
import { type Revocation, RevocationLevel } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import type { TenantKeys } from '../../ports/tenant-key/port.ts';
import type { TokenStore } from '../../ports/token-store/port.ts';
import type { SpanAttributes, Tracing } from '../../runtime/tracing.ts';
import { tracedMethods } from '../../runtime/tracing-calls.ts';
import { KillSwitch, type KillSwitchDeps, type KillSwitchMeter } from './service.ts';

export type KillSwitchOptions = Omit<KillSwitchDeps, 'env'> & {
  readonly keys: TenantKeys;
  readonly tokens: Pick<TokenStore, 'isMinted'>;
  readonly leaseMs: number;
  readonly now: () => number;
  /** Whether the log is still this one's alone to write: its store's word. */
  readonly leads: () => Promise<boolean>;
  readonly failed: (error: unknown) => void;
  readonly meter: KillSwitchMeter;
  readonly tracing?: Tracing | undefined;
};

/** How long the kill switch waits for a signer before it counts on the end of its lease. */
const SIGNER_TIMEOUT_MS = 2_000;

export function composeKillSwitch(options: KillSwitchOptions): KillSwitch {
  const { keys, tokens, leaseMs, now, leads, failed, meter, tracing, ...deps } = options;
  const killSwitch = new KillSwitch({
    ...deps,
    env: {
      now,
      leaseMs,
      leads,
      failed,
      meter,
      tracing,
      randomHex: (bytes) => randomBytes(bytes).toString('hex'),
      // A revocation belongs to no tenant; its reason is digested under a key of its own.
      digest: (text) => keys.digest('', text),
      isMinted: (tenantId, agentId) => tokens.isMinted(tenantId, agentId),
      context: (): CallContext => ({
        principal: { role: 'admin', provenance: 'authenticated', subject: 'service:kill-switch' },
        deadlineMs: now() + SIGNER_TIMEOUT_MS,
        requestDigest: '',
        traceId: randomUUID().replaceAll('-', ''),
      }),
    },
  });
  return tracedMethods(killSwitch, tracing, {
    revoke: { name: 'revoke', after: describe },
    reinstate: { name: 'reinstate', after: describe },
  });
}

function describe({ revocation }: { readonly revocation?: Revocation }): SpanAttributes {
  if (!revocation) return {};
  const { revocationId, receiptId, level } = revocation;
  return {
    'beacon.revocation_id': revocationId,
    'beacon.receipt_id': receiptId,
    'beacon.level': RevocationLevel[level] ?? '',
  };
}
