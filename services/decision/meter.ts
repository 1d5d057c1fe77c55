// What the decision service counts. Labels are bounded lists; no agent, tenant or action stands in one.

import type { Metrics } from '../../runtime/metrics.ts';
import type { Meter } from './deps.ts';

/** Surfaces with a label of their own; every other one counts as `other`. */
const SURFACES = ['api', 'sdk', 'cli', 'codex', 'claude-code', 'gemini', 'mcp', 'exec', 'kubernetes'];
/** Reason classes are the policy's first two name parts; a bundle with more than this many counts the rest as `other`. */
const MAX_REASON_CLASSES = 64;

export function decisionMeter(metrics: Metrics): Meter {
  const decisions = metrics.exemplarCounter(
    'decisions_total',
    'Sealed decisions, by route and class of the first reason.',
    ['route', 'reason_class', 'surface', 'provenance'],
  );
  const duration = metrics.exemplarHistogram('decision_duration_seconds', 'From admission to the recorded receipt.', [
    'route',
  ]);
  const stages = metrics.histogram('decision_stage_duration_seconds', 'Each beat of a decision.', ['stage']);
  const unsealed = metrics.counter('decisions_unsealed_total', 'Requests that ended without a decision.', ['code']);
  const voided = metrics.counter('decisions_voided_total', 'Sealed ALLOWs that were never answered.', ['reason']);
  const classes = new Set<string>();
  const bounded = (name: string) => {
    if (!classes.has(name) && classes.size >= MAX_REASON_CLASSES) return 'other';
    classes.add(name);
    return name;
  };
  return {
    decided({ route, reasonClass, surface, provenance, seconds, receiptId, traceId }) {
      const exemplar = { trace_id: traceId, receipt_id: receiptId };
      const known = SURFACES.includes(surface) ? surface : 'other';
      decisions.inc({ route, reason_class: bounded(reasonClass), surface: known, provenance }, exemplar);
      duration.observe({ route }, seconds, exemplar);
    },
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    unsealed: (code) => unsealed.inc({ code }),
    voided: (reason) => voided.inc({ reason }),
  };
}
