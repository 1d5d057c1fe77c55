// A proposal with some of its parts, or without what was found in it.

import { externalityOf, gravity } from '../action/effects.ts';
import { worstExternality } from '../action/parts.ts';
import type { ActionPart } from '../action/types.ts';
import type { EvaluatedInput } from '../envelope.ts';
import type { Supposition } from './supposition.ts';

/** Parts looked at one by one, the gravest first. */
export const MAX_PARTS_TRIED = 16;

/** The input with other parts: what stands for the whole is told from them again. */
export function withParts(input: EvaluatedInput, parts: readonly ActionPart[]): EvaluatedInput {
  return {
    ...input,
    action: { ...input.action, parts },
    externality: { ...input.externality, ...worstExternality(parts) },
  };
}

export function without(input: EvaluatedInput, leaves: (index: number) => boolean): EvaluatedInput {
  return withParts(
    input,
    input.action.parts.filter((_, index) => !leaves(index)),
  );
}

/** The parts worth asking about, in their order, and whether that is all of them. */
export function withoutParts({ action: { parts } }: EvaluatedInput): { order: number[]; all: boolean } {
  const gravest = parts
    .map((part, index) => ({ index, grave: gravity(part.effect) }))
    .sort((left, right) => right.grave - left.grave || left.index - right.index)
    .slice(0, MAX_PARTS_TRIED)
    .map(({ index }) => index)
    .sort((left, right) => left - right);
  return { order: gravest, all: gravest.length === parts.length };
}

/** What the detectors found named in place of its value: the texts without it. */
export function findingSuppositions(input: EvaluatedInput): Supposition[] {
  const classes = [...new Set(input.findings.map((finding) => finding.class))].filter((of) => of !== 'injection');
  return classes.map((of) => {
    const kinds = [...new Set(input.findings.filter((one) => one.class === of).map((one) => one.kind))];
    return {
      kind: 'without_finding',
      fact: of,
      suppose: `it named ${kinds.slice(0, 4).join(', ')} instead of carrying the value`,
      parts: [],
      input: () => {
        const findings = input.findings.filter((finding) => finding.class !== of);
        return { ...withParts(input, input.action.parts.map(cleared(of))), findings };
      },
    };
  });
}

/** A payload that is what was found comes back to what the effect carries by nature. */
function cleared(of: string): (part: ActionPart) => ActionPart {
  return (part) => {
    const usual = externalityOf(part.effect).sensitive_payload;
    if (part.externality.sensitive_payload !== of || usual === of) return part;
    return { ...part, externality: { ...part.externality, sensitive_payload: usual } };
  };
}
