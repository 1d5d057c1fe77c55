// Tells that an agent's score has changed.

import { EVENTS } from '../../core/events.ts';
import { bandOf } from '../../core/trust-score/score.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import type { ScoreRow } from '../../ports/score-store/port.ts';

export function announceTrust(bus: Pick<EventBus, 'publish'>, row: ScoreRow, before: ScoreRow | undefined): void {
  if (row.score === before?.score) return;
  const { tenantId, agentId, score, validReceipts } = row;
  const data = { tenant_id: tenantId, agent_id: agentId, score, band: bandOf(score), valid_receipts: validReceipts };
  bus.publish({ name: EVENTS.trustChanged, data });
}
