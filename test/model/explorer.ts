// Looks at every state a model can reach, breadth first, so that the first counterexample is a shortest one. Exhaustive
// or an error: a search that met its bound says nothing.

export type Model<State> = {
  readonly initial: readonly State[];
  /** Every step that can be taken, by name. Pure: the given state must not change. */
  next(state: State): readonly (readonly [step: string, after: State])[];
  /** One text for each state; states that differ in nothing that matters may share one. */
  key(state: State): string;
  /** What is wrong in this state; undefined when nothing is. */
  fault(state: State): string | undefined;
};

export type Explored = {
  readonly states: number;
  readonly transitions: number;
  /** Steps on the longest shortest path. */
  readonly depth: number;
  readonly counterexample?: { readonly fault: string; readonly trace: readonly string[] };
};

/** Throws when more than `maxStates` are reachable. */
export function explore<State>(model: Model<State>, maxStates: number): Explored {
  // A state is kept only while its successors are not known; what is left of it is how it was reached.
  const seen = new Map<string, number>();
  const reachedFrom: number[] = [];
  const reachedBy: string[] = [];
  let transitions = 0;
  let depth = 0;
  const admit = (state: State, from: number, step: string, frontier: [State, number][]) => {
    const key = model.key(state);
    if (seen.has(key)) return undefined;
    const id = seen.size;
    if (id >= maxStates) throw new RangeError(`more than ${maxStates} states: the search is not exhaustive`);
    seen.set(key, id);
    reachedFrom.push(from);
    reachedBy.push(step);
    frontier.push([state, id]);
    const fault = model.fault(state);
    return fault === undefined ? undefined : { fault, trace: traceTo(id) };
  };
  const traceTo = (last: number) => {
    const steps: string[] = [];
    for (let id = last; id >= 0; id = reachedFrom[id] as number) steps.push(reachedBy[id] as string);
    return steps.reverse();
  };
  let frontier: [State, number][] = [];
  for (const state of model.initial) {
    const counterexample = admit(state, -1, 'start', frontier);
    if (counterexample) return { states: seen.size, transitions, depth, counterexample };
  }
  while (frontier.length > 0) {
    const next: [State, number][] = [];
    for (const [state, id] of frontier) {
      for (const [step, after] of model.next(state)) {
        transitions += 1;
        const counterexample = admit(after, id, step, next);
        if (counterexample) return { states: seen.size, transitions, depth: depth + 1, counterexample };
      }
    }
    if (next.length > 0) depth += 1;
    frontier = next;
  }
  return { states: seen.size, transitions, depth };
}
