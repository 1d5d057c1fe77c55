// One open Decide stream to one gateway: many calls under way, answers matched by sequence number, each call with an end
// of its own. A call that is lost is lost: it may have been decided, so it is never sent a second time.

import { create } from '@bufbuild/protobuf';
import { asBeaconError, BeaconError, ERROR_CODES, type ErrorCode } from '../../core/errors.ts';
import {
  type DecideRequest,
  DecideRequestSchema,
  type DecideResponse,
  type DecisionAnswer,
  type Failure,
} from '../../gen/beacon/v1/decision_service_pb.js';

export type Ask = Pick<DecideRequest, 'received' | 'receivedForm' | 'open' | 'traceparent'>;
export type OpenStream = (requests: AsyncIterable<DecideRequest>) => AsyncIterable<DecideResponse>;

type Waiting = {
  readonly sequence: bigint;
  /** Undefined asks only whether the stream lives. */
  readonly ask: Ask | undefined;
  readonly untilMs: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: DecisionAnswer) => void;
  readonly reject: (error: BeaconError) => void;
};

export class Lane {
  readonly openedAtMs = performance.now();
  /** Resolves when the stream has ended, to why. */
  readonly ended: Promise<BeaconError>;
  readonly #waiting = new Map<bigint, Waiting>();
  /** Sequence numbers sent and given up: they take room until they are answered or the stream ends. */
  readonly #late = new Set<bigint>();
  #queue: Waiting[] = [];
  #next = 0n;
  #closing = false;
  #broken: BeaconError | undefined;
  #wake = () => {};
  /** When anything was last heard on it. */
  heardAtMs = 0;

  constructor(open: OpenStream) {
    this.ended = this.#read(open);
  }

  /** Calls without an answer, those given up included. */
  get pending(): number {
    return this.#waiting.size + this.#late.size;
  }

  /** Rejects with a BeaconError; no later than `untilMs` on the monotonic clock. */
  ask(ask: Ask, untilMs: number): Promise<DecisionAnswer> {
    return this.#put(ask, untilMs);
  }

  /** Whether the gateway answers and takes our credential; throws why not. */
  async probe(timeoutMs: number): Promise<void> {
    const sentAtMs = performance.now();
    try {
      await this.#put(undefined, sentAtMs + timeoutMs);
    } catch (thrown) {
      const error = asBeaconError(thrown);
      // Nothing was proposed, and it said so: it lives.
      if (error.code === 'invalid_argument') return;
      // Slow, but not gone: it answered others meanwhile.
      if (error.code === 'deadline_exceeded' && this.heardAtMs > sentAtMs) return;
      throw error;
    }
    throw new BeaconError('unavailable', 'the gateway answered a question that was not asked');
  }

  /** Takes no more calls; ends when those under way have been answered. */
  close(): void {
    this.#closing = true;
    this.#wake();
  }

  /** Ends now: every call under way fails. */
  abort(why: BeaconError): void {
    this.#broken ??= why;
    this.#fail(why);
    this.#wake();
  }

  #put(ask: Ask | undefined, untilMs: number): Promise<DecisionAnswer> {
    if (this.#broken || this.#closing) return Promise.reject(this.#broken ?? lost('the stream is closing'));
    return new Promise((resolve, reject) => {
      this.#next += 1n;
      const sequence = this.#next;
      const timer = setTimeout(() => this.#giveUp(sequence), Math.max(0, untilMs - performance.now()));
      const waiting = { sequence, ask, untilMs, timer, resolve, reject };
      this.#waiting.set(sequence, waiting);
      this.#queue.push(waiting);
      this.#wake();
    });
  }

  async #read(open: OpenStream): Promise<BeaconError> {
    let failure = lost('the gateway ended the stream');
    try {
      for await (const response of open(this.#requests())) this.#answered(response);
    } catch (thrown) {
      failure = asBeaconError(thrown);
    }
    this.#broken ??= failure;
    this.#fail(this.#broken);
    this.#wake();
    return this.#broken;
  }

  async *#requests(): AsyncGenerator<DecideRequest> {
    for (;;) {
      const batch = this.#queue;
      this.#queue = [];
      for (const { sequence, ask, untilMs } of batch) {
        // What was given up before it was sent is never sent.
        if (!this.#waiting.has(sequence)) continue;
        const timeoutMs = Math.max(1, Math.floor(untilMs - performance.now()));
        yield create(DecideRequestSchema, { ...ask, sequence, timeoutMs });
      }
      // Thrown, so that the call is cancelled on the wire too.
      if (this.#broken) throw this.#broken;
      if (this.#queue.length > 0) continue;
      if (this.#closing) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #answered({ sequence, result }: DecideResponse): void {
    this.heardAtMs = performance.now();
    this.#late.delete(sequence);
    const waiting = this.#waiting.get(sequence);
    if (!waiting) return;
    this.#waiting.delete(sequence);
    clearTimeout(waiting.timer);
    // The timer may be late in a busy process; the clock is not.
    if (performance.now() >= waiting.untilMs) waiting.reject(tooLate());
    else if (result.case === 'answer') waiting.resolve(result.value);
    else waiting.reject(failureOf(result.case === 'failure' ? result.value : undefined));
  }

  #giveUp(sequence: bigint): void {
    const waiting = this.#waiting.get(sequence);
    if (!waiting) return;
    this.#waiting.delete(sequence);
    const unsent = this.#queue.includes(waiting);
    if (unsent) this.#queue = this.#queue.filter((queued) => queued !== waiting);
    else this.#late.add(sequence);
    waiting.reject(tooLate());
  }

  #fail(why: BeaconError): void {
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(lost(why.message, why));
    }
    this.#waiting.clear();
    this.#late.clear();
    this.#queue = [];
  }
}

/** A code nobody knows, and no result at all, is no answer. */
function failureOf(failure: Failure | undefined): BeaconError {
  const { code = '', message = 'it says nothing', field = '' } = failure ?? {};
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'unavailable';
  return new BeaconError(known, message, field === '' ? {} : { field });
}

function lost(why: string, cause?: BeaconError): BeaconError {
  return new BeaconError('unavailable', `the gateway gave no answer: ${why}`, { cause });
}

function tooLate(): BeaconError {
  return new BeaconError('deadline_exceeded', 'the gateway did not answer in time');
}
