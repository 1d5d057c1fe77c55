// Several replicas of one service as one: a call goes to the least busy, in turn among equals; one that could not be
// reached, did not answer in time, or answered what only a sick one does, is left alone for a moment. A call that was never sent,
// for want of a connection, goes to the next; any other that failed is not repeated here: what it did is not known.

import { BeaconError, type ErrorCode } from '../core/errors.ts';
import { wasNeverSent } from '../runtime/rpc-errors.ts';

const REST_MS = 1_000;
/** Of the replica, not of what it was asked. */
const LOST: readonly ErrorCode[] = ['unavailable', 'deadline_exceeded'];

type Replica<S> = { readonly service: S; underWay: number; restingUntilMs: number };

/**
 * An object of the same shape whose every method goes to one replica. With all of them resting, the least busy is asked.
 * `isSick` is told each answer.
 */
export function leastBusy<S extends object>(
  services: readonly S[],
  now: () => number,
  isSick: (answer: unknown) => boolean = () => false,
): S {
  const replicas = services.map((service): Replica<S> => ({ service, underWay: 0, restingUntilMs: 0 }));
  let turn = 0;
  return new Proxy({} as S, {
    get: (_, name) =>
      async function call(...args: unknown[]) {
        turn += 1;
        for (let tried = 0; ; tried += 1) {
          const replica = pick(replicas, turn + tried, now());
          const method = Reflect.get(replica.service, name) as (...given: unknown[]) => Promise<unknown>;
          replica.underWay += 1;
          try {
            const answer = await method(...args);
            if (isSick(answer)) replica.restingUntilMs = now() + REST_MS;
            return answer;
          } catch (error) {
            if (!(error instanceof BeaconError && LOST.includes(error.code))) throw error;
            replica.restingUntilMs = now() + REST_MS;
            if (tried + 1 >= replicas.length || !wasNeverSent(error)) throw error;
          } finally {
            replica.underWay -= 1;
          }
        }
      },
  });
}

function pick<S>(replicas: readonly Replica<S>[], turn: number, nowMs: number): Replica<S> {
  let best: Replica<S> | undefined;
  for (let i = 0; i < replicas.length; i += 1) {
    const replica = replicas[(turn + i) % replicas.length] as Replica<S>;
    if (!best || rank(replica, nowMs) < rank(best, nowMs)) best = replica;
  }
  return best as Replica<S>;
}

function rank({ underWay, restingUntilMs }: Replica<unknown>, nowMs: number): number {
  return underWay + (restingUntilMs > nowMs ? Number.MAX_SAFE_INTEGER / 2 : 0);
}

const REPEAT_RULE = 'beacon.repeat';

type Decided = {
  readonly answer?: {
    readonly reasons?: readonly { readonly rule?: string; readonly code: string }[];
    readonly repeatedAnswer?: boolean;
  };
};

/**
 * Of a decision: made without the revocation list. Where one replica alone lost its Redis, it would deny quickly, hence be the
 * least busy, and all others would stand by.
 */
export function madeBlind(answer: unknown): boolean {
  const { reasons = [], repeatedAnswer = false } = (answer as Decided | undefined)?.answer ?? {};
  // A repeat tells what was found then; only its own rule says what is found now.
  return reasons.some(({ rule, code }) => code === 'revocation_unknown' && (!repeatedAnswer || rule === REPEAT_RULE));
}

/** The same object, but this method asks every replica and gives the first's answer. Throws when one of them failed. */
export function askingAll<S extends object, N extends keyof S>(service: S, replicas: readonly S[], name: N): S {
  const askAll = async (...args: unknown[]) => {
    const asked = replicas.map((replica) => (replica[name] as (...given: unknown[]) => Promise<unknown>)(...args));
    const ended = await Promise.allSettled(asked);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    return (ended[0] as PromiseFulfilledResult<unknown> | undefined)?.value;
  };
  return new Proxy(service, { get: (target, asked) => (asked === name ? askAll : Reflect.get(target, asked)) });
}
