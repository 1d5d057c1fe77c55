// Turns drafts into the parts of a canonical action: places raise effects, secrets leave, everything is bounded and ordered.

import type { PartExternality, SensitivePayload } from '../externality.ts';
import type { Draft, DraftTarget } from './draft.ts';
import { externalityOf, graver, usualScope, usualSystem } from './effects.ts';
import { isHomograph } from './hosts.ts';
import type { Where } from './paths.ts';
import { type Place, placeOf, type Tag } from './places.ts';
import type { ActionPart, Effect, Scope } from './types.ts';

export const MAX_TARGETS = 64;
const MAX_TARGET_LENGTH = 300;
const MAX_DIGESTS = 16;

export type Finishing = {
  readonly where: Where;
  /** Replaces what a detector finds by `[kind:digest8]`. */
  readonly mask: (text: string) => string;
  readonly digest: (text: string) => string;
  /** The gravest finding in this range of the proposal's text. */
  readonly sensitive: (range: Draft['range']) => SensitivePayload | undefined;
};

const CHANGES = new Set<Effect>([
  'write',
  'overwrite',
  'delete',
  'delete_many',
  'permission_change',
  'discard_work',
  'build',
]);
const LOSSES = new Set<Effect>(['overwrite', 'delete', 'delete_many', 'write']);

/** What a place makes of a change; the first tag that is there decides. */
const CHANGED: readonly (readonly [Tag, Effect])[] = [
  ['device', 'disk_destroy'],
  ['kernel', 'system_change'],
  ['governance', 'self_governance'],
  ['identity', 'identity_change'],
  ['credential', 'identity_change'],
  ['control_socket', 'security_disable'],
  ['schedule', 'schedule'],
];

/** How a command was joined to others: nothing about what it does. */
const WALK_FLAGS = new Set(['piped', 'background', 'assigned', 'tool_output']);

export function finishPart(draft: Draft, finishing: Finishing): ActionPart {
  const flags = new Set(draft.flags.filter((flag) => !WALK_FLAGS.has(flag)));
  let effect = draft.effect;
  let scope: Scope | undefined = draft.scope;
  const places = draft.targets.map((target) => [target, lookUp(target, finishing.where)] as const);
  for (const [target, place] of places) {
    if (target.glob) flags.add('glob');
    if (!target.known) flags.add('unresolved_target');
    if (target.id.startsWith('url:')) effect = graver(effect, addUrlFlags(target.id, effect, flags));
    if (!place) continue;
    addPlaceFlags(place, draft, flags);
    effect = graver(effect, raised(effect, target, place, flags, draft, finishing.where));
    const found = remoteHost(target.id) === undefined ? place.scope : 'remote';
    scope = scope === undefined ? found : wider(scope, target.known ? found : 'unknown');
    if (scope !== 'unknown' && !target.known) scope = 'unknown';
  }
  const files = places.filter(([, place]) => place !== undefined);
  if (files.length > 0) addFileFlags(files as readonly FilePlace[], finishing.where, draft, flags);
  if (effect === 'none' || files.every(([, place]) => place?.tags.includes('null_device'))) {
    if (files.length > 0 && CHANGES.has(effect)) effect = 'none';
  }
  if (flags.has('dry_run') && effect !== 'none' && draft.effect === 'read') effect = 'read';
  // The root of a throw-away container is no disk of this machine.
  if (effect === 'disk_destroy' && flags.has('container') && !flags.has('mounted') && !flags.has('privileged'))
    effect = 'delete_many';
  scope ??= usualScope(effect);
  if (scope === 'home' || scope === 'system' || scope === 'machine') flags.add('outside_workspace');
  const externality = partExternality(effect, draft, finishing);
  const targets = [...new Set(draft.targets.map((target) => bound(finishing.mask(target.id), finishing)))].sort();
  if (targets.length > 1) flags.add('several_targets');
  if (targets.length > MAX_TARGETS) flags.add('bulk');
  const residue = (draft.residue ?? []).filter((text) => text !== '');
  const bulk = targets.slice(MAX_TARGETS).join('\n');
  // What a read is told beside its targets changes nothing; which files it reads does.
  const matter = [...(effect === 'read' ? [] : residue), ...(bulk === '' ? [] : [bulk])];
  return {
    operation: bound(finishing.mask(draft.operation), finishing, 64),
    effect,
    tool: bound(finishing.mask(draft.tool), finishing, 128),
    targets: targets.slice(0, MAX_TARGETS),
    systems: [...new Set(draft.systems ?? systemsOf(effect))]
      .map((system) => bound(finishing.mask(system), finishing))
      .sort()
      .slice(0, 16),
    scope,
    reversible: externality.reversibility,
    externality,
    flags: [...flags].sort().slice(0, 48),
    digests: effect === 'none' ? [] : digestsOf(matter, finishing),
  };
}

