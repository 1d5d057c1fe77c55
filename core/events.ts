// Names of everything that happens and is told: on the bus, in the log, in metrics labels. One spelling each.
// What travels with a bus event is stated beside it; a log line carries digests and ids, never payloads.

export const EVENTS = {
  // Bus and log.
  /** `{log_id, size}`: the log holds `size` durable leaves. */
  receiptAppended: 'receipt.appended',
  /** `{tenant_id, agent_id, action_id, receipt_id, decision, route, surface, trace_id}`. */
  decisionMade: 'decision.made',
  /** `{tenant_id, agent_id, action_id, receipt_id}`. */
  actionOpened: 'action.opened',
  /** `{tenant_id, agent_id, action_id, receipt_id, status}`. */
  actionClosed: 'action.closed',
  /** `{tenant_id, agent_id, action_id, receipt_id, status}`. */
  approvalChanged: 'approval.changed',
  /** `{tenant_id, agent_id, score, band, valid_receipts}`. */
  trustChanged: 'trust.changed',
  /** `{revocation_id, scope, operation, epoch, tenant_id?}`: durable in the kill-switch's own log. */
  revocationCommitted: 'revocation.committed',
  /** `{revocation_id, epoch}`: every log is fenced or its lease has ended. */
  revocationBarrier: 'revocation.barrier',
  /** `{origin, size}`. */
  checkpointPublished: 'checkpoint.published',
  /** `{digest, revision}`. */
  policyActivated: 'policy.activated',
  /** `{epoch, found}`: the list was behind the kill-switch's log (new, flushed, restored) and has been rebuilt. */
  revocationListRebuilt: 'revocation_list.rebuilt',

  // Log only.
  starting: 'beacon.starting',
  ready: 'beacon.ready',
  stopping: 'beacon.stopping',
  stopped: 'beacon.stopped',
  startRefused: 'beacon.start_refused',
  requestFailed: 'request.failed',
  requestRefused: 'request.refused',
  requestShed: 'request.shed',
  decisionUnsealed: 'decision.unsealed',
  receiptVoided: 'receipt.voided',
  ledgerRecovered: 'ledger.recovered',
  ledgerFailed: 'ledger.failed',
  stateReplayed: 'state.replayed',
  scoringFailed: 'scoring.failed',
  policyRefused: 'policy.refused',
  policyFailed: 'policy.failed',
  leaseGranted: 'lease.granted',
  leaseExpired: 'lease.expired',
  fenceWritten: 'fence.written',
  fenceFailed: 'fence.failed',
  killSwitchStandsBy: 'kill_switch.stands_by',
  killSwitchTookOver: 'kill_switch.took_over',
  /** Another one has its log: this process ends. */
  killSwitchDeposed: 'kill_switch.deposed',
  killSwitchCannotLead: 'kill_switch.cannot_lead',
  tokenMinted: 'token.minted',
  tokenRevoked: 'token.revoked',
  keyRotated: 'key.rotated',
  /** `{gateway}`: the sidecar's stream to it is open and its credential taken. */
  sidecarConnected: 'sidecar.connected',
  sidecarLost: 'sidecar.lost',
  sidecarRefused: 'sidecar.refused',
  /** `{error}`: an ALLOW came that cannot be believed. Somebody stands between, or the pinned keys are old. */
  sidecarDisbelieved: 'sidecar.disbelieved',
  fileRefused: 'file.refused',
} as const;

export type EventName = (typeof EVENTS)[keyof typeof EVENTS];
