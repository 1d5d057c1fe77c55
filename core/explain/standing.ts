// The same proposal from somebody who stands otherwise: at another level, with an identity, watched, with an approval.

import type { EvaluatedInput, TrustLevel } from '../envelope.ts';
import type { Provenance } from '../principal.ts';
import type { Route } from '../route.ts';
import { HIGH_SCORE, LOW_SCORE, PROVEN_RECEIPTS } from '../trust-score/level.ts';
import type { Supposition } from './supposition.ts';

const LEVELS: readonly TrustLevel[] = ['L0', 'L1', 'L2', 'L3'];

const WORDS: Readonly<Record<TrustLevel, string>> = {
  L0: 'the agent stood at L0 (reading only)',
  L1: 'the agent stood at L1 (a name without an identity, or a score proven low)',
  L2: 'the agent stood at L2 (an identity that an admin minted)',
  L3: `the agent stood at L3 (an attested runtime and a score of ${HIGH_SCORE} from ${PROVEN_RECEIPTS} valid receipts)`,
};

export function standingSuppositions(input: EvaluatedInput, route: Route): Supposition[] {
  const levels = LEVELS.filter((level) => level !== input.facts.level).map((level): Supposition => {
    const minted = level === 'L2' && input.identity.client_provenance === 'asserted';
    return {
      kind: minted ? 'identity' : 'level',
      fact: level,
      suppose: minted ? 'the agent had an identity that an admin minted (it stands at L2 then)' : WORDS[level],
      parts: [],
      input: () => at(input, level),
    };
  });
  return [...levels, watched(input), ...(route === 'ALLOW' || route === 'WARN' ? [] : approved(input))];
}

const CAP: readonly Provenance[] = ['asserted', 'asserted', 'authenticated', 'attested'];
const LEAST: Readonly<Record<TrustLevel, number>> = { L0: 0, L1: 0, L2: LOW_SCORE, L3: HIGH_SCORE };
const PROVENANCES: readonly Provenance[] = ['asserted', 'authenticated', 'attested'];

/** With whatever such a standing needs: who has no identity never stands at L2. */
function at(input: EvaluatedInput, level: TrustLevel): EvaluatedInput {
  const { identity, facts, externality } = input;
  const needed = CAP[LEVELS.indexOf(level)] as Provenance;
  const raised = PROVENANCES.indexOf(needed) > PROVENANCES.indexOf(identity.client_provenance);
  const provenance = raised ? needed : identity.client_provenance;
  // A score that is proven low would not stand there.
  const proven = facts.valid_receipts >= PROVEN_RECEIPTS || level === 'L3';
  return {
    ...input,
    identity: { ...identity, client_provenance: provenance },
    externality: {
      ...externality,
      client_provenance: provenance,
      ...(raised && { tenant_provenance: 'verified' as const }),
    },
    facts: {
      ...facts,
      level,
      ...(proven && { score: Math.max(facts.score, LEAST[level]) }),
      ...(level === 'L3' && { valid_receipts: Math.max(facts.valid_receipts, PROVEN_RECEIPTS) }),
    },
  };
}

function watched(input: EvaluatedInput): Supposition {
  const attended = input.context.attended === false;
  return {
    kind: 'told',
    fact: 'attended',
    suppose: attended
      ? 'a person were there to answer (attended: true)'
      : 'nobody were there to answer (attended: false)',
    parts: [],
    input: () => ({ ...input, context: { ...input.context, attended } }),
  };
}

/** Bound to this fingerprint, tenant and agent, for one use: what an operator gives. */
function approved(input: EvaluatedInput): Supposition[] {
  if (input.facts.approval !== null) return [];
  return [
    {
      kind: 'approval',
      fact: 'approval',
      suppose: 'a person had approved exactly this',
      parts: [],
      input: () => ({
        ...input,
        facts: { ...input.facts, approval: { action_id: 'supposed', receipt_id: 'supposed' } },
      }),
    },
  ];
}
