// Puts the kill switch together: where its time, chance and digests come from.

import { randomBytes, randomUUID } from 'node:crypto';
import type { CallContext } from '../../core/principal.ts';
import type { TenantKeys } from '../../ports/tenant-key/port.ts';
import type { TokenStore } from '../../ports/token-store/port.ts';
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
};

/** How long the kill switch waits for a signer before it counts on the end of its lease. */
const SIGNER_TIMEOUT_MS = 2_000;

export function composeKillSwitch(options: KillSwitchOptions): KillSwitch {
  const { keys, tokens, leaseMs, now, leads, failed, meter, ...deps } = options;
  return new KillSwitch({
    ...deps,
    env: {
      now,
      leaseMs,
      leads,
      failed,
      meter,
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
}
