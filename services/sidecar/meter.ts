// What a sidecar counts: what became of the proposals, and whether it has a gateway.

import type { Metrics } from '../../runtime/metrics.ts';
import type { Outcome } from './service.ts';

export function sidecarMeter(metrics: Metrics, connected: () => boolean): (outcome: Outcome, seconds: number) => void {
  const ended = metrics.counter('sidecar_proposals_total', 'Proposals by what was passed on.', ['outcome']);
  const duration = metrics.histogram('sidecar_proposal_duration_seconds', 'Time to an answer.', ['outcome']);
  const gauge = metrics.gauge('sidecar_connected', '1 while there is a gateway to ask.');
  setInterval(() => gauge.set(connected() ? 1 : 0), 1_000).unref();
  return (outcome, seconds) => {
    ended.inc({ outcome });
    duration.observe({ outcome }, seconds);
  };
}