function systemsOf(effect: Effect): string[] {
  const system = usualSystem(effect);
  return system === '' ? [] : [system];
}

/** Nearly every name and path; nothing in it can mislead. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Whatever cannot be shown as it is carries a digest of what it was: two names never become one. */
function bound(text: string, { digest }: Finishing, maxLength = MAX_TARGET_LENGTH): string {
  if (text.length <= maxLength && PLAIN.test(text)) return text;
  // Control, zero-width and direction characters could make a target read as another.
  const clean = text.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, '\ufffd').toWellFormed();
  if (clean === text && clean.length <= maxLength) return clean;
  return `${clean.slice(0, maxLength - 20).toWellFormed()}~${digest(text).slice(0, 16)}`;
}

function digestsOf(texts: readonly string[], { digest }: Finishing): string[] {
  if (texts.length <= MAX_DIGESTS) return texts.map(digest);
  return [...texts.slice(0, MAX_DIGESTS - 1), texts.slice(MAX_DIGESTS - 1).join('\0')].map(digest);
}

function remoteHost(id: string): string | undefined {
  const at = id.indexOf('/file:');
  return at > 0 ? id.slice(0, at) : undefined;
}

const NOWHERE: Where = {
  cwd: undefined,
  workspace: undefined,
  home: undefined,
  tracked: undefined,
  dirty: undefined,
  branch: undefined,
};

function lookUp(target: DraftTarget, where: Where): Place | undefined {
  if (target.id.startsWith('file:')) return placeOf(target.id.slice(5), target.glob, where);
  // A file behind an address is a file, also where a page shows its source.
  const path = /^url:(?:https?:\/\/)?(?:view-source:)?file:?\/\/[^/]*(\/.*)$/i.exec(target.id)?.[1];
  if (path !== undefined) return placeOf(path, target.glob, where);
  const host = remoteHost(target.id);
  return host === undefined ? undefined : placeOf(target.id.slice(host.length + 6), target.glob, NOWHERE);
}

function addPlaceFlags(place: Place, draft: Draft, flags: Set<string>): void {
  const { tags } = place;
  const handed = draft.operation === 'hand over' && (tags.includes('env_file') || tags.includes('credential'));
  if (handed || (tags.includes('dotenv') && !draft.metadata)) flags.add('dotenv');
  if (draft.effect === 'read') return;
  if (tags.includes('root')) flags.add('root_target');
  if (tags.includes('home')) flags.add('home_target');
  if (tags.includes('system_root')) flags.add('system_target');
  if (tags.includes('workspace_root')) flags.add('workspace_root_target');
  const own = draft.flags.includes('copied_here');
  if (tags.includes('backup') && LOSSES.has(draft.effect) && !own) flags.add('backup');
  if (tags.includes('git_dir') && CHANGES.has(draft.effect)) flags.add('git_dir');
}

type FilePlace = readonly [DraftTarget, Place];

