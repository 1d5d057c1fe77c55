// One long stream to one signer: many requests under way, answers matched by sequence number, each with its own end.
// A request that fails says whether it was ever sent: what was sent and not answered may stand in that signer's log.

import { create } from '@bufbuild/protobuf';
import { BeaconError, ERROR_CODES, type ErrorCode } from '../../core/errors.ts';
import {
  type SealRequest,
  type SealResponse,
  type SealStreamRequest,
  SealStreamRequestSchema,
  type SealStreamResponse,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { wasNeverSeen } from '../../runtime/rpc-errors.ts';

/** How often requests are held against their deadlines: the most by which one may be late. */
const SWEEP_MS = 20;
/** How often a request is put on another stream because the one it was on was refused unread. */
const MAX_MOVES = 3;
/** Codes after which the leaf may be on disk all the same. */
const UNCLEAR_CODES: readonly ErrorCode[] = ['unavailable', 'internal', 'deadline_exceeded'];

export class SealFailure extends Error {
  readonly error: BeaconError;
  /** True when the signer may have sealed it. */
  readonly unclear: boolean;

  constructor(error: BeaconError, unclear: boolean) {
    super(error.message, { cause: error });
    this.name = 'SealFailure';
    this.error = error;
    this.unclear = unclear;
  }
}

export type SealStreamDeps = {
  readonly open: (requests: AsyncIterable<SealStreamRequest>) => AsyncIterable<SealStreamResponse>;
  /** Most requests without an answer; beyond it they are shed, unsent. */
  readonly maxPending: number;
  /** A stream older than this takes no new requests: connections must be able to end. */
  readonly maxAgeMs: number;
  readonly now: () => number;
  /** Told when an answer comes for a request that was given up. */
  readonly late: () => void;
};

type Entry = {
  sequence: bigint;
  moves: number;
  readonly request: SealRequest;
  readonly notAfterMs: number;
  readonly resolve: (response: SealResponse) => void;
  readonly reject: (failure: SealFailure) => void;
  sent: boolean;
  settled: boolean;
};

export class SealStream {
  readonly #deps: SealStreamDeps;
  readonly #lanes = new Set<Lane>();
  #current: Lane | undefined;

  constructor(deps: SealStreamDeps) {
    this.#deps = deps;
  }

  /** Requests without an answer, those given up included. */
  get pending(): number {
    let sum = 0;
    for (const lane of this.#lanes) sum += lane.pending;
    return sum;
  }

  /** Rejects with SealFailure alone; no later than `notAfterMs` and the sweep. */
  seal(request: SealRequest, notAfterMs: number): Promise<SealResponse> {
    if (this.pending >= this.#deps.maxPending) {
      const shed = new BeaconError('resource_exhausted', 'too many receipts wait for a signer', {
        retryAfterMs: 1_000,
      });
      return Promise.reject(new SealFailure(shed, false));
    }
    return this.#lane().seal(request, notAfterMs);
  }

  /** Lets the present stream finish what it carries; the next request opens another. */
  retire(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  #lane(): Lane {
    const { now, maxAgeMs } = this.#deps;
    if (this.#current && (this.#current.over || now() - this.#current.openedAtMs > maxAgeMs)) this.retire();
    if (this.#current) return this.#current;
    const lane = new Lane(this.#deps, (unseen) => {
      this.#lanes.delete(lane);
      if (this.#current === lane) this.#current = undefined;
      if (unseen.length === 0) return;
      const next = this.#lane();
      for (const entry of unseen) next.put(entry);
    });
    this.#lanes.add(lane);
    this.#current = lane;
    return lane;
  }
}

class Lane {
  readonly openedAtMs: number;
  readonly #deps: SealStreamDeps;
  readonly #waiting = new Map<bigint, Entry>();
  readonly #sweeper: NodeJS.Timeout;
  #queue: Entry[] = [];
  #next = 0n;
  #closing = false;
  #wake = () => {};
  over = false;

  /** `ended` takes what was certainly not read at the other end. */
  constructor(deps: SealStreamDeps, ended: (unseen: readonly Entry[]) => void) {
    this.#deps = deps;
    this.openedAtMs = deps.now();
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref();
    this.#read().then((unseen) => {
      clearInterval(this.#sweeper);
      ended(unseen);
    });
  }

  get pending(): number {
    return this.#waiting.size;
  }

  seal(request: SealRequest, notAfterMs: number): Promise<SealResponse> {
    return new Promise((resolve, reject) => {
      this.put({ sequence: 0n, moves: 0, request, notAfterMs, resolve, reject, sent: false, settled: false });
    });
  }

  put(entry: Entry): void {
    this.#next += 1n;
    entry.sequence = this.#next;
    entry.sent = false;
    this.#waiting.set(entry.sequence, entry);
    this.#queue.push(entry);
    this.#wake();
  }

  close(): void {
    this.#closing = true;
    this.#wake();
  }

  async #read(): Promise<readonly Entry[]> {
    let failure = new BeaconError('unavailable', 'the signer ended the stream');
    try {
      for await (const answer of this.#deps.open(this.#requests())) this.#answered(answer);
    } catch (thrown) {
      failure =
        thrown instanceof BeaconError ? thrown : new BeaconError('unavailable', 'the stream failed', { cause: thrown });
    }
    this.over = true;
    const unseen: Entry[] = [];
    if (wasNeverSeen(failure)) {
      for (const entry of this.#waiting.values()) {
        entry.moves += 1;
        if (entry.settled || entry.moves > MAX_MOVES) continue;
        unseen.push(entry);
        this.#waiting.delete(entry.sequence);
      }
    }
    // Also when the failure says otherwise: nobody answered these.
    const lost = new BeaconError('unavailable', `the signer was lost: ${failure.message}`, { cause: failure });
    for (const entry of this.#waiting.values()) this.#fail(entry, lost);
    this.#waiting.clear();
    this.#queue = [];
    this.#wake();
    return unseen;
  }

  async *#requests(): AsyncGenerator<SealStreamRequest> {
    for (;;) {
      const batch = this.#queue;
      this.#queue = [];
      for (const entry of batch) {
        if (entry.settled || this.over) continue;
        entry.sent = true;
        yield create(SealStreamRequestSchema, { sequence: entry.sequence, request: entry.request });
      }
      if (this.#queue.length > 0) continue;
      if (this.over || this.#closing) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #answered({ sequence, response, failureCode }: SealStreamResponse): void {
    const entry = this.#waiting.get(sequence);
    if (!entry) return;
    this.#waiting.delete(sequence);
    if (entry.settled) {
      this.#deps.late();
      return;
    }
    if (failureCode === '' && response) {
      entry.settled = true;
      entry.resolve(response);
      return;
    }
    const code = Object.hasOwn(ERROR_CODES, failureCode) ? (failureCode as ErrorCode) : 'internal';
    this.#fail(entry, new BeaconError(code, 'the signer could not seal this'), UNCLEAR_CODES.includes(code));
  }

  #fail(entry: Entry, error: BeaconError, unclear = entry.sent): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.reject(new SealFailure(error, unclear));
  }

  #sweep(): void {
    const nowMs = this.#deps.now();
    let unsent = false;
    for (const entry of this.#waiting.values()) {
      if (entry.settled || nowMs < entry.notAfterMs) continue;
      this.#fail(entry, new BeaconError('deadline_exceeded', 'the signer did not answer in time'));
      // What was sent stays: its place in the bound is free when the answer is there or the stream has ended.
      if (entry.sent) continue;
      this.#waiting.delete(entry.sequence);
      unsent = true;
    }
    if (unsent) this.#queue = this.#queue.filter((entry) => !entry.settled);
  }
}
