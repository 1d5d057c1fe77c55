// Records that the tests of the action store start from.

import type { ActionRecord, ApprovalRecord } from './port.ts';

export const LOG = 'aaaaaaaaaaaa';

export function actionRecord(over: Partial<ActionRecord> = {}): ActionRecord {
  return {
    actionId: 'act_1',
    tenantId: 't',
    agentId: 'a',
    sessionId: 's',
    fingerprint: 'f1'.repeat(32),
    route: 'ALLOW',
    state: 'open',
    surface: 'api',
    provenance: 'authenticated',
    permitId: 'pmt_1',
    permitNotAfterMs: 2_000,
    term: 7,
    scopes: ['global', 'tenant:t', 'agent:t/a', 'tool:git'],
    receiptIds: [`${LOG}-0`],
    decidedAtMs: 1_000,
    openedAtMs: 1_001,
    deadlineMs: 5_000,
    closedAtMs: 0,
    outcome: '',
    ...over,
  };
}

export function approvalRecord(over: Partial<ApprovalRecord> = {}): ApprovalRecord {
  return {
    actionId: 'act_1',
    tenantId: 't',
    agentId: 'a',
    fingerprint: 'f1'.repeat(32),
    status: 'pending',
    requestedAtMs: 1_000,
    notAfterMs: 9_000,
    approver: '',
    reason: '',
    receiptId: `${LOG}-0`,
    summary: 'push to origin/main',
    ...over,
  };
}
