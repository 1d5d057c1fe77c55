// One long stream to one server: many requests under way, answers matched by sequence number, each with its own end.
// A request that fails says whether it was ever sent: what was sent and not answered may have been done all the same.

import { BeaconError, type ErrorCode } from '../core/errors.ts';
import { type Flow, flow, flowOf } from './flow.ts';
import { wasNeverSeen } from './rpc-errors.ts';

/** How often requests are held against their deadlines: the most by which one may be late. */
const SWEEP_MS = 20;
/** How often a request is put on another stream because the one it was on was refused unread. */
const MAX_MOVES = 5;
/** Before the first move; each further one waits twice as long. */
const FIRST_MOVE_MS = 5;
/** Codes of an answer after which what was asked may have been done all the same. */
const UNCLEAR_CODES: readonly ErrorCode[] = ['unavailable', 'internal', 'deadline_exceeded'];

export class ExchangeFailure extends Error {
  readonly error: BeaconError;
  /** True when the server may have done what was asked. */
  readonly unclear: boolean;

  constructor(error: BeaconError, unclear: boolean) {
    super(error.message, { cause: error });
    this.name = 'ExchangeFailure';
    this.error = error;
    this.unclear = unclear;
  }
}

/** An answer of the stream: whose it is, and what it says. */
export type Received<Response> = { readonly sequence: bigint } & (
  | { readonly response: Response; readonly error?: undefined }
  | { readonly error: BeaconError; readonly response?: undefined }
);

export type ExchangeDeps<Request, Response, Sent, Got> = {
  readonly open: (requests: AsyncIterable<Sent>) => AsyncIterable<Got>;
  readonly write: (sequence: bigint, request: Request) => Sent;
  readonly read: (message: Got) => Received<Response>;
  readonly limits: {
    /** Most requests without an answer; beyond it they are shed, unsent. */
    readonly maxPending: number;
    /** A stream older than this takes no new requests: connections must be able to end. */
    readonly maxAgeMs: number;
  };
  readonly now: () => number;
  /** Told when an answer comes for a request that was given up. */
  readonly late: () => void;
};

type Entry<Request, Response> = {
  sequence: bigint;
  moves: number;
  readonly request: Request;
  readonly notAfterMs: number;
  readonly resolve: (response: Response) => void;
  readonly reject: (failure: ExchangeFailure) => void;
  sent: boolean;
  settled: boolean;
};

export class Exchange<Request, Response, Sent, Got> {
  readonly #deps: ExchangeDeps<Request, Response, Sent, Got>;
  readonly #lanes = new Set<Lane<Request, Response, Sent, Got>>();
  #current: Lane<Request, Response, Sent, Got> | undefined;

  constructor(deps: ExchangeDeps<Request, Response, Sent, Got>) {
    this.#deps = deps;
  }

