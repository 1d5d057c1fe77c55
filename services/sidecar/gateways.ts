// Several gateways, one of them in use: the stream to it is looked after, and moved when it is lost. Between two streams
// there is none, and then every call is refused at once: nothing waits for a gateway that may never come.

import { asBeaconError, BeaconError } from '../../core/errors.ts';
import type { DecisionAnswer } from '../../gen/beacon/v1/decision_service_pb.js';
import { type Ask, Lane, type OpenStream } from './lane.ts';

const PROBE_EVERY_MS = 1_000;
const PROBE_TIMEOUT_MS = 2_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** Streams are renewed this often, so that connections can end and new gateways take a share. */
const MAX_STREAM_AGE_MS = 5 * 60_000;

export type Gateway<S> = {
  readonly address: string;
  /** Unary calls, with the credential in force when each is made. */
  readonly service: S;
  /** A new stream, with the credential in force now. */
  readonly open: OpenStream;
};

export type GatewaysDeps<S> = {
  readonly gateways: readonly Gateway<S>[];
  /** Changes when the credential does: the stream was let in with the old one. */
  readonly credential: () => string;
  /** Most calls without an answer; beyond it they are refused unsent. */
  readonly maxPending: number;
  /** Which gateway is tried first; each sidecar another. */
  readonly first: number;
  readonly told: (event: 'connected' | 'lost' | 'refused', address: string, error?: BeaconError) => void;
};

type InUse = { readonly at: number; readonly lane: Lane; readonly credential: string };

export class Gateways<S> {
  readonly #deps: GatewaysDeps<S>;
  readonly #closing = new Set<Lane>();
  #inUse: InUse | undefined;
  #why = new BeaconError('unavailable', 'no gateway has been reached yet');
  #at: number;
  #stopped = false;
  #wake = () => {};
  #keeping: Promise<void> | undefined;
  #refusedCredential = '';

  constructor(deps: GatewaysDeps<S>) {
    this.#deps = deps;
    this.#at = deps.first;
  }

  start(): void {
    this.#keeping ??= this.#keep();
  }

  /** Ends the streams once what they carry is answered, or after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.#retire();
    this.#wake();
    const over = new BeaconError('unavailable', 'shutting down');
    const timer = setTimeout(() => {
      for (const lane of this.#closing) lane.abort(over);
    }, graceMs);
    await Promise.all([this.#keeping, ...[...this.#closing].map((lane) => lane.ended)]);
    clearTimeout(timer);
  }

  /** Why calls are refused now; empty when they are not. */
  reasons(): readonly string[] {
    if (!this.#inUse) return [this.#why.message];
    return this.#refusedCredential === '' ? [] : [this.#refusedCredential];
  }

  /** Looks at the credential now instead of at the next turn. */
  look(): void {
    this.#wake();
  }

  ask(ask: Ask, untilMs: number): Promise<DecisionAnswer> {
    if (!this.#inUse) return Promise.reject(this.#away());
    let pending = this.#inUse.lane.pending;
    for (const lane of this.#closing) pending += lane.pending;
    if (pending >= this.#deps.maxPending) {
      const shed = new BeaconError('resource_exhausted', 'too many calls wait for the gateway', {
        retryAfterMs: 1_000,
      });
      return Promise.reject(shed);
    }
    return this.#inUse.lane.ask(ask, untilMs);
  }

  /** The service of the gateway in use; throws `unavailable` when there is none. */
  unary(): S {
    if (!this.#inUse) throw this.#away();
    return (this.#deps.gateways[this.#inUse.at] as Gateway<S>).service;
  }

  #away(): BeaconError {
    return new BeaconError('unavailable', this.#why.message, { cause: this.#why });
  }

  async #keep(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#stopped) {
      if (this.#inUse) {
        await this.#sleep(PROBE_EVERY_MS);
        await this.#check();
        pauseMs = FIRST_PAUSE_MS;
        continue;
      }
      if (await this.#tryEach()) continue;
      // By chance, or all sidecars of a gateway that comes back would knock at once.
      await this.#sleep(pauseMs * (0.5 + Math.random()));
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  async #tryEach(): Promise<boolean> {
    const { gateways } = this.#deps;
    for (let i = 0; i < gateways.length && !this.#stopped; i += 1) {
      const at = this.#at % gateways.length;
      try {
        this.#use(await this.#connect(at));
        return true;
      } catch (thrown) {
        this.#why = asBeaconError(thrown);
        this.#deps.told('refused', (gateways[at] as Gateway<S>).address, this.#why);
        this.#at += 1;
      }
    }
    return false;
  }

  /** A stream that has answered once, so that none is used that does not work. */
  async #connect(at: number): Promise<InUse> {
    const credential = this.#deps.credential();
    const lane = new Lane((this.#deps.gateways[at] as Gateway<S>).open);
    try {
      await lane.probe(PROBE_TIMEOUT_MS);
    } catch (thrown) {
      const error = asBeaconError(thrown);
      lane.abort(error);
      throw error.cause instanceof BeaconError ? error.cause : error;
    }
    return { at, lane, credential };
  }

  #use(next: InUse): void {
    this.#retire();
    if (this.#stopped) {
      next.lane.close();
      return;
    }
    this.#inUse = next;
    this.#refusedCredential = '';
    this.#deps.told('connected', (this.#deps.gateways[next.at] as Gateway<S>).address);
    void next.lane.ended.then((why) => {
      if (this.#inUse?.lane === next.lane) this.#lose(why);
    });
  }

  #retire(): void {
    const lane = this.#inUse?.lane;
    this.#inUse = undefined;
    if (!lane) return;
    this.#closing.add(lane);
    void lane.ended.then(() => this.#closing.delete(lane));
    lane.close();
  }

  #lose(why: BeaconError): void {
    const { gateways, told } = this.#deps;
    if (!this.#inUse || this.#stopped) return;
    const { at, lane } = this.#inUse;
    this.#inUse = undefined;
    this.#why = new BeaconError('unavailable', `the gateway was lost: ${why.message}`, { cause: why });
    this.#at = at + 1;
    lane.abort(why);
    told('lost', (gateways[at] as Gateway<S>).address, why);
    this.#wake();
  }

  /** Is it alive; is it time for another stream; has the credential changed? */
  async #check(): Promise<void> {
    const { inUse } = { inUse: this.#inUse };
    if (!inUse || this.#stopped) return;
    const changed = this.#deps.credential() !== inUse.credential;
    if (changed || performance.now() - inUse.lane.openedAtMs > MAX_STREAM_AGE_MS) {
      try {
        const next = await this.#connect(inUse.at);
        if (this.#inUse === inUse) this.#use(next);
        else next.lane.close();
        return;
      } catch (thrown) {
        // The old one serves as long as it does; that the new one is not taken must be seen.
        if (changed) this.#refusedCredential = `the new credential is not taken: ${asBeaconError(thrown).message}`;
      }
    }
    try {
      await inUse.lane.probe(PROBE_TIMEOUT_MS);
    } catch (thrown) {
      if (this.#inUse === inUse) this.#lose(asBeaconError(thrown));
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stopped) this.#wake();
    });
  }
}
