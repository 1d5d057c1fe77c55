// Puts a receipt signer together over its own log and keys on this machine's disk.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { EVENTS } from '../../core/events.ts';
import { formatVkey, noteKey, signNote } from '../../core/ledger/note.ts';
import type { CallContext } from '../../core/principal.ts';
import type { ReceiptSignerService } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { EventBus } from '../../ports/event-bus/port.ts';
import { FileKnownLeader } from '../../ports/known-leader/file.ts';
import { openFileLedger } from '../../ports/ledger-store/file.ts';
import type { LedgerStore } from '../../ports/ledger-store/port.ts';
import { FileOutboxCursor } from '../../ports/outbox-cursor/file.ts';
import type { ReceiptStream } from '../../ports/receipt-stream/port.ts';
import { openFileSigningKeys } from '../../ports/signing-key/file.ts';
import type { SigningKeys } from '../../ports/signing-key/port.ts';
import { multiplex } from '../../runtime/multiplex.ts';
import type { Service } from '../../runtime/rpc.ts';
import { FollowedLeader } from './leader.ts';
import { Outbox } from './outbox.ts';
import { ReceiptSigner } from './service.ts';

/** Most requests of one stream under way; further ones wait unread. */
export const MAX_STREAM_IN_FLIGHT = 1_024;

export type SignerComposition = {
  readonly service: Service<typeof ReceiptSignerService, CallContext>;
  readonly store: LedgerStore;
  readonly keys: SigningKeys;
  /** Present when the log is handed to a stream. */
  readonly outbox?: Outbox;
  stop(): Promise<void>;
};

export type SignerOptions = {
  readonly dataDir: string;
  /** Names the log's folder, its keys' folder and its origin: receipt-signer, kill-switch. */
  readonly role: string;
  readonly bus: EventBus;
  readonly now: () => number;
  readonly failed: (error: unknown) => void;
  /** Where to hand the log's receipts on. It need not be there when the signer starts. */
  readonly stream?: ReceiptStream;
  /** Told of each failed try to hand on; `failed` is for what cannot be signed or kept. */
  readonly streamFailed?: (error: unknown) => void;
  /** Where the kill switch is a process of its own: which one is followed outlives this one. */
  readonly keepLeader?: boolean;
  /** Given, a log that another process writes is waited for instead of refused. */
  readonly waiting?: { readonly standingBy: () => void; readonly signal: AbortSignal };
};

export async function composeReceiptSigner(options: SignerOptions): Promise<SignerComposition> {
  const { dataDir, role, bus, now, failed } = options;
  const logId = randomBytes(6).toString('hex');
  const newLog = { logId, origin: `beacon.local/${role}/${logId}` };
  const waiting = options.waiting ? { waiting: options.waiting } : {};
  const store = await openFileLedger({ folder: join(dataDir, 'ledger', role), newLog, ...waiting });
  try {
    const isNew = store.size() === 0 && store.checkpoint() === undefined;
    const keys = await openFileSigningKeys(join(dataDir, 'keys', role, 'receipts'), { create: isNew });
    const logKey = (await openFileSigningKeys(join(dataDir, 'keys', role, 'log'), { create: isNew })).current();
    const key = noteKey(store.origin, logKey.publicKey.bytes);
    const sign = (body: string) => signNote(body, [{ key, sign: (message) => logKey.sign(message) }]);
    const keep = options.keepLeader ? new FileKnownLeader(join(dataDir, 'ledger', `${role}.leader.json`)) : undefined;
    const leader = new FollowedLeader(keep);
    await leader.load();
    const signer = new ReceiptSigner({ store, keys, note: { vkey: formatVkey(key), sign }, bus, now, failed }, leader);
    await signer.publishCheckpoint();
    const handing = await startOutbox(options, store);
    return {
      service: streaming(signer),
      store,
      keys,
      ...(handing ? { outbox: handing.outbox } : {}),
      stop: async () => {
        await signer.stop();
        await handing?.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startOutbox(options: SignerOptions, store: LedgerStore) {
  const { dataDir, role, bus, stream, streamFailed = () => {} } = options;
  if (!stream) return undefined;
  const cursor = new FileOutboxCursor(join(dataDir, 'ledger', `${role}.outbox.json`));
  const outbox = new Outbox({ store, stream, cursor, failed: streamFailed });
  await outbox.start();
  const end = bus.subscribe(EVENTS.receiptAppended, (event) => {
    if (event.data.log_id === store.logId) outbox.grown();
  });
  return {
    outbox,
    stop: async () => {
      end();
      await outbox.stop();
    },
  };
}

function streaming(signer: ReceiptSigner): Service<typeof ReceiptSignerService, CallContext> {
  return Object.assign(signer, {
    sealStream: (requests: Parameters<Service<typeof ReceiptSignerService, CallContext>['sealStream']>[0]) =>
      multiplex(requests, (request) => signer.sealOne(request), MAX_STREAM_IN_FLIGHT),
  });
}
