// The test cases a policy bundle carries: inputs written as fragments over a base, and what must be decided on them. Pure.
// Read strictly, since a misspelt expectation would hold nothing.

import type { EvaluatedInput } from './envelope.ts';
import { BeaconError } from './errors.ts';
import { MAX_POLICY_FILE_BYTES } from './policy-manifest.ts';
import { ROUTES, type Verdict } from './route.ts';
import { parseStrictJson } from './strict-json.ts';

export const MAX_CASES = 4_096;
const MAX_NAME = 120;

export type Fragment = {
  /** Each over the base's part; `to` names one of the base's destinations. */
  readonly parts: readonly Readonly<Record<string, unknown>>[];
  readonly identity?: object;
  readonly facts?: object;
  readonly context?: object;
  readonly externality?: object;
  readonly findings?: readonly object[];
  readonly surface?: string;
  readonly runtime_family?: string;
  /** Over a change of nothing; without, the input tells of none. */
  readonly change?: object;
  /** Over a proposal that calls nothing; without, the input tells of none. */
  readonly commands?: object;
  readonly regions?: readonly string[];
};
export type Expected = {
  readonly route: string;
  /** Each must be among the reasons'. */
  readonly codes: readonly string[];
  /** Exactly these kinds, where stated. */
  readonly obligations?: readonly string[];
};
export type Case = Fragment & { readonly name: string; readonly expect: Expected };
export type CaseBase = {
  readonly input: EvaluatedInput;
  readonly part: Readonly<Record<string, unknown>>;
  readonly to: Readonly<Record<string, object>>;
};
/** A bundle's cases.json: lists of cases by their file's name. */
export type CaseFile = { readonly base: CaseBase; readonly cases: Readonly<Record<string, readonly Case[]>> };

/** A case as it is run. */
export type PolicyCase = { readonly name: string; readonly input: Uint8Array; readonly expect: Expected };

const encoder = new TextEncoder();

/** The input of a fragment. Throws `failed_precondition` when a part's `to` names nothing. */
export function caseInput(base: CaseBase, fragment: Fragment): EvaluatedInput {
  const { input } = base;
  const parts = fragment.parts.map(({ to, externality, ...rest }) => ({
    ...base.part,
    ...rest,
    externality: {
      ...(base.part.externality as object),
      ...(to === undefined ? {} : destination(base, to)),
      ...(externality as object),
    },
  }));
  return {
    ...input,
    identity: { ...input.identity, ...fragment.identity },
    action: { parts },
    externality: { ...input.externality, ...fragment.externality },
    findings: fragment.findings ?? [],
    ...(fragment.change && { change: { ...NO_CHANGE, ...fragment.change } }),
    ...(fragment.commands && { commands: { list: [], complete: true, ...fragment.commands } }),
    ...(fragment.regions && { regions: fragment.regions }),
    facts: { ...input.facts, ...fragment.facts },
    context: { ...input.context, ...fragment.context },
    surface: fragment.surface ?? input.surface,
    runtime_family: fragment.runtime_family ?? input.runtime_family,
  } as unknown as EvaluatedInput;
}

/** At least one case. Throws `failed_precondition` for anything that is not a whole CaseFile. */
export function readCases(bytes: Uint8Array): readonly PolicyCase[] {
  let file: unknown;
  try {
    file = parseStrictJson(bytes, { maxBytes: MAX_POLICY_FILE_BYTES });
  } catch (cause) {
    throw new BeaconError('failed_precondition', "the bundle's cases.json is not strict JSON", { cause });
  }
  const { base, cases } = members(file, 'cases.json', ['base', 'cases']);
  const { input, part, to } = members(base, 'base', ['input', 'part', 'to']);
  for (const [name, value] of Object.entries({ input, part, to })) object(value, `base.${name}`);
  const read = Object.entries(object(cases, 'cases')).flatMap(([group, list]) =>
    array(list, group).map((one) => readCase(one, base as CaseBase, group)),
  );
  if (read.length === 0) throw refused('there is no case');
  if (read.length > MAX_CASES) throw refused(`there are more than ${MAX_CASES} cases`);
  return read;
}

const FRAGMENT_MEMBERS = [
  ...['identity', 'facts', 'context', 'externality', 'findings'],
  ...['surface', 'runtime_family', 'change', 'commands', 'regions'],
];
const NO_CHANGE = { files: 0, lines: 0, bytes: 0, places: [], trees: [], complete: true };

function readCase(value: unknown, base: CaseBase, group: string): PolicyCase {
  const one = members(value, group, ['name', 'parts', 'expect'], FRAGMENT_MEMBERS);
  if (typeof one.name !== 'string' || one.name === '') throw refused(`a case of ${group} has no name`);
  const name = `${group}: ${one.name}`.slice(0, MAX_NAME);
  for (const part of array(one.parts, `${name}: parts`)) object(part, `${name}: parts`);
  const { route, codes, obligations } = members(one.expect, `${name}: expect`, ['route', 'codes'], ['obligations']);
  if (!(ROUTES as readonly unknown[]).includes(route)) throw refused(`${name}: expects no known route`);
  for (const words of [codes, obligations ?? []]) {
    if (array(words, name).some((word) => typeof word !== 'string')) throw refused(`${name}: expects no words`);
  }
  const input = encoder.encode(JSON.stringify(caseInput(base, one as unknown as Fragment)));
  return { name, input, expect: one.expect as Expected };
}

/** What the verdict lacks of what was expected; undefined when nothing. A verdict the policy did not give fits nothing. */
export function caseFault({ expect }: Pick<PolicyCase, 'expect'>, verdict: Verdict): string | undefined {
  if (verdict.reasons.some(({ rule }) => rule === 'beacon.builtin')) return 'the policy gave no verdict';
  if (verdict.route !== expect.route) return `${verdict.route} instead of ${expect.route}`;
  const missing = expect.codes.find((code) => verdict.reasons.every((reason) => reason.code !== code));
  if (missing !== undefined) return `no reason ${missing}`;
  const kinds = verdict.obligations.map(({ kind }) => kind).join(' ');
  if (expect.obligations && kinds !== expect.obligations.join(' ')) return `other obligations (${kinds})`;
  return undefined;
}

function destination({ to }: CaseBase, name: unknown): object {
  if (typeof name !== 'string' || !Object.hasOwn(to, name)) throw refused('a part goes to what the base does not name');
  return to[name] as object;
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function array(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw refused(`${what} is not a list`);
  return value;
}

function members(value: unknown, what: string, required: string[], optional: string[] = []): Record<string, unknown> {
  const found = object(value, what);
  if (required.some((name) => !Object.hasOwn(found, name))) throw refused(`${what} lacks a member`);
  const odd = Object.keys(found).some((name) => !required.includes(name) && !optional.includes(name));
  if (odd) throw refused(`${what} has a member nobody knows`);
  return found;
}

function refused(message: string): BeaconError {
  return new BeaconError('failed_precondition', `the bundle's cases cannot be used: ${message}`);
}