function addFileFlags(files: readonly FilePlace[], where: Where, draft: Draft, flags: Set<string>): void {
  const ids = new Set(files.map(([target]) => target.id));
  // A folder `bin` may hold scripts; beside `obj` it is what a build writes.
  const built = (id: string) => id.endsWith('/bin') && ids.has(`${id.slice(0, -3)}obj`);
  const remade = (target: DraftTarget, place: Place) =>
    place.tags.includes('regenerable') || (/^(?:workspace|unknown)$/.test(place.scope) && built(target.id));
  const passing = (target: DraftTarget, place: Place) => remade(target, place) || place.scope === 'temporary';
  if (
    files.some(([target, place]) => remade(target, place)) &&
    files.every(([target, place]) => target.known && passing(target, place))
  )
    flags.add('regenerable');
  if (draft.effect === 'write' || draft.effect === 'overwrite') addReplaced(files, where, draft, flags);
  const { tracked, untracked } = where;
  if (tracked === undefined) return;
  const held = (target: DraftTarget) => tracked.has(target.id.slice(5));
  // What is written or moved to need not be there: it is lost only when it is known to be.
  const mayBeNew = (target: DraftTarget) =>
    (target.lands || draft.effect === 'write' || untracked !== undefined) && !untracked?.has(target.id.slice(5));
  if (files.every(([target]) => held(target) || (target.lands && mayBeNew(target)))) flags.add('tracked');
  else if (files.some(([target, place]) => !held(target) && !mayBeNew(target) && !passing(target, place)))
    flags.add('untracked');
  if (where.dirty === true) flags.add('dirty');
}

/** A write that begins anew takes what was there: git holds it, nobody knows, or it exists nowhere else. */
function addReplaced(files: readonly FilePlace[], where: Where, draft: Draft, flags: Set<string>): void {
  if (draft.operation === 'move' || draft.flags.includes('no_clobber')) return;
  const begins = draft.effect === 'write' && draft.flags.includes('truncate');
  for (const [target, place] of files) {
    if (place.scope !== 'workspace' && place.scope !== 'unknown') continue;
    if (place.tags.includes('regenerable') || place.tags.includes('null_device')) continue;
    if (target.glob && (begins || draft.effect === 'overwrite')) flags.add('replaces_many');
    if (!begins) continue;
    const path = target.id.slice(5);
    if (where.untracked?.has(path)) flags.add('only_copy');
    else if (where.tracked?.has(path)) flags.add('replaces');
    else if (where.tracked === undefined || where.untracked === undefined) {
      // A tool's own result file is new more often than not.
      if (!draft.flags.includes('tool_output')) flags.add('replaces');
    }
  }
}

/** Lines by which anybody becomes root, or comes in without being asked who they are. */
const WEAKENS =
  /\bNOPASSWD\b|^[+\s]*\S+\s+ALL\s*=\s*\(ALL(?:\s*:\s*ALL)?\)\s*(?:\w+:\s*)?ALL\s*$|\bpam_permit\.so\b|^[+\s]*PermitEmptyPasswords\s+yes|^[+\s]*PermitRootLogin\s+yes|^[+\s]*\w[\w-]*::?[^:\n]*:0:0:/im;

/** What the place of one target makes of the effect. */
function raised(
  effect: Effect,
  target: DraftTarget,
  place: Place,
  flags: Set<string>,
  draft: Draft,
  where: Where,
): Effect {
  const { tags, scope } = place;
  if ((effect === 'read' || effect === 'read_credential' || effect === 'fetch') && !draft.metadata) {
    if (tags.includes('env_file')) {
      // What the repository holds is no secret to whoever reads the repository.
      // Nor does it show what goes into the variables of a process.
      if (!where.tracked?.has(target.id.slice(5)) && !draft.flags.includes('assigned')) {
        flags.add('env_file');
        return 'read_credential';
      }
      flags.add('dotenv');
    }
    // A copy of a whole home is one of the keys in it.
    const whole = draft.operation === 'read' && draft.flags.includes('recursive');
    if (whole && (tags.includes('home') || tags.includes('root'))) return 'read_credential';
    return tags.includes('credential') || tags.includes('kernel') ? 'read_credential' : effect;
  }
  if (!CHANGES.has(draft.effect)) return effect;
  const wide = draft.effect === 'delete_many' || draft.flags.includes('recursive') || draft.operation === 'move';
  if (wide && (tags.includes('root') || tags.includes('home') || tags.includes('system_root'))) return 'disk_destroy';
  if (draft.effect === 'build') return effect;
  if (tags.includes('identity') && draft.residue?.some((text) => WEAKENS.test(text))) return 'security_disable';
  for (const [tag, becomes] of CHANGED) {
    if (!tags.includes(tag)) continue;
    if (draft.effect === 'permission_change' && (tag === 'schedule' || tag === 'credential')) continue;
    return becomes;
  }
  // Lines may be added to a record; what is edited in it, or begun anew, is gone.
  const loses = draft.effect !== 'write' || flags.has('truncate') || draft.operation === 'edit';
  if (tags.includes('audit') && LOSSES.has(draft.effect) && loses) return 'security_disable';
  if (tags.includes('git_dir') && (draft.effect === 'delete' || draft.effect === 'delete_many')) return 'discard_work';
  const device = tags.includes('null_device') || tags.includes('socket_device');
  return scope === 'system' && !device ? 'system_change' : effect;
}

