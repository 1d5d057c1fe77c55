// Keyed digests: what may be guessable is kept only as an HMAC under a key of its tenant.

export type TenantKeys = {
  /** HMAC-SHA-256 of UTF-8 text under the tenant's key, 64 hex digits. The same text in two tenants differs. */
  digest(tenantId: string, text: string): string;
};
