// What can be supposed of a proposal, and what comes of it; the limits of one explanation.

import type { ActionContext } from '../action/types.ts';
import type { EvaluatedInput } from '../envelope.ts';
import type { Reason, Route, Verdict } from '../route.ts';

/** Times one explanation asks the policy again, those for single parts among them. */
export const MAX_REJUDGEMENTS = 64;
/** Times it reads the proposal again with something more told. */
export const MAX_READINGS = 6;
/** Characters of a proposal that is read again; a longer one is judged again, never read. */
export const MAX_REREAD_CHARACTERS = 16_384;

/** What reading a proposal with another context gives. */
export type Understood = Pick<EvaluatedInput, 'action' | 'externality' | 'findings' | 'context'>;

export type Subject = {
  /** What was evaluated. */
  readonly input: EvaluatedInput;
  /** The context as the caller told it, before anything was replaced in it. */
  readonly told: ActionContext;
  /** Characters of the proposal. */
  readonly characters: number;
  /** Reads the same proposal with another context; throws what reading throws. */
  readonly read: (told: ActionContext) => Understood;
};

/** By the policy that decided: with everything that holds whatever a policy says. */
export type JudgeInput = (input: EvaluatedInput) => Pick<Verdict, 'route' | 'reasons'>;

export type ChangeKind = 'level' | 'identity' | 'approval' | 'told' | 'form' | 'without_finding' | 'without_part';

/** What is supposed, before it is judged. */
export type Supposition = {
  readonly kind: ChangeKind;
  /** For programs: `L3`, `git.branch`, `attended`, `dry_run`, `named_paths`, `part`. */
  readonly fact: string;
  /** For people: reads on from "if". */
  readonly suppose: string;
  /** Parts it is about, from 1; empty for the whole proposal. */
  readonly parts: readonly number[];
  /** What would be evaluated then; undefined when it cannot be. */
  readonly input: () => EvaluatedInput | undefined;
};

export type Change = Omit<Supposition, 'input'> & {
  readonly route: Route;
  /** The first reason of that route. */
  readonly reason: Reason | undefined;
};
