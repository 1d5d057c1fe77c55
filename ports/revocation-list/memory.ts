// The revocation list in one process's memory. For tests, and the mirror that sqlite.ts consults.

import { BeaconError, invalidArgument } from '../../core/errors.ts';
import type { RevocationEntry, RevocationList, Survey } from './port.ts';

export const MAX_CONSULTED_SCOPES = 64;
/** Revoked tools that a survey names; with more, it names none. */
export const MAX_SURVEYED_TOOLS = 64;

export type RevocationChange = RevocationEntry & { readonly operation: 'revoke' | 'reinstate' };

export class MemoryRevocationList implements RevocationList {
  #epoch: number | undefined;
  #entries = new Map<string, RevocationEntry>();
  /** Those of the entries that are tools: every decision asks for them, however long the list. */
  #tools = new Set<string>();

  async consult(scopes: readonly string[]): Promise<{ epoch: number | undefined; revoked: readonly string[] }> {
    if (scopes.length < 1 || scopes.length > MAX_CONSULTED_SCOPES) {
      throw invalidArgument('scopes', `must be 1 to ${MAX_CONSULTED_SCOPES}`);
    }
    const revoked = this.#entries.size === 0 ? [] : scopes.filter((scope) => this.#entries.has(scope));
    return { epoch: this.#epoch, revoked };
  }

  async survey(scopes: readonly string[]): Promise<Survey> {
    const tools = this.#tools.size > MAX_SURVEYED_TOOLS ? undefined : [...this.#tools];
    return { ...(await this.consult(scopes)), tools };
  }

  async apply(change: RevocationChange): Promise<void> {
    if (!isNews(change.epoch, this.#epoch)) return;
    const { operation, ...entry } = change;
    if (operation === 'revoke') this.#entries.set(entry.scope, entry);
    else this.#entries.delete(entry.scope);
    if (operation === 'revoke' && isTool(entry.scope)) this.#tools.add(entry.scope);
    else this.#tools.delete(entry.scope);
    this.#epoch = entry.epoch;
  }

  async rebuild(entries: readonly RevocationEntry[], epoch: number): Promise<void> {
    requireNotLower(epoch, this.#epoch);
    this.#entries = new Map(entries.map((entry) => [entry.scope, { ...entry }]));
    this.#tools = new Set([...this.#entries.keys()].filter(isTool));
    this.#epoch = epoch;
  }

  async list(): Promise<readonly RevocationEntry[]> {
    return [...this.#entries.values()];
  }

  /** Forgets everything, as a flushed store would. */
  flush(): void {
    this.#epoch = undefined;
    this.#entries.clear();
    this.#tools.clear();
  }
}

/**
 * Whether a change is newer than the list. A list without an epoch, or with one that is not the change before, takes none
 * (`failed_precondition`): one entry on top of forgotten ones would pass for the whole truth and un-revoke the rest. It
 * must be rebuilt first.
 */
export function isNews(epoch: number, known: number | undefined): boolean {
  if (known === undefined) {
    throw new BeaconError('failed_precondition', 'the revocation list has no epoch; rebuild it from the ledger first');
  }
  if (epoch > known + 1) {
    throw new BeaconError(
      'failed_precondition',
      `the revocation list is at epoch ${known}; rebuild it before ${epoch}`,
    );
  }
  return epoch > known;
}

/** A rebuild from a ledger older than the list is refused with `failed_precondition`: it would un-revoke. */
export function requireNotLower(epoch: number, known: number | undefined): void {
  if (known !== undefined && epoch < known) {
    throw new BeaconError('failed_precondition', `the revocation list is at epoch ${known}, not below ${epoch}`);
  }
}

function isTool(scope: string): boolean {
  return scope.startsWith('tool:');
}
