// From raw proposals to one canonical action: reads each kind, finds secrets before anything is kept, judges every part.
// Pure: the detector and the digest come bound to the tenant's key.

import { BeaconError, invalidArgument } from '../errors.ts';
import type { PartExternality } from '../externality.ts';
import { type Called, Commands } from './called.ts';
import { type Draft, draftKey } from './draft.ts';
import { gravity } from './effects.ts';
import { type Change, Extent } from './extent.ts';
import { finishPart, worstExternality } from './parts.ts';
import { whereFrom } from './paths.ts';
import { type ProposedLike, type Reading, readProposed } from './proposed.ts';
import { type Detect, Findings, type LocatedFinding, type Place, payloadOf } from './redact.ts';
import { Regions } from './regions.ts';
import type { ActionContext, ActionPart, CanonicalAction, Finding } from './types.ts';

export const MAX_ACTIONS = 64;
export const MAX_PARTS = 256;
export const MAX_SUMMARY = 200;
/** Text of all actions together: what one request may cost to understand, while everyone else waits. */
export const MAX_TOTAL_CHARACTERS = 131_072;
/** What a scope `tool:NAME` can name. */
const SCOPE_NAME = /^[\x21-\x7e]{1,128}$/;

export type AdmitInput = {
  readonly actions: readonly ProposedLike[];
  readonly context: ActionContext;
  /** Finds secrets and personal data; digests are HMACs under the tenant's key. */
  readonly detect: Detect;
  /** HMAC under the tenant's key, hex: for contents that matter and are not kept. */
  readonly digest: (text: string) => string;
};

export type Admitted = {
  readonly action: CanonicalAction;
  /** Field by field the worst of all parts. */
  readonly externality: PartExternality;
  readonly findings: readonly Finding[];
  readonly change: Change;
  readonly commands: Called;
  /** Of clouds, in which something is put or changed. */
  readonly regions: readonly string[];
  /** One line without payload, at most 200 characters. */
  readonly summary: string;
  /** Every tool by which the proposal can be stopped: what acts, parts that do nothing too, and what the caller calls it. */
  readonly tools: readonly string[];
};

/** Throws `invalid_argument` or `payload_too_large` naming the field when the proposal cannot be read. */
export function admitProposal(input: AdmitInput): Admitted {
  const { actions, digest } = input;
  // Of this proposal alone: what it takes to understand is counted by it.
  const context = { ...input.context };
  if (actions.length === 0) throw invalidArgument('action', 'nothing to judge');
  if (actions.length > MAX_ACTIONS)
    throw new BeaconError('invalid_argument', `action: at most ${MAX_ACTIONS} at once`, { field: 'action' });
  if (actions.reduce((sum, proposed) => sum + charactersOf(proposed), 0) > MAX_TOTAL_CHARACTERS) {
    throw new BeaconError('payload_too_large', `action: at most ${MAX_TOTAL_CHARACTERS} characters in all`, {
      field: 'action',
    });
  }
  const findings = new Findings(input.detect);
  const parts: ActionPart[] = [];
  const tools = new Set<string>();
  const told = { extent: new Extent(context.git?.staged), commands: new Commands(), regions: new Regions() };
  actions.forEach((proposed, index) => {
    const field = actions.length === 1 ? 'action' : `action.${index}`;
    const reading = readProposed(proposed, context, field);
    for (const part of finish(
      reading,
      field,
      { ...input, context },
      findings,
      told,
      reading.place ?? PLACES[proposed.kind.case ?? ''],
    )) {
      parts.push(part);
      tools.add(part.tool);
    }
    const called = calledName(proposed, (text) => findings.mask(text, field));
    if (SCOPE_NAME.test(called)) tools.add(called);
  });
  const action: CanonicalAction = { parts: settle(withoutCopies(parts), digest) };
  return {
    action,
    externality: worstExternality(action.parts),
    findings: findings.list(),
    change: told.extent.read(),
    commands: told.commands.read(),
    regions: told.regions.list(),
    summary: summarise(action.parts),
    tools: [...tools],
  };
}

