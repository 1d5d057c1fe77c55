// The outbox over a real NATS that was put back to an older copy of itself while nothing was handed over.

import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { MemoryOutboxCursor } from '../../ports/outbox-cursor/memory.ts';
import { JetStreamReceiptStream, STREAM } from '../../ports/receipt-stream/jetstream.ts';
import { openNats } from '../../runtime/nats.ts';
import { describeWithNats, NatsServer } from '../../test/nats-server.ts';
import { LOG, TestLog } from '../scoring/log.fixture.ts';
import { Outbox } from './outbox.ts';

describeWithNats('outbox on NATS', () => {
  const server = new NatsServer();
  beforeAll(() => server.start());
  afterAll(() => server.remove());

  it('hands over again what an older copy of the server’s files lacks, before anything new', async () => {
    const nats = openNats({ servers: [server.address], name: 'test' });
    const stream = new JetStreamReceiptStream({ nats, maxBytes: 2 ** 24, maxAgeMs: 3_600_000 });
    const signed = new TestLog();
    const store = createMemoryLedger({ logId: LOG, origin: `beacon.local/receipt-signer/${LOG}` });
    const outbox = new Outbox({ store, stream, cursor: new MemoryOutboxCursor(), failed: () => {} });
    const seal = async (count: number) => {
      const from = signed.leaves.length;
      for (let n = 0; n < count; n++) signed.append('outcome', { tenant_id: 't', agent_id: 'a' });
      await store.append(signed.leaves.slice(from).map((leaf) => ({ leaf, tenantId: 't' })));
      outbox.grown();
      await vi.waitFor(() => expect(outbox.lag()).toBe(0), 5_000);
    };
    expect(await nats.connected(5_000)).toBe(true);
    await outbox.start();
    await seal(3);
    const [files, older] = [join(server.folder, 'data'), join(server.folder, 'older')];
    const stopped = async (work: () => void) => {
      await server.stop();
      work();
      await server.start();
      await vi.waitFor(() => expect(nats.connection()).toBeDefined(), 5_000);
    };
    await stopped(() => cpSync(files, older, { recursive: true }));
    await seal(4);
    await stopped(() => {
      rmSync(files, { recursive: true });
      renameSync(older, files);
    });
    await seal(1);
    const manager = await jetstreamManager(nats.connection() as NatsConnection);
    await vi.waitFor(async () => expect((await manager.streams.info(STREAM)).state.messages).toBe(8), 5_000);
    await outbox.stop();
    await stream.close();
    await nats.close();
  });
});
