// Where signed policy bundles come from, and where the last activated one is kept. Bytes only: nothing here is trusted
// before core/policy-manifest.ts has verified it.

export type SignedFiles = {
  /** The signed manifest; undefined when there is none. */
  readonly envelope: Uint8Array | undefined;
  /** Every other file by its name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
};

export type PolicySource = {
  /** Stands in the receipt of what was activated from it. */
  readonly kind: 'folder' | 'http';
  /**
   * Changes when what read() gives may have changed; cheap. Throws what read() would throw where that is known already;
   * as a text the same for as long as nothing changes.
   */
  stamp(): Promise<string>;
  /**
   * Undefined when nothing is there at all. `stamp`, just given by stamp(), allows an answer as of then; without it the
   * place is asked now. Throws PolicyRefused `unreadable`, `unreachable`, `too_large`, or for a name no bundle can have.
   */
  read(stamp?: string): Promise<SignedFiles | undefined>;
  /** Calls `changed` soon after a change, and now and then without one. Gives what stops it. */
  watch(changed: () => void): () => void;
};

/** `id`: the manifestId(). */
export type KeptPolicy = SignedFiles & { readonly version: number; readonly id: string };

/** Survives restarts: the version none may fall behind, and the bundle to go on with when the source is spoiled. */
export type PolicyKeep = {
  load(): Promise<KeptPolicy | undefined>;
  /** On disk before it resolves. Replaces what was kept; never half. */
  save(kept: KeptPolicy): Promise<void>;
};
