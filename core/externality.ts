// Externality context X(a): ten fields that say where an action's effect goes and on whose authority.
// Field names are from Proof-Carrying Agent Actions (arXiv 2606.04104); the value lists are ours.
// `unknown` exists in each and never counts as benign.

import type { Provenance } from './principal.ts';

export type DestinationType =
  | 'file'
  | 'repo'
  | 'package_registry'
  | 'database'
  | 'message'
  | 'http_api'
  | 'model_provider'
  | 'payment'
  | 'infra'
  | 'identity'
  | 'secret_store'
  | 'process'
  | 'none'
  | 'unknown';
export type Visibility = 'private' | 'team' | 'organisation' | 'partner' | 'public' | 'unknown';
export type Ownership = 'self' | 'tenant' | 'third_party' | 'unknown';
export type Reversibility = 'reversible' | 'compensable' | 'time_limited' | 'irreversible' | 'unknown';
export type SensitivePayload = 'none' | 'internal' | 'pii' | 'secret' | 'regulated' | 'unknown';
export type Enforceability =
  | 'pre_execution_gate'
  | 'delegated_runtime_control'
  | 'runtime_controlled'
  | 'observe_only'
  | 'unknown';

export type Externality = {
  readonly destination_type: DestinationType;
  readonly destination_visibility: Visibility;
  readonly destination_ownership: Ownership;
  readonly tenant_provenance: 'verified' | 'asserted' | 'inherited' | 'unknown';
  readonly account_provenance: 'verified' | 'asserted' | 'delegated' | 'shared' | 'unknown';
  readonly client_provenance: Provenance | 'unknown';
  readonly external_write: boolean | 'unknown';
  readonly sensitive_payload: SensitivePayload;
  readonly reversibility: Reversibility;
  readonly enforceability: Enforceability;
};

/** What one part of an action says by itself; the rest of X(a) comes from caller and surface. */
export type PartExternality = Pick<
  Externality,
  | 'destination_type'
  | 'destination_visibility'
  | 'destination_ownership'
  | 'external_write'
  | 'sensitive_payload'
  | 'reversibility'
>;
