// What is told of the active policy bundle, and what an admin may ask for: the face of policy-activation.ts.

import type { CallContext } from '../../core/principal.ts';

export type PolicyRefusalSeen = { readonly reason: string; readonly message: string; readonly atMs: number };

export type PolicyStatus = {
  readonly name: string;
  readonly digest: string;
  readonly revision: string;
  /** 0 for the built-in bundle. */
  readonly version: number;
  /** Infinity for the built-in bundle. */
  readonly expiresAtMs: number;
  /** Empty for the built-in bundle. */
  readonly receiptId: string;
  /** Why what lies in the source now was not activated. */
  readonly refused: PolicyRefusalSeen | undefined;
};

export type PolicyControl = {
  status(): PolicyStatus;
  /** Looks now, on an admin's word. Throws PolicyRefused. Resolves to whether another bundle decides from now on. */
  activate(force: boolean, call: CallContext): Promise<boolean>;
};
