// What a test under load keeps and reads: callers who remember every answer, and what logs, stream, scores and metrics
// say afterwards, to be held against each other.

import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Receipt, readReceipt } from '../../core/receipt.ts';
import { STREAM } from '../../ports/receipt-stream/jetstream.ts';
import { call } from '../beacond.ts';
import type { Fleet, ServiceProcess } from '../separate.ts';

const PAUSE_MS = 60;
const PAGE = 500;
/** Kinds that add to a score's count; the others count nowhere. */
const COUNTED = ['decision', 'action', 'outcome', 'approval', 'assumption'];

export type Answered = {
  /** Unique for each request, and in its receipts. */
  readonly opportunity: string;
  readonly agent: string;
  readonly decision: string;
  readonly receiptId: string;
  /** The receipt as answered. */
  readonly bytes: string;
  readonly askedMs: number;
  readonly answeredMs: number;
};

/** Callers that go on asking until told to stop, whatever they are told. */
export class Load {
  readonly answered: Answered[] = [];
  /** Requests that ended without a decision, by status; 0 is none at all. */
  readonly unanswered = new Map<number, number>();
  readonly #fleet: Fleet;
  readonly #agents: readonly string[];
  #running = false;
  #asked = 0;
  #callers: Promise<unknown> = Promise.resolve();

  constructor(fleet: Fleet, agents: readonly string[]) {
    this.#fleet = fleet;
    this.#agents = agents;
  }

  start(): void {
    this.#running = true;
    this.#callers = Promise.all(this.#agents.map((agent) => this.#caller(agent)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#callers;
  }

  allowedSince(ms: number): boolean {
    return this.answered.some(({ decision, askedMs }) => decision === 'ALLOW' && askedMs >= ms);
  }

  async #caller(agent: string): Promise<void> {
    while (this.#running) {
      this.#asked += 1;
      const denied = this.#asked % 7 === 0;
      await this.#ask(agent, `o${this.#asked}`, denied ? 'rm -rf /' : 'ls -la');
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #ask(agent: string, opportunity: string, code: string): Promise<void> {
    const askedMs = Date.now();
    const body = { tenant_id: 'local', agent_id: agent, opportunity_id: opportunity, code };
    const answer = await call(this.#fleet, 'POST', '/api/execute', body).catch(() => undefined);
    const { decision, receipt_id, receipt } = answer?.body ?? {};
    if (answer?.status !== 200 || typeof decision !== 'string') {
      const status = answer?.status ?? 0;
      this.unanswered.set(status, (this.unanswered.get(status) ?? 0) + 1);
      return;
    }
    const bytes = JSON.stringify(receipt);
    const receiptId = String(receipt_id);
    this.answered.push({ opportunity, agent, decision, receiptId, bytes, askedMs, answeredMs: Date.now() });
  }
}

export type Leaf = Receipt & { readonly bytes: string };

export type Ledgers = {
  readonly leaves: readonly Leaf[];
  readonly byId: ReadonlyMap<string, Leaf>;
  /** Ids of receipts that a void leaf closed. */
  readonly voided: ReadonlySet<string>;
  /** Tree sizes as the logs say them, by log id. */
  readonly sizes: ReadonlyMap<string, number>;
};

/** Every leaf of every signer's log, through the gateway. */
export async function readLedgers(fleet: Fleet): Promise<Ledgers> {
  const logs = (await call(fleet, 'GET', '/api/logs')).body as unknown as { origin: string; size: number }[];
  const leaves: Leaf[] = [];
  const sizes = new Map<string, number>();
  for (const { size, origin } of logs.filter((log) => log.origin.includes('receipt-signer'))) {
    const logId = origin.slice(-12);
    sizes.set(logId, size);
    for (let start = 0; start < size; ) {
      const path = `/api/receipts?log=${logId}&start=${start}&limit=${Math.min(PAGE, size - start)}`;
      const { body } = await call(fleet, 'GET', path, undefined, fleet.adminToken);
      const receipts = body.receipts as { receipt: object }[];
      if (receipts.length === 0) throw new Error(`log ${logId} ends at ${start} of ${size}`);
      for (const { receipt } of receipts) {
        const bytes = JSON.stringify(receipt);
        leaves.push({ ...readReceipt(Buffer.from(bytes)), bytes });
      }
      start += receipts.length;
    }
  }
  const voids = leaves.filter(({ kind }) => kind === 'void');
  return {
    leaves,
    byId: new Map(leaves.map((leaf) => [leaf.receiptId, leaf])),
    voided: new Set(voids.map(({ predicate }) => String(predicate.voids))),
    sizes,
  };
}

export const standing = ({ leaves, voided }: Ledgers, kind: string): readonly Leaf[] =>
  leaves.filter((leaf) => leaf.kind === kind && !voided.has(leaf.receiptId));

/** What scoring must come to, for each agent: its leaves of counted kinds, the voided left out. */
export function countedByAgent({ leaves, voided }: Ledgers): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, receiptId, agentId = '' } of leaves) {
    if (!COUNTED.includes(kind) || voided.has(receiptId)) continue;
    counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
  }
  return counts;
}

/** Of each agent named. */
export async function scoredByAgent(fleet: Fleet, agents: Iterable<string>): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const agent of agents) {
    const { body } = await call(fleet, 'GET', `/api/scalar/${agent}?tenant_id=local`, undefined, fleet.adminToken);
    counts.set(agent, Number(body.total_receipts));
  }
  return counts;
}

/** Messages the stream holds. */
export async function streamed(fleet: Fleet): Promise<number> {
  const nats = await connect({ servers: fleet.nats.address });
  try {
    return (await (await jetstreamManager(nats)).streams.info(STREAM)).state.messages;
  } finally {
    await nats.close();
  }
}

/** The bytes of every message, by its `Nats-Msg-Id`. */
export async function readStream(fleet: Fleet): Promise<ReadonlyMap<string, string>> {
  const nats = await connect({ servers: fleet.nats.address });
  try {
    const { state } = await (await jetstreamManager(nats)).streams.info(STREAM);
    const found = new Map<string, string>();
    if (state.messages === 0) return found;
    const consumer = await jetstream(nats).consumers.get(STREAM);
    for await (const message of await consumer.consume({ max_messages: PAGE })) {
      found.set(message.headers?.get('Nats-Msg-Id') ?? '', message.string());
      if (message.info.pending === 0) break;
    }
    return found;
  } finally {
    await nats.close();
  }
}

/** `beacon_decisions_total` of one replica, over all labels. */
export async function decisionsCounted(replica: ServiceProcess): Promise<number> {
  const text = await (await fetch(`${replica.ready.metrics}/metrics`)).text();
  const values = [...text.matchAll(/^beacon_decisions_total\{[^}]*\} (\d+)$/gm)];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