  /** Requests without an answer, those given up included. */
  get pending(): number {
    let sum = 0;
    for (const lane of this.#lanes) sum += lane.pending;
    return sum;
  }

  /** Rejects with ExchangeFailure alone; no later than `notAfterMs` and the sweep. */
  ask(request: Request, notAfterMs: number): Promise<Response> {
    if (this.pending >= this.#deps.limits.maxPending) {
      const shed = new BeaconError('resource_exhausted', 'too many requests wait for an answer', {
        retryAfterMs: 1_000,
      });
      return Promise.reject(new ExchangeFailure(shed, false));
    }
    return this.#lane().ask(request, notAfterMs);
  }

  /** Lets the present stream finish what it carries; the next request opens another. */
  retire(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  #lane(): Lane<Request, Response, Sent, Got> {
    const { now, limits } = this.#deps;
    if (this.#current && (this.#current.over || now() - this.#current.openedAtMs > limits.maxAgeMs)) this.retire();
    if (this.#current) return this.#current;
    const lane = new Lane<Request, Response, Sent, Got>(this.#deps, (unseen) => {
      this.#lanes.delete(lane);
      if (this.#current === lane) this.#current = undefined;
      if (unseen.length === 0) return;
      // The connection that is ending has to be seen to end; at once, the next stream would be refused like this one.
      const moves = Math.max(...unseen.map((entry) => entry.moves));
      setTimeout(
        () => {
          const next = this.#lane();
          for (const entry of unseen) next.put(entry);
        },
        FIRST_MOVE_MS * 2 ** (moves - 1),
      );
    });
    this.#lanes.add(lane);
    this.#current = lane;
    return lane;
  }
}

class Lane<Request, Response, Sent, Got> {
  readonly openedAtMs: number;
  readonly #deps: ExchangeDeps<Request, Response, Sent, Got>;
  readonly #waiting = new Map<bigint, Entry<Request, Response>>();
  readonly #ended: (unseen: readonly Entry<Request, Response>[]) => void;
  /** While anything waits: an idle process is not woken. */
  #sweeper: NodeJS.Timeout | undefined;
  #queue: Entry<Request, Response>[] = [];
  #next = 0n;
  #closing = false;
  #sender = () => {};
  over = false;

  /** `ended` takes what was certainly not read at the other end. */
  constructor(
    deps: ExchangeDeps<Request, Response, Sent, Got>,
    ended: (unseen: readonly Entry<Request, Response>[]) => void,
  ) {
    this.#deps = deps;
    this.openedAtMs = deps.now();
    this.#ended = ended;
    // Not at once: who opened it has to know it before it can end.
    queueMicrotask(() => this.#open());
  }

  get pending(): number {
    return this.#waiting.size;
  }

  ask(request: Request, notAfterMs: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.put({ sequence: 0n, moves: 0, request, notAfterMs, resolve, reject, sent: false, settled: false });
    });
  }

  put(entry: Entry<Request, Response>): void {
    this.#next += 1n;
    entry.sequence = this.#next;
    entry.sent = false;
    this.#waiting.set(entry.sequence, entry);
    this.#queue.push(entry);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    this.#sender();
  }

  close(): void {
    this.#closing = true;
    this.#sender();
  }

  #open(): void {
    let answers: Flow<Got>;
    try {
      answers = flowOf(this.#deps.open(this.#requests()));
    } catch (thrown) {
      this.#over(thrown);
      return;
    }
    const read = () => {
      if (this.over) return;
      try {
        for (let answer = answers.take(); answer !== undefined; answer = answers.take()) this.#answered(answer);
      } catch (thrown) {
        answers.leave();
        this.#over(thrown);
        return;
      }
      if (answers.done) this.#over(answers.failure);
    };
    answers.tell(read);
    read();
  }

  #over(thrown: unknown): void {
    if (this.over) return;
    this.over = true;
    this.#stopSweeping();
    const failure = asFailure(thrown);
    const unseen: Entry<Request, Response>[] = [];
    if (wasNeverSeen(failure)) {
      for (const entry of this.#waiting.values()) {
        entry.moves += 1;
        if (entry.settled || entry.moves > MAX_MOVES) continue;
        unseen.push(entry);
        this.#waiting.delete(entry.sequence);
      }
    }
    // Also when the failure says otherwise: nobody answered these.
    const lost = new BeaconError('unavailable', `the server was lost: ${failure.message}`, { cause: failure });
    for (const entry of this.#waiting.values()) this.#fail(entry, lost);
    this.#waiting.clear();
    this.#queue = [];
    this.#sender();
    this.#ended(unseen);
  }

  /** What waits here is not sent yet: it can still be given up without a doubt. */
  #requests(): Flow<Sent> {
    const done = () => this.#queue.length === 0 && (this.over || this.#closing);
    return flow({
      take: () => {
        const entry = this.#queue.shift();
        if (entry === undefined) return undefined;
        entry.sent = true;
        return this.#deps.write(entry.sequence, entry.request);
      },
      get done() {
        return done();
      },
      failure: undefined,
      tell: (sender) => {
        this.#sender = sender;
      },
      leave: () => {
        this.#queue = [];
      },
    });
  }

  #answered(message: Got): void {
    const { sequence, response, error } = this.#deps.read(message);
    const entry = this.#waiting.get(sequence);
    if (!entry) return;
    this.#waiting.delete(sequence);
    if (entry.settled) {
      this.#deps.late();
      return;
    }
    if (error) {
      this.#fail(entry, error, UNCLEAR_CODES.includes(error.code));
      return;
    }
    entry.settled = true;
    entry.resolve(response as Response);
  }

  #fail(entry: Entry<Request, Response>, error: BeaconError, unclear = entry.sent): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.reject(new ExchangeFailure(error, unclear));
  }

  #stopSweeping(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #sweep(): void {
    const nowMs = this.#deps.now();
    let unsent = false;
    for (const entry of this.#waiting.values()) {
      if (entry.settled || nowMs < entry.notAfterMs) continue;
      this.#fail(entry, new BeaconError('deadline_exceeded', 'there was no answer in time'));
      // What was sent stays: its place in the bound is free when the answer is there or the stream has ended.
      if (entry.sent) continue;
      this.#waiting.delete(entry.sequence);
      unsent = true;
    }
    if (unsent) this.#queue = this.#queue.filter((entry) => !entry.settled);
    if (this.#waiting.size === 0) this.#stopSweeping();
  }
}

function asFailure(thrown: unknown): BeaconError {
  if (thrown === undefined) return new BeaconError('unavailable', 'the server ended the stream');
  return thrown instanceof BeaconError
    ? thrown
    : new BeaconError('unavailable', 'the stream failed', { cause: thrown });
}
