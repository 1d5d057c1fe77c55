// Evaluates a policy bundle on an input. Pure: (policy digest, data digest, input bytes) → value.

export type PolicySnapshot = {
  /** SHA-256 (hex) over the bundle's Wasm and data: what a decision receipt names. */
  readonly digest: string;
  readonly revision: string;
  /** From then on it must not decide any more; Infinity for a bundle that does not expire. */
  readonly expiresAtMs: number;
  /**
   * The entry point's value, as the policy gave it (undefined when it gave none). Throws `unavailable`-free: any fault
   * inside evaluation is thrown as an Error whose message is safe to keep; the caller turns it into DENY.
   * `input` is UTF-8 JSON of at most MAX_INPUT_BYTES: one object,
   * nothing before or after it.
   */
  evaluate(input: Uint8Array): unknown;
};

export const MAX_INPUT_BYTES = 262_144;

export type PolicyBundle = {
  readonly wasm: Uint8Array;
  /** JSON: the `data` document. */
  readonly data: Uint8Array;
  readonly revision: string;
  /** Inputs that must be denied; one that is not refuses the bundle. At least one. */
  readonly canaries: readonly Uint8Array[];
  /** Absent for a bundle that does not expire. */
  readonly expiresAtMs?: number;
  /**
   * Evaluated, with the canaries, in a thread of its own before anything else is done with the bundle: one that takes too
   * long on `limited`, or never ends on any, is refused while decisions go on. Absent: it is not tried.
   */
  readonly trial?: { readonly limited: readonly Uint8Array[]; readonly unlimited: readonly Uint8Array[] };
};

export type PolicyEngine = {
  /** The active snapshot; throws `unavailable` before the first activation. */
  snapshot(): PolicySnapshot;
  /**
   * Tries it apart where it is to be tried, instantiates, checks builtins and entry point, evaluates the canaries, warms, waits for `beforeSwap`, then swaps by
   * pointer. On any fault throws `failed_precondition`, or what `beforeSwap` threw, and the snapshot before stays.
   */
  activate(bundle: PolicyBundle, beforeSwap?: (checked: PolicySnapshot) => Promise<void>): Promise<PolicySnapshot>;
};
