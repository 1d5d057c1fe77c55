// The list every decision consults. It carries an epoch that only grows; absence of a key is no proof of innocence.

export type RevocationEntry = {
  readonly scope: string;
  readonly revocationId: string;
  readonly epoch: number;
};

export type Survey = {
  readonly epoch: number | undefined;
  readonly revoked: readonly string[];
  readonly tools: readonly string[] | undefined;
};

export type RevocationList = {
  /**
   * One round trip: the list's epoch and which of `scopes` (1 to 64) are revoked. An undefined epoch means the list is
   * empty of knowledge (new, flushed): the caller denies.
   */
  consult(
    scopes: readonly string[],
  ): Promise<{ readonly epoch: number | undefined; readonly revoked: readonly string[] }>;
  /**
   * As `consult`, for who does not know yet which tools will be used: with every `tool:` scope in force as of the same
   * moment. `tools` is undefined where there are more than 64, or the list does not say: ask by name then.
   */
  survey(scopes: readonly string[]): Promise<Survey>;
  /**
   * Applies one change. An epoch at or below the list's is ignored (a late or repeated message), so that nothing
   * older undoes something newer. A list without an epoch, or more than one epoch behind (restored from an old copy, or
   * a change was lost), throws `failed_precondition` (rebuild it first): one entry on top of forgotten ones would pass
   * for the whole truth. Persisted before it resolves.
   */
  apply(change: RevocationEntry & { readonly operation: 'revoke' | 'reinstate' }): Promise<void>;
  /**
   * Replaces the whole list at once; an epoch below the list's throws `failed_precondition`. For the kill-switch, from
   * its ledger. Persisted before it resolves.
   */
  rebuild(entries: readonly RevocationEntry[], epoch: number): Promise<void>;
  /** Scopes in force. */
  list(): Promise<readonly RevocationEntry[]>;
};