/** An address without a host is a program or a page of its own; one with a host may only look like another's. */
function addUrlFlags(id: string, effect: Effect, flags: Set<string>): Effect {
  const host = /^url:[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(id)?.[1];
  if (host !== undefined && isHomograph(host)) flags.add('homograph_host');
  // Where a browser shows what it keeps for its person.
  if (
    /^url:(?:chrome|edge|brave|opera|vivaldi|about):\/{0,2}(?:settings\/)?(?:password|logins|passwords|password-manager|wallet)/i.test(
      id,
    )
  )
    return 'read_credential';
  return /^url:\s*(?:javascript|vbscript|data:(?:text\/html|application\/xhtml|image\/svg))/i.test(id)
    ? 'run_opaque'
    : effect;
}

const BREADTH: readonly Scope[] = ['none', 'temporary', 'workspace', 'home', 'machine', 'system', 'remote', 'unknown'];

export function wider(left: Scope, right: Scope): Scope {
  return BREADTH.indexOf(right) > BREADTH.indexOf(left) ? right : left;
}

function partExternality(effect: Effect, draft: Draft, finishing: Finishing): PartExternality {
  const usual = externalityOf(effect);
  const merged = draft.effect === effect ? { ...usual, ...draft.externality } : usual;
  const found = finishing.sensitive(draft.range);
  if (found === undefined || effect === 'none') return merged;
  return { ...merged, sensitive_payload: graverPayload(merged.sensitive_payload, found) };
}

const PAYLOADS: readonly SensitivePayload[] = ['none', 'internal', 'unknown', 'pii', 'regulated', 'secret'];

export function graverPayload(left: SensitivePayload, right: SensitivePayload): SensitivePayload {
  return PAYLOADS.indexOf(right) > PAYLOADS.indexOf(left) ? right : left;
}

const ORDERS = {
  destination_type: [
    'none',
    'file',
    'process',
    'repo',
    'model_provider',
    'message',
    'database',
    'package_registry',
    'http_api',
    'infra',
    'identity',
    'secret_store',
    'payment',
    'unknown',
  ],
  destination_visibility: ['private', 'team', 'organisation', 'partner', 'public', 'unknown'],
  destination_ownership: ['self', 'tenant', 'third_party', 'unknown'],
  external_write: [false, true, 'unknown'],
  sensitive_payload: PAYLOADS,
  reversibility: ['reversible', 'time_limited', 'compensable', 'irreversible', 'unknown'],
} as const;

/** Field by field the worst of all parts. */
export function worstExternality(parts: readonly ActionPart[]): PartExternality {
  const worst = <K extends keyof PartExternality>(field: K): PartExternality[K] => {
    const order = ORDERS[field] as readonly PartExternality[K][];
    let rank = 0;
    for (const part of parts) rank = Math.max(rank, order.indexOf(part.externality[field]));
    return order[rank] as PartExternality[K];
  };
  return {
    destination_type: worst('destination_type'),
    destination_visibility: worst('destination_visibility'),
    destination_ownership: worst('destination_ownership'),
    external_write: worst('external_write'),
    sensitive_payload: worst('sensitive_payload'),
    reversibility: worst('reversibility'),
  };
}
