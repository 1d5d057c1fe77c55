// Tenant keys derived from one master key, so that nothing has to be stored for a new tenant.

import { createHmac } from 'node:crypto';
import type { TenantKeys } from './port.ts';

/** Derived keys kept in memory; the oldest is dropped and derived again when needed. */
const MAX_CACHED_TENANTS = 1_024;
export const MASTER_KEY_BYTES = 32;

export class HmacTenantKeys implements TenantKeys {
  readonly #master: Uint8Array;
  readonly #keys = new Map<string, Buffer>();

  /** `master`: 32 bytes from a secure random source. */
  constructor(master: Uint8Array) {
    if (master.length !== MASTER_KEY_BYTES) throw new RangeError(`a master key has ${MASTER_KEY_BYTES} bytes`);
    this.#master = master;
  }

  digest(tenantId: string, text: string): string {
    return createHmac('sha256', this.#keyOf(tenantId)).update(text, 'utf8').digest('hex');
  }

  #keyOf(tenantId: string): Buffer {
    const known = this.#keys.get(tenantId);
    if (known) return known;
    const key = createHmac('sha256', this.#master).update(`beacon tenant key v1\n${tenantId}`).digest();
    if (this.#keys.size >= MAX_CACHED_TENANTS) this.#keys.delete(this.#keys.keys().next().value as string);
    this.#keys.set(tenantId, key);
    return key;
  }
}
