// Several replicas of one service as one: a call goes to the least busy, among equals to the one asked last, whose caches are
// warm, unless it failed or was slow; one that could not be reached, or did not answer in time, is left alone for a moment. A
// call that failed is never repeated here: what it did is not known.

import { asBeaconError, type ErrorCode } from '../core/errors.ts';

const REST_MS = 1_000;
/** More than any number of calls under way. */
const RESTING = Number.MAX_SAFE_INTEGER / 2;
/** Of the replica, not of what it was asked. */
const LOST: readonly ErrorCode[] = ['unavailable', 'deadline_exceeded'];
/** May be of the replica: a single caller that stayed with it would never learn that another is better. */
const TROUBLED: readonly ErrorCode[] = ['internal', 'resource_exhausted', 'failed_precondition'];
/** A replica that took longer is not asked again before the others. */
const SLOW_MS = 25;

type Replica<S> = { readonly service: S; underWay: number; restingUntilMs: number };

/** An object of the same shape whose every method goes to one replica. With all of them resting, the least busy is asked. */
export function leastBusy<S extends object>(services: readonly S[], now: () => number): S {
  const replicas = services.map((service): Replica<S> => ({ service, underWay: 0, restingUntilMs: 0 }));
  let last = 0;
  const leave = (chosen: number) => {
    if (last === chosen) last = (chosen + 1) % replicas.length;
  };
  return new Proxy({} as S, {
    get: (_, name) =>
      async function call(...args: unknown[]) {
        const startedMs = now();
        const chosen = pick(replicas, last, startedMs);
        last = chosen;
        const replica = replicas[chosen] as Replica<S>;
        const method = Reflect.get(replica.service, name) as (...given: unknown[]) => Promise<unknown>;
        replica.underWay += 1;
        try {
          const answer = await method(...args);
          if (now() - startedMs >= SLOW_MS) leave(chosen);
          return answer;
        } catch (error) {
          const { code } = asBeaconError(error);
          if (LOST.includes(code)) replica.restingUntilMs = now() + REST_MS;
          if (TROUBLED.includes(code)) leave(chosen);
          throw error;
        } finally {
          replica.underWay -= 1;
        }
      },
  });
}

/** With all of them resting they take turns. */
function pick<S>(replicas: readonly Replica<S>[], last: number, nowMs: number): number {
  const ranks = replicas.map((replica) => rank(replica, nowMs));
  const first = (ranks[last] as number) < RESTING ? last : last + 1;
  let best = first % replicas.length;
  for (let i = 1; i < replicas.length; i += 1) {
    const at = (first + i) % replicas.length;
    if ((ranks[at] as number) < (ranks[best] as number)) best = at;
  }
  return best;
}

function rank({ underWay, restingUntilMs }: Replica<unknown>, nowMs: number): number {
  return underWay + (restingUntilMs > nowMs ? RESTING : 0);
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
