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
