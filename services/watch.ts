// Gauges that are read when they are asked for: the logs, the lease.

import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { CallContext } from '../core/principal.ts';
import { GetStatusRequestSchema } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Metrics } from '../runtime/metrics.ts';
import type { SignerComposition } from './receipt-signer/compose.ts';

export type Watched = {
  readonly signer: SignerComposition;
  readonly killSwitchLog: SignerComposition;
};

const READ_EVERY_MS = 1_000;

export function watch(metrics: Metrics, { signer, killSwitchLog }: Watched): void {
  const size = metrics.gauge('ledger_size', 'Durable leaves.', ['role']);
  const checkpoint = metrics.gauge('ledger_checkpoint_size', 'Leaves under the last checkpoint.', ['role']);
  const writable = metrics.gauge('ledger_writable', '1 while the ledger can be written.', ['role']);
  const lag = metrics.gauge('outbox_lag', 'Leaves that the receipt stream has not stored yet.', ['role']);
  const epoch = metrics.gauge('revocation_epoch', 'Highest revocation epoch the signer stands behind.');
  const lease = metrics.gauge('lease_remaining_seconds', 'Time left in the signer’s lease.');
  const context: CallContext = {
    principal: { role: 'admin', provenance: 'authenticated', subject: 'service:watch' },
    deadlineMs: Number.MAX_SAFE_INTEGER,
    requestDigest: '',
    traceId: '',
  };
  const read = async () => {
    for (const [role, log] of [
      ['receipt-signer', signer],
      ['kill-switch', killSwitchLog],
    ] as const) {
      const status = await log.service.getStatus(create(GetStatusRequestSchema), context);
      size.set({ role }, Number(status.size));
      checkpoint.set({ role }, Number(status.checkpointSize));
      writable.set({ role }, status.writable ? 1 : 0);
      if (log.outbox) lag.set({ role }, log.outbox.lag());
      if (role !== 'receipt-signer') continue;
      epoch.set(Number(status.epoch));
      lease.set(status.leaseNotAfter ? Math.max(0, timestampMs(status.leaseNotAfter) - Date.now()) / 1000 : 0);
    }
  };
  setInterval(() => void read(), READ_EVERY_MS).unref();
  void read();
}
