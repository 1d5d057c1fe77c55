// What is counted of policy bundles: which one decides, until when, and what was refused.

import type { Metrics } from '../../runtime/metrics.ts';
import type { PolicyStatus } from './policy-status.ts';

export type PolicyMeter = {
  active(status: PolicyStatus): void;
  refused(reason: string): void;
  /** What the source has now is what decides. */
  agreed(): void;
};

export function policyMeter(metrics: Metrics): PolicyMeter {
  const info = metrics.gauge('policy_info', 'The active policy bundle.', ['digest', 'revision', 'version']);
  const expiry = metrics.gauge(
    'policy_expires_timestamp_seconds',
    'When the active policy bundle expires (Unix time); 0 when it does not.',
  );
  const refused = metrics.counter('policy_refused_total', 'Policy bundles that were not activated.', ['reason']);
  // What is refused is counted once, however long it lies there: an alert needs to know that it still does.
  const disagreeing = metrics.gauge(
    'policy_source_refused',
    '1 while what the source of policy bundles has, or its silence, is refused; else 0.',
  );
  return {
    active({ digest, revision, version, expiresAtMs }) {
      info.reset();
      info.set({ digest, revision, version: String(version) }, 1);
      expiry.set(Number.isFinite(expiresAtMs) ? expiresAtMs / 1000 : 0);
    },
    refused(reason) {
      refused.inc({ reason });
      disagreeing.set(1);
    },
    agreed: () => disagreeing.set(0),
  };
}
