// What a NATS that dies, hangs or forgets does to receipts: it delays them. Two signers on real disks, a real nats-server,
// two scoring replicas on one store; in the end ledgers, stream and scores agree to the receipt.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CallContext } from '../../core/principal.ts';
import { DraftSchema, SealRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { JetStreamReceiptStream, STREAM } from '../../ports/receipt-stream/jetstream.ts';
import { SqliteScoreStore } from '../../ports/score-store/sqlite.ts';
import { type Nats, openNats } from '../../runtime/nats.ts';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { composeReceiptSigner, type SignerComposition } from '../../services/receipt-signer/compose.ts';
import { composeStreamScoring, type StreamScoringComposition } from '../../services/scoring/compose.ts';
import { followSigner } from '../../services/scoring/signer-source.ts';
import { describeWithNats, NatsServer } from '../nats-server.ts';

const LIMITS = { maxBytes: 256 * 2 ** 20, maxAgeMs: 3_600_000 };
const AGENTS = ['a', 'b', 'c'];
const context: CallContext = {
  principal: { role: 'admin', provenance: 'authenticated', subject: 'service:test' },
  deadlineMs: Number.MAX_SAFE_INTEGER,
  requestDigest: '',
  traceId: '',
};

function outcome(agentId: string) {
  const predicate = { tenant_id: 't', agent_id: agentId, client_provenance: 'authenticated', status: 'succeeded' };
  const predicateJson = Buffer.from(JSON.stringify(predicate));
  return create(DraftSchema, {
    kind: 'outcome',
    actionId: 'x',
    fingerprint: 'f'.repeat(64),
    tenantId: 't',
    predicateJson,
  });
}

type Joined = { readonly nats: Nats; readonly stream: JetStreamReceiptStream };

describeWithNats('faults of NATS', () => {
  let folder: string;
  let server: NatsServer;
  let file: SqliteFile;
  let scores: SqliteScoreStore;
  let signers: SignerComposition[];
  let parts: Joined[];
  let replicas: StreamScoringComposition[];
  let slowestSealMs: number;

  const joinNats = (): Joined => {
    const nats = openNats({ servers: [server.address], name: 'test' });
    const joined = { nats, stream: new JetStreamReceiptStream({ nats, ...LIMITS }) };
    parts.push(joined);
    return joined;
  };
  const openSigner = (role: string, { stream } = joinNats()) =>
    composeReceiptSigner({ dataDir: folder, role, bus: new MemoryEventBus(), now: Date.now, failed: () => {}, stream });
  const openReplica = async ({ stream } = joinNats()) => {
    const logs = await Promise.all(signers.map(({ service }) => followSigner(service, Date.now)));
    const shared = {
      store: scores,
      stream,
      expected: logs.length,
      bus: new MemoryEventBus(),
      now: Date.now,
      onFault: () => {},
    };
    const replica = composeStreamScoring({ ...shared, logs, signer: (signers[0] as SignerComposition).service });
    replicas.push(replica);
    return replica;
  };
  /** `count` receipts at each signer, some in one request together. */
  const seal = async (count: number) => {
    for (let done = 0; done < count; done += 10) {
      const drafts = Array.from({ length: 10 }, (_, n) => outcome(AGENTS[(done + n) % 3] as string));
      for (const { service } of signers) {
        const startedMs = performance.now();
        await service.seal(create(SealRequestSchema, { drafts }), context);
        slowestSealMs = Math.max(slowestSealMs, performance.now() - startedMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const sealFor = async (durationMs: number) => {
    for (const until = performance.now() + durationMs; performance.now() < until; ) await seal(10);
  };
  const ledgerSize = () => signers.reduce((sum, { store }) => sum + store.size(), 0);
  const connection = async (): Promise<NatsConnection> => {
    const { nats } = joinNats();
    expect(await nats.connected(10_000)).toBe(true);
    return nats.connection() as NatsConnection;
  };
  const inStream = async () => {
    const on = await connection();
    const { state } = await (await jetstreamManager(on)).streams.info(STREAM);
    const ids = new Set<string>();
    if (state.messages === 0) return { messages: 0, distinct: 0 };
    const messages = await (await jetstream(on).consumers.get(STREAM)).consume();
    for await (const message of messages) {
      ids.add(message.headers?.get('Nats-Msg-Id') ?? '');
      if (message.seq >= state.last_seq) break;
    }
    return { messages: state.messages, distinct: ids.size };
  };
  const reconciled = async () => {
    const size = ledgerSize();
    const lag = () => signers.map(({ outbox }) => outbox?.lag());
    await vi.waitFor(() => expect(lag()).toEqual(signers.map(() => 0)), { timeout: 30_000, interval: 50 });
    const counted = async () => {
      const rows = await scores.list('t', '', 10);
      return {
        valid: rows.reduce((n, row) => n + row.validReceipts, 0),
        total: rows.reduce((n, r) => n + r.totalReceipts, 0),
      };
    };
    await vi.waitFor(async () => expect(await counted()).toEqual({ valid: size, total: size }), {
      timeout: 30_000,
      interval: 50,
    });
    for (const { store } of signers) expect(await scores.position(store.logId)).toBe(store.size());
    expect((await inStream()).distinct).toBe(size);
    // Nothing that comes late is counted on top.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await counted()).toEqual({ valid: size, total: size });
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'jetstream-faults-'));
    server = new NatsServer();
    await server.start();
    file = new SqliteFile({ path: join(folder, 'scores.db') });
    scores = new SqliteScoreStore(file);
    [parts, replicas, slowestSealMs] = [[], [], 0];
    signers = [await openSigner('signer-one'), await openSigner('signer-two')];
  });
  afterEach(async () => {
    server.resume();
    for (const replica of replicas) await replica.stop();
    for (const signer of signers) await signer.stop();
    for (const { stream, nats } of parts) {
      await stream.close();
      await nats.close();
    }
    file.close();
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('kill -9 under load, five seconds without it, and back with its data', async () => {
    await openReplica();
    await openReplica();
    await sealFor(1_000);
    await server.kill();
    await sealFor(5_000);
    const behind = signers.map(({ outbox }) => outbox?.lag() ?? 0);
    for (const lag of behind) expect(lag).toBeGreaterThan(0);
    expect(slowestSealMs).toBeLessThan(2_000);
    await server.start();
    await sealFor(1_000);
    await reconciled();
  });

  it('stopped in mid-sentence (SIGSTOP) for longer than an acknowledgement is waited for', async () => {
    await openReplica();
    await sealFor(1_000);
    server.pause();
    await sealFor(8_000);
    expect(slowestSealMs).toBeLessThan(2_000);
    server.resume();
    await sealFor(500);
    await reconciled();
  });

  it('everything handed over twice is stored once and counted once', async () => {
    await openReplica();
    await seal(300);
    await reconciled();
    for (const { outbox } of signers) await outbox?.rewind();
    await reconciled();
    expect(await inStream()).toEqual({ messages: ledgerSize(), distinct: ledgerSize() });
  });

  it('handed over twice beyond the deduplication window, it is counted once', async () => {
    await openReplica();
    const on = await connection();
    const manager = await jetstreamManager(on);
    await vi.waitFor(async () => await manager.streams.info(STREAM), 5_000);
    await manager.streams.update(STREAM, { duplicate_window: 100_000_000 });
    await seal(300);
    await reconciled();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    for (const { outbox } of signers) await outbox?.rewind();
    await reconciled();
    expect((await inStream()).messages).toBe(2 * ledgerSize());
  });

  it('scoring replicas that stop, come back and vanish in the middle', async () => {
    const first = await openReplica();
    const vanishing = joinNats();
    await openReplica(vanishing);
    const load = sealFor(6_000);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await first.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await openReplica();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await vanishing.nats.connection()?.close();
    await load;
    await reconciled();
  });

  it('a stream that lost everything is filled again from the ledgers, by itself', async () => {
    await openReplica();
    await seal(300);
    await reconciled();
    await server.kill();
    server.wipe();
    await server.start();
    await seal(20);
    await reconciled();
    expect((await inStream()).messages).toBe(ledgerSize());
  });

  it('scores forgotten by their store are folded again', async () => {
    const replica = await openReplica();
    await seal(200);
    await reconciled();
    file.db.exec('DELETE FROM score; DELETE FROM score_position');
    await seal(10);
    await reconciled();
    expect(replica.counts().askedFor).toBeGreaterThan(0);
  });

  it('a signer that restarts while NATS is away hands over what it sealed before and after', async () => {
    await openReplica();
    await seal(100);
    await server.kill();
    await seal(50);
    await (signers[1] as SignerComposition).stop();
    signers[1] = await openSigner('signer-two');
    await seal(50);
    await server.start();
    await reconciled();
  });
});
