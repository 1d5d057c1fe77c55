// What each effect says about X(a) by itself, and how grave it is. Data; targets and findings refine it.

import type { PartExternality } from '../externality.ts';
import type { Effect, Scope } from './types.ts';

type Row = readonly [
  PartExternality['destination_type'],
  PartExternality['destination_visibility'],
  PartExternality['destination_ownership'],
  PartExternality['external_write'],
  PartExternality['sensitive_payload'],
  PartExternality['reversibility'],
  Scope,
  string,
];

const ROWS: { readonly [effect in Effect]: Row } = {
  none: ['none', 'private', 'self', false, 'none', 'reversible', 'none', ''],
  read: ['file', 'private', 'self', false, 'none', 'reversible', 'none', 'filesystem'],
  read_credential: ['secret_store', 'private', 'self', false, 'secret', 'irreversible', 'unknown', 'filesystem'],
  write: ['file', 'private', 'self', false, 'none', 'reversible', 'unknown', 'filesystem'],
  overwrite: ['file', 'private', 'self', false, 'none', 'irreversible', 'unknown', 'filesystem'],
  delete: ['file', 'private', 'self', false, 'none', 'irreversible', 'unknown', 'filesystem'],
  delete_many: ['file', 'private', 'self', false, 'none', 'irreversible', 'unknown', 'filesystem'],
  build: ['process', 'private', 'self', false, 'none', 'reversible', 'workspace', 'process'],
  run_unknown: ['unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'process'],
  run_opaque: ['unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'process'],
  download_execute: ['process', 'unknown', 'third_party', 'unknown', 'unknown', 'irreversible', 'machine', 'network'],
  fetch: ['http_api', 'public', 'third_party', false, 'none', 'reversible', 'remote', 'network'],
  send: ['http_api', 'unknown', 'unknown', true, 'unknown', 'irreversible', 'remote', 'network'],
  message: ['message', 'team', 'unknown', true, 'internal', 'irreversible', 'remote', 'message'],
  publish: ['package_registry', 'public', 'third_party', true, 'internal', 'irreversible', 'remote', 'registry'],
  share: ['identity', 'unknown', 'tenant', true, 'internal', 'compensable', 'remote', 'identity'],
  vcs_local: ['repo', 'private', 'self', false, 'none', 'reversible', 'workspace', 'git'],
  vcs_push: ['repo', 'team', 'tenant', true, 'internal', 'compensable', 'remote', 'git'],
  vcs_force_push: ['repo', 'team', 'tenant', true, 'internal', 'irreversible', 'remote', 'git'],
  history_rewrite: ['repo', 'private', 'self', false, 'none', 'time_limited', 'workspace', 'git'],
  discard_work: ['repo', 'private', 'self', false, 'none', 'irreversible', 'workspace', 'git'],
  install_local: ['process', 'private', 'self', false, 'none', 'reversible', 'workspace', 'packages'],
  install_system: ['process', 'private', 'tenant', false, 'none', 'compensable', 'machine', 'packages'],
  system_change: ['infra', 'private', 'tenant', false, 'none', 'compensable', 'system', 'system'],
  identity_change: ['identity', 'organisation', 'tenant', true, 'none', 'compensable', 'system', 'identity'],
  permission_change: ['file', 'private', 'self', false, 'none', 'reversible', 'unknown', 'filesystem'],
  process_own: ['process', 'private', 'self', false, 'none', 'irreversible', 'machine', 'process'],
  process_many: ['process', 'private', 'tenant', false, 'none', 'irreversible', 'machine', 'process'],
  schedule: ['process', 'private', 'self', false, 'none', 'compensable', 'unknown', 'scheduler'],
  infra_change: ['infra', 'organisation', 'tenant', true, 'none', 'compensable', 'remote', 'infra'],
  infra_destroy: ['infra', 'organisation', 'tenant', true, 'none', 'irreversible', 'remote', 'infra'],
  database_change: ['database', 'organisation', 'tenant', true, 'unknown', 'compensable', 'unknown', 'database'],
  database_destroy: ['database', 'organisation', 'tenant', true, 'unknown', 'irreversible', 'unknown', 'database'],
  payment: ['payment', 'partner', 'third_party', true, 'regulated', 'irreversible', 'remote', 'payment'],
  secret_fetch: ['secret_store', 'private', 'tenant', false, 'secret', 'irreversible', 'unknown', 'secrets'],
  disk_destroy: ['file', 'private', 'self', false, 'none', 'irreversible', 'system', 'filesystem'],
  flood: ['process', 'private', 'tenant', false, 'none', 'irreversible', 'machine', 'process'],
  remote_shell: ['process', 'public', 'third_party', true, 'unknown', 'irreversible', 'machine', 'network'],
  security_disable: ['infra', 'private', 'tenant', false, 'none', 'irreversible', 'system', 'system'],
  self_governance: ['identity', 'private', 'tenant', false, 'none', 'irreversible', 'system', 'beacon'],
  delegate: ['process', 'private', 'tenant', false, 'internal', 'unknown', 'unknown', 'agent'],
  prompt: ['model_provider', 'private', 'third_party', true, 'internal', 'irreversible', 'remote', 'model'],
  output: ['none', 'private', 'self', false, 'none', 'reversible', 'none', ''],
  unknown: ['unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown'],
};

export function externalityOf(effect: Effect): PartExternality {
  const row = ROWS[effect];
  return {
    destination_type: row[0],
    destination_visibility: row[1],
    destination_ownership: row[2],
    external_write: row[3],
    sensitive_payload: row[4],
    reversibility: row[5],
  };
}

/** Where the effect lies when no target says so. */
export function usualScope(effect: Effect): Scope {
  return ROWS[effect][6];
}

export function usualSystem(effect: Effect): string {
  return ROWS[effect][7];
}

/** From harmless to grave; used to choose between readings of one command, never to decide a route. */
const GRAVITY: readonly (readonly Effect[])[] = [
  ['none', 'output'],
  ['read', 'prompt'],
  ['build', 'fetch', 'vcs_local', 'write', 'process_own'],
  ['install_local', 'permission_change', 'delegate'],
  ['overwrite', 'delete', 'vcs_push', 'message', 'secret_fetch', 'run_unknown'],
  [
    'unknown',
    'send',
    'share',
    'history_rewrite',
    'discard_work',
    'delete_many',
    'database_change',
    'infra_change',
    'install_system',
  ],
  [
    'run_opaque',
    'vcs_force_push',
    'publish',
    'payment',
    'schedule',
    'process_many',
    'system_change',
    'identity_change',
    'database_destroy',
    'infra_destroy',
  ],
  [
    'download_execute',
    'read_credential',
    'security_disable',
    'remote_shell',
    'flood',
    'self_governance',
    'disk_destroy',
  ],
];
const RANK = new Map(GRAVITY.flatMap((effects, rank) => effects.map((effect) => [effect, rank] as const)));

export function gravity(effect: Effect): number {
  return RANK.get(effect) as number;
}

export function graver(left: Effect, right: Effect): Effect {
  return gravity(right) > gravity(left) ? right : left;
}
