// What the kill-switch measures: the time to stop. Labels are bounded lists; no scope stands in one.

import type { Metrics } from '../../runtime/metrics.ts';
import type { KillSwitchMeter } from './service.ts';

export function killSwitchMeter(metrics: Metrics): KillSwitchMeter {
  const revocations = metrics.histogram(
    'revocation_duration_seconds',
    'From the request to revoke to each level it reached: BARRIER, and DRAINED where no permit was left.',
    ['level'],
  );
  const reinstatements = metrics.histogram(
    'reinstatement_duration_seconds',
    'From the request to reinstate to its fence in every signer’s log.',
  );
  return {
    changed({ operation, level, seconds }) {
      if (operation === 'revoke') revocations.observe({ level }, seconds);
      else reinstatements.observe(seconds);
    },
  };
}
