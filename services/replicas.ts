// Several replicas of one service as one: calls take turns; one that could not be reached is left alone for a moment.
// A call that failed is never repeated here: what it did is not known.

import { BeaconError } from '../core/errors.ts';

const REST_MS = 1_000;

/** An object of the same shape whose every method goes to the next replica that is not resting. */
export function takingTurns<S extends object>(replicas: readonly S[], now: () => number): S {
  const restingUntil = replicas.map(() => 0);
  let turn = 0;
  const pick = (): number => {
    turn += 1;
    for (let i = 0; i < replicas.length; i += 1) {
      const at = (turn + i) % replicas.length;
      if ((restingUntil[at] as number) <= now()) return at;
    }
    return turn % replicas.length;
  };
  return new Proxy({} as S, {
    get: (_, name) =>
      async function call(...args: unknown[]) {
        const at = pick();
        const method = Reflect.get(replicas[at] as object, name) as (...given: unknown[]) => Promise<unknown>;
        try {
          return await method(...args);
        } catch (error) {
          if (error instanceof BeaconError && error.code === 'unavailable') restingUntil[at] = now() + REST_MS;
          throw error;
        }
      },
  });
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
