// Puts a receipt signer together over its own log and keys on this machine's disk.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import { formatVkey, noteKey, signNote } from '../../core/ledger/note.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  type ReceiptSignerService,
  type SealRequest,
  type SealStreamRequest,
  type SealStreamResponse,
  SealStreamResponseSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
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
import type { Tracing } from '../../runtime/tracing.ts';
import { tracedMethods } from '../../runtime/tracing-calls.ts';
import { FollowedLeader } from './leader.ts';
import { Outbox } from './outbox.ts';
import { ReceiptSigner } from './service.ts';
import { SealTraces } from './traced.ts';

/** Most requests of one stream under way; further ones wait unread. */
export const MAX_STREAM_IN_FLIGHT = 1_024;

/** A barrier waits for these. */
const FENCE_SPANS = { fence: { name: 'fence', kind: 'server' } } as const;

type Signer = Service<typeof ReceiptSignerService, CallContext>;

export type SignerComposition = {
  readonly service: Service<typeof ReceiptSignerService, CallContext>;
  readonly store: LedgerStore;
  readonly keys: SigningKeys;
  /** Under which span each receipt was sealed, for who goes on with it. */
  readonly traces: SealTraces;
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
  readonly tracing?: Tracing | undefined;
  /** The region the log lies in, where there are regions. */
  readonly region?: string | undefined;
  /** Whether a tenant's receipts may lie here. Without it all may. */
  readonly mayLieHere?: ((tenantId: string) => boolean) | undefined;
  /** Told when a fence is durable. */
  readonly fenced?: () => void;
  /** Told of each failed try to hand on; `failed` is for what cannot be signed or kept. */
  readonly streamFailed?: (error: unknown) => void;
  /** Where the kill switch is a process of its own: which one is followed outlives this one. */
  readonly keepLeader?: boolean;
  /** Given, a log that another process writes is waited for instead of refused. */
  readonly waiting?: { readonly standingBy: () => void; readonly signal: AbortSignal };
};

export async function composeReceiptSigner(options: SignerOptions): Promise<SignerComposition> {
  const { dataDir, role, bus, now, failed, fenced } = options;
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
    const note = { vkey: formatVkey(key), sign };
    const signer = new ReceiptSigner({ store, keys, note, bus, now, failed, fenced }, leader);
    await signer.publishCheckpoint();
    const traces = tracesOf(options, store.logId);
    const handing = await startOutbox(options, store, traces);
    return {
      service: streaming(tracedMethods(signer, options.tracing, FENCE_SPANS), traces, options),
      store,
      keys,
      traces,
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

function tracesOf({ tracing, region, stream }: SignerOptions, logId: string): SealTraces {
  // Over a stream there are other processes, which call over the wire.
  const kind = stream ? 'server' : 'internal';
  const remember = stream !== undefined || tracing !== undefined;
  return new SealTraces({ logId, tracing, kind, remember, ...(region === undefined ? {} : { region }) });
}

async function startOutbox(options: SignerOptions, store: LedgerStore, traces: SealTraces) {
  const { dataDir, role, bus, stream, region, streamFailed = () => {} } = options;
  if (!stream) return undefined;
  const cursor = new FileOutboxCursor(join(dataDir, 'ledger', `${role}.outbox.json`));
  const outbox = new Outbox({ store, stream, cursor, region, traces, failed: streamFailed });
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

function streaming(signer: ReceiptSigner, traces: SealTraces, { region = '', mayLieHere }: SignerOptions): Signer {
  const strange = (request: SealRequest | undefined) =>
    mayLieHere !== undefined && request?.drafts.some(({ tenantId }) => tenantId !== '' && !mayLieHere(tenantId));
  const seal: Signer['seal'] = async (request) => {
    if (strange(request)) throw new BeaconError('failed_precondition', 'this tenant’s receipts may not lie here');
    return traces.seal(request, () => signer.seal(request));
  };
  const sealOne = (message: SealStreamRequest): Promise<SealStreamResponse> => {
    const { sequence, request } = message;
    if (strange(request)) {
      return Promise.resolve(create(SealStreamResponseSchema, { sequence, failureCode: 'failed_precondition' }));
    }
    return traces.sealOne(message, () => signer.sealOne(message));
  };
  const sealStream: Signer['sealStream'] = (requests) => multiplex(requests, sealOne, MAX_STREAM_IN_FLIGHT);
  const getStatus: Signer['getStatus'] = async () => Object.assign(await signer.getStatus(), { region });
  const own = { seal, sealStream, getStatus };
  return new Proxy(signer as unknown as Signer, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
