// Whom a client's certificate names: SPIFFE IDs, one form for an agent and one for a person, within one trust domain.
// A certificate that could name two, or names nobody in one of these forms, names nobody.

import { requireName } from './ids.ts';

export type CertificateIdentity =
  | { readonly kind: 'agent'; readonly tenantId: string; readonly agentId: string }
  /** Opens the door and nothing else: what a person may do comes from a token. */
  | { readonly kind: 'person'; readonly name: string };

/**
 * `spiffe://<trust domain>/beacon/agent/<tenant>/<agent>` or `spiffe://<trust domain>/beacon/person/<name>`, out of the
 * URI and DNS names of a certificate. SPIFFE allows one URI in a certificate; DNS names beside it say nothing here.
 */
export function readCertificateIdentity(
  names: readonly string[],
  trustDomain: string,
): CertificateIdentity | undefined {
  const uris = names.filter((name) => name.includes(':'));
  const [uri] = uris;
  const prefix = `spiffe://${trustDomain}/beacon/`;
  if (uri === undefined || uris.length !== 1 || !uri.startsWith(prefix)) return undefined;
  const parts = uri.slice(prefix.length).split('/');
  if (!parts.every(isName)) return undefined;
  const [kind, first = '', second = ''] = parts;
  if (kind === 'agent' && parts.length === 3) return { kind, tenantId: first, agentId: second };
  if (kind === 'person' && parts.length === 2) return { kind, name: first };
  return undefined;
}

function isName(part: string): boolean {
  try {
    requireName('name', part);
    // SPIFFE knows no '@', and no escape for it.
    return !part.includes('@');
  } catch {
    return false;
  }
}