function withoutCopies(parts: readonly ActionPart[]): readonly ActionPart[] {
  if (parts.length < 2) return parts;
  return [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
}

/** Kinds whose text is not what the agent does, but what it is told. */
const PLACES: { readonly [kind: string]: Place | undefined } = { prompt: 'prompt', output: 'output' };

/** A comment, an empty line. */
const NOTHING: Draft = { tool: 'shell', operation: 'nothing', effect: 'none', targets: [], flags: [] };

/** Of all that a detector or a parser is given to read. */
function charactersOf({ kind }: ProposedLike): number {
  return lengthOf(kind.value ?? {});
}

/** Of every text in it, and of the names it stands under: both are looked through. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  // Fields that nobody here knows; nobody looks at them.
  if (ArrayBuffer.isView(value)) return 0;
  return Object.entries(value).reduce((sum, [name, member]) => sum + name.length + lengthOf(member), 0);
}

/** The name in the caller's own list of tools, which is the one that people know it by; '' for what has none. */
function calledName({ kind }: ProposedLike, mask: (text: string) => string): string {
  const { name = '', server = '', tool = '' } = (kind.value ?? {}) as Readonly<Record<string, string>>;
  if (kind.case === 'tool') return mask(name);
  // Each by itself: joined by underscores, a secret is no longer a word of its own.
  return kind.case === 'mcp' ? `mcp__${mask(server)}__${mask(tool)}` : '';
}

/** What is told of a proposal beside its parts. */
type Told = { readonly extent: Extent; readonly commands: Commands; readonly regions: Regions };

function finish(
  reading: Reading,
  field: string,
  input: AdmitInput,
  findings: Findings,
  { extent, commands, regions }: Told,
  place?: Place,
): ActionPart[] {
  const { addressed } = reading;
  const located = reading.texts.map(({ text, where }) =>
    findings.scan(text, `${field}.${where}`, place, addressed && ((item) => reaches(text, item, addressed))),
  );
  const all = located.flat();
  for (const secret of reading.secrets) {
    if (secret.length < 4) continue;
    findings.add({
      kind: 'secret_argument',
      class: 'secret',
      where: field,
      confidence: 'high',
      digest: input.digest(secret),
    });
  }
  const whole = payloadOf(all);
  const secrets = [...new Set(reading.secrets.filter((secret) => secret.length >= 4))];
  const where = whereFrom(input.context, reading.cwd);
  const mask = (text: string) => {
    let out = text;
    for (const secret of secrets) {
      if (out.includes(secret))
        out = out.replaceAll(secret, () => `[secret_argument:${input.digest(secret).slice(0, 8)}]`);
    }
    return findings.mask(out, field);
  };
  const sensitive = (range: Draft['range']) => {
    if (all.length === 0 || whole === undefined) return undefined;
    if (range === undefined || reading.texts.length !== 1) return whole;
    return payloadOf(all.filter((item) => item.start < range.end && item.end > range.start));
  };
  const taken = commands.take(reading.drafts, mask);
  const keyOf = (draft: Draft) => draftKey({ ...draft, range: all.length === 0 ? undefined : draft.range });
  const drafts = taken.length < 2 ? taken : [...new Map(taken.map((draft) => [keyOf(draft), draft])).values()];
  return (drafts.length === 0 ? [NOTHING] : drafts).map((draft) => {
    const part = finishPart(draft, { where, mask, digest: input.digest, sensitive });
    extent.add(draft, part, where.workspace);
    regions.add(draft, part);
    return part;
  });
}

/** The number or account that the call itself is addressed to is how it gets there, not what leaks. */
const REACHES = /^(?:email|phone|iban)/;

function reaches(text: string, item: LocatedFinding, addressed: readonly string[]): boolean {
  if (item.class !== 'pii') return false;
  const found = text.slice(item.start, item.end);
  // A number with its country in front is one to call, whatever else its digits could be; no card is as short as this.
  return addressed.some(
    (value) =>
      value.includes(found) && (REACHES.test(item.kind) || /^\+\d[\d\s().-]{6,20}$|^\d{8,13}$/.test(value.trim())),
  );
}

/** Parts that do nothing say nothing beside parts that do something; too many become opaque. */
function settle(parts: readonly ActionPart[], digest: (text: string) => string): ActionPart[] {
  const acting = parts.filter((part) => part.effect !== 'none');
  const kept = acting.length > 0 ? acting : parts.slice(0, 1);
  if (kept.length <= MAX_PARTS) return kept;
  const gravest = [...kept].sort((left, right) => gravity(right.effect) - gravity(left.effect)).slice(0, MAX_PARTS - 1);
  const rest = kept.filter((part) => !gravest.includes(part));
  return [
    ...kept.filter((part) => gravest.includes(part)),
    {
      operation: 'run',
      effect: 'run_opaque',
      tool: 'beacon',
      targets: [],
      systems: [],
      scope: 'unknown',
      reversible: 'unknown',
      externality: worstExternality(rest),
      flags: ['opaque_too_many_parts'],
      digests: [digest(JSON.stringify(rest))],
    },
  ];
}

function summarise(parts: readonly ActionPart[]): string {
  const graver = [...parts].sort((left, right) => gravity(right.effect) - gravity(left.effect));
  const lines = graver.slice(0, 3).map((part) => {
    const more = part.targets.length > 1 ? ` +${part.targets.length - 1}` : '';
    const name = part.operation === part.tool ? part.tool : `${part.tool} ${part.operation}`;
    return `${name}${part.targets[0] === undefined ? '' : ` ${part.targets[0]}`}${more} (${part.effect})`;
  });
  const rest = graver.length > 3 ? `; and ${graver.length - 3} more` : '';
  const text = lines.join('; ') + rest;
  return text.length <= MAX_SUMMARY ? text : `${text.slice(0, MAX_SUMMARY - 1).toWellFormed()}…`;
}
