// What would change the route: the same proposal judged again by the same policy, with one fact another. Only facts that
// could honestly be so and milder forms that the rules themselves name are tried; nothing here rewords a command.

import type { EvaluatedInput } from '../envelope.ts';
import type { Route, Verdict } from '../route.ts';
import { suppositionsOfForm } from './forms.ts';
import { findingSuppositions, without, withoutParts } from './parts.ts';
import { standingSuppositions } from './standing.ts';
import {
  type Change,
  type JudgeInput,
  MAX_REJUDGEMENTS,
  MAX_REREAD_CHARACTERS,
  type Subject,
  type Supposition,
} from './supposition.ts';
import { toldSuppositions } from './told.ts';

export type Suggestion = {
  /** What each part would come to by itself, in their order; undefined where it was not asked. */
  readonly alone: readonly (Route | undefined)[];
  /** Everything that was tried, the same route too. */
  readonly tried: readonly Change[];
  /** False when something was left out because a limit was reached. */
  readonly complete: boolean;
};

/**
 * Yields after each evaluation, so that whoever has others to serve may pause or stop: a generator that is ended early
 * leaves `found` as it stood. `found` is what the generator returns.
 */
export function* whatWouldChange(
  subject: Subject,
  route: Route,
  judgeInput: JudgeInput,
): Generator<Suggestion, Suggestion> {
  const { input } = subject;
  let left = MAX_REJUDGEMENTS;
  let complete = true;
  const alone: (Route | undefined)[] = input.action.parts.map(() => undefined);
  const tried: Change[] = [];
  const found = (): Suggestion => ({ alone, tried, complete });
  const judged = (asked: EvaluatedInput): Pick<Verdict, 'route' | 'reasons'> => {
    left -= 1;
    return judgeInput(asked);
  };
  const groups = [
    () => standingSuppositions(input, route),
    () => suppositionsOfForm(input),
    () => findingSuppositions(input),
    () => toldSuppositions(subject),
  ];
  for (const group of groups) {
    for (const supposition of group()) {
      const asked = supposition.input();
      if (asked === undefined) continue;
      if (left === 0) complete = false;
      else tried.push(judgeOne(supposition, judged(asked)));
      yield found();
    }
  }
  if (subject.characters > MAX_REREAD_CHARACTERS && toldSuppositions(subject, true).length > 0) complete = false;
  const { order, all } = withoutParts(input);
  complete &&= all;
  for (const index of order) {
    if (left < 2) {
      complete = false;
      break;
    }
    alone[index] = input.action.parts.length === 1 ? route : judged(without(input, (at) => at !== index)).route;
    yield found();
    if (input.action.parts.length === 1) continue;
    tried.push(judgeOne(leftOut(input, [index]), judged(without(input, (at) => at === index))));
    yield found();
  }
  const strict = order.filter((index) => alone[index] === route);
  const single = tried.some((change) => change.kind === 'without_part' && change.route !== route);
  if (!single && strict.length > 1 && strict.length < input.action.parts.length && left > 0) {
    tried.push(judgeOne(leftOut(input, strict), judged(without(input, (at) => strict.includes(at)))));
    yield found();
  }
  return found();
}

function judgeOne(supposition: Supposition, verdict: Pick<Verdict, 'route' | 'reasons'>): Change {
  const { kind, fact, suppose, parts } = supposition;
  return { kind, fact, suppose, parts, route: verdict.route, reason: verdict.reasons[0] };
}

function leftOut(input: EvaluatedInput, indexes: readonly number[]): Supposition {
  const parts = indexes.map((index) => index + 1);
  const named = indexes.map((index) => {
    const { tool, operation } = input.action.parts[index] as EvaluatedInput['action']['parts'][number];
    return `\`${tool === operation ? tool : `${tool} ${operation}`}\``;
  });
  const suppose = `part ${parts.join(' and ')} (${named.join(', ')}) were left out`;
  return { kind: 'without_part', fact: 'part', suppose, parts, input: () => undefined };
}
