// Is this request meant for us, and not sent by a page in somebody's browser? A name that resolves to us but is not
// ours is DNS rebinding; an Origin other than ourselves is a page of someone else's.

import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '::1']);

/** Why the request is refused, or undefined. `localAddress` is the address the connection came in on. */
export function foreignReason(
  headers: IncomingHttpHeaders,
  localAddress: string | undefined,
  allowedHosts: readonly string[],
): string | undefined {
  const host = headers.host;
  if (host === undefined) return 'the Host header is missing';
  const name = hostName(host);
  if (name === undefined || !isOurs(name, localAddress, allowedHosts)) return 'the Host header names another host';
  const origin = headers.origin;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return 'the Origin header names another site';
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'the request was sent by another site';
  return undefined;
}

function isOurs(name: string, localAddress: string | undefined, allowedHosts: readonly string[]): boolean {
  if (LOOPBACK_NAMES.has(name) || allowedHosts.includes(name)) return true;
  // An address in place of a name cannot have been rebound.
  return isIP(name) !== 0 && name === localAddress?.replace(/^::ffff:/, '');
}

/** The name without port, in lower case; undefined when it is not a host. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?$/.exec(host.toLowerCase());
  return match?.[1] ?? match?.[2]?.replace(/\.$/, '');
}
