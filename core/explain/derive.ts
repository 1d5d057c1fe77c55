// Where each of the ten fields of X(a) comes from, told from what is kept of a decision and from nothing else: whoever
// holds the evidence finds what was explained, and a stranger can hold every value against its source.

import { externalityOf } from '../action/effects.ts';
import type { ActionPart, Finding } from '../action/types.ts';
import { enforceabilityOf } from '../enforceability.ts';
import type { EvaluatedInput } from '../envelope.ts';
import type { Externality, PartExternality } from '../externality.ts';

export const EXTERNALITY_FIELDS = [
  'destination_type',
  'destination_visibility',
  'destination_ownership',
  'tenant_provenance',
  'account_provenance',
  'client_provenance',
  'external_write',
  'sensitive_payload',
  'reversibility',
  'enforceability',
] as const satisfies readonly (keyof Externality)[];
export type ExternalityField = (typeof EXTERNALITY_FIELDS)[number];

/**
 * `effect`: its row in core/action/effects.ts says so · `tool`: the reading of this tool and operation · `destination`:
 * who is at that address · `finding`: what the detectors found · `contents`: what flows into it, such as through a pipe ·
 * `caller`: how the caller authenticated · `surface`: where the proposal came from · `nobody`: nothing tells.
 */
export type Source = 'effect' | 'tool' | 'destination' | 'finding' | 'contents' | 'caller' | 'surface' | 'nobody';

export type Derived = {
  readonly field: ExternalityField;
  readonly source: Source;
  /** The effect, tool, address, kinds of findings, or the fact in words; no payload. */
  readonly detail: string;
  /** The part that decides the field, from 1; 0 for what every part shares. */
  readonly part: number;
};

/** What is looked at of the evaluated input. */
type Kept = Pick<EvaluatedInput, 'identity' | 'surface' | 'runtime_family' | 'action' | 'externality' | 'findings'>;

const MAX_KINDS = 4;

/** All ten fields of one part; the four that come from caller and surface are the proposal's. `index` from 0. */
export function externalityOfPart(input: Kept, index: number): Externality {
  const { action, externality } = input;
  return { ...externality, ...(action.parts[index] as ActionPart).externality };
}

/** The source of each of the ten fields of one part, in the order of the fields. */
export function derivePart(input: Kept, index: number): Derived[] {
  const part = input.action.parts[index] as ActionPart;
  return EXTERNALITY_FIELDS.map((field) =>
    isOfPart(field, part.externality)
      ? { field, part: index + 1, ...ofPart(part, field, input.findings) }
      : { field, part: 0, ...ofCaller(input, field) },
  );
}

/** The same for the proposal as a whole: each field stands as the worst part has it. */
export function deriveWhole(input: Kept): Derived[] {
  const { parts } = input.action;
  return EXTERNALITY_FIELDS.map((field) => {
    const [first] = parts;
    if (first === undefined || !isOfPart(field, first.externality))
      return { field, part: 0, ...ofCaller(input, field) };
    const worst = parts.findIndex((part) => part.externality[field] === input.externality[field]);
    const index = Math.max(worst, 0);
    return { field, part: index + 1, ...ofPart(parts[index] as ActionPart, field, input.findings) };
  });
}

function isOfPart(field: ExternalityField, externality: PartExternality): field is keyof PartExternality {
  return Object.hasOwn(externality, field);
}

type Told = { readonly source: Source; readonly detail: string };

function ofPart(part: ActionPart, field: keyof PartExternality, findings: readonly Finding[]): Told {
  const value = part.externality[field];
  if (value === externalityOf(part.effect)[field]) return { source: 'effect', detail: part.effect };
  const tool = part.tool === part.operation ? part.tool : `${part.tool} ${part.operation}`;
  if (field === 'sensitive_payload') {
    const kinds = [...new Set(findings.filter(({ confidence }) => confidence !== 'low').flatMap(kindIf(value)))];
    if (kinds.length > 0) return { source: 'finding', detail: kinds.slice(0, MAX_KINDS).join(', ') };
    return value === 'none' ? { source: 'tool', detail: tool } : { source: 'contents', detail: 'what flows into it' };
  }
  const address = addressOf(part);
  const isWhere = field !== 'destination_type' && field !== 'reversibility';
  return isWhere && address !== undefined
    ? { source: 'destination', detail: address }
    : { source: 'tool', detail: tool };
}

const kindIf =
  (payload: unknown) =>
  ({ class: of, kind }: Finding): string[] =>
    of === payload ? [kind] : [];

/** Where it goes, when a target says so: an address, or a file of another machine. */
function addressOf({ targets }: ActionPart): string | undefined {
  return targets.find((target) => target.startsWith('url:') || /^[^/:]+\/file:/.test(target));
}

function ofCaller({ identity, surface, runtime_family: family, externality }: Kept, field: ExternalityField): Told {
  if (field === 'tenant_provenance') {
    const detail =
      externality.tenant_provenance === 'verified'
        ? 'the credential is bound to the tenant'
        : 'the body names the tenant, and no credential is bound to one';
    return { source: 'caller', detail };
  }
  if (field === 'client_provenance') return { source: 'caller', detail: PROVED[identity.client_provenance] };
  if (field === 'enforceability') {
    const stated = enforceabilityOf(family, 'own_user');
    const shared = stated === externality.enforceability ? '' : ', and the agent shares its user with Beacon';
    return { source: 'surface', detail: `surface ${surface} is ${family}${shared}` };
  }
  return { source: 'nobody', detail: 'no adapter tells which account is connected' };
}

const PROVED: Readonly<Record<EvaluatedInput['identity']['client_provenance'], string>> = {
  asserted: 'no credential',
  authenticated: 'a credential that an admin minted',
  attested: 'a credential and an attested runtime',
};
