// Where Redis is, from the environment: one address, or sentinels that know the primary's. What is given and would not be
// used is a fault, not ignored.

import type { EnvReader } from '../runtime/env.ts';
import { Secret } from '../runtime/log.ts';

const ADDRESS = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$/;
const NAME = /^[A-Za-z0-9._-]{1,128}$/;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;

export type RedisPlace = {
  readonly address?: { readonly host: string; readonly port: number };
  readonly sentinels?: readonly { readonly host: string; readonly port: number }[];
  /** Of the primary, as the sentinels call it. */
  readonly name?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: Secret;
  readonly username?: string;
  readonly password?: Secret;
  readonly tls: boolean;
};

/** Undefined when neither a URL nor sentinels are given. */
export function readRedis(reader: EnvReader): RedisPlace | undefined {
  const url = reader.secret('BEACON_REDIS_URL', {
    doc: 'redis://[user:password@]host:port or rediss://…; with sentinels the host is the primary’s name, or leave it out.',
  });
  const sentinels = reader.list('BEACON_REDIS_SENTINELS', ADDRESS, {
    doc: 'Sentinels (host:port) to ask for the primary; comma-separated.',
  });
  const name = reader.text('BEACON_REDIS_SENTINEL_NAME', '', {
    doc: 'What the sentinels call the primary. mymaster unless told otherwise.',
  });
  const sentinelUsername = reader.text('BEACON_REDIS_SENTINEL_USERNAME', '', {
    doc: 'ACL user at the sentinels, where they ask for one.',
  });
  const sentinelPassword = reader.secret('BEACON_REDIS_SENTINEL_PASSWORD', { doc: 'Password at the sentinels.' });
  const parsed = url && parse(url);
  if (url && !parsed) reader.fault('BEACON_REDIS_URL', 'must be redis://[user:password@]host[:port] or rediss://…');
  if (name !== '' && !NAME.test(name)) reader.fault('BEACON_REDIS_SENTINEL_NAME', 'is not a name');
  if (sentinels.length === 0) {
    const only = 'is only for BEACON_REDIS_SENTINELS';
    if (name !== '') reader.fault('BEACON_REDIS_SENTINEL_NAME', only);
    if (sentinelUsername !== '') reader.fault('BEACON_REDIS_SENTINEL_USERNAME', only);
    if (sentinelPassword) reader.fault('BEACON_REDIS_SENTINEL_PASSWORD', only);
    return parsed && { ...parsed.credentials, tls: parsed.tls, address: { host: parsed.host, port: parsed.port } };
  }
  const primary = name === '' ? 'mymaster' : name;
  if (parsed && (parsed.host !== primary || parsed.hasPort)) {
    reader.fault('BEACON_REDIS_URL', `must name ${primary}, without a port: the sentinels say where that is`);
  }
  return {
    sentinels: sentinels.map(placeOf),
    name: primary,
    ...(sentinelUsername === '' ? {} : { sentinelUsername }),
    ...(sentinelPassword ? { sentinelPassword } : {}),
    ...parsed?.credentials,
    tls: parsed?.tls ?? false,
  };
}

function parse(url: Secret) {
  const text = url.reveal();
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (!['redis:', 'rediss:'].includes(protocol) || hostname === '') return undefined;
  if (!['', '/'].includes(pathname) || search !== '' || hash !== '') return undefined;
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || REDIS_PORT),
    hasPort: port !== '',
    tls: protocol === 'rediss:',
    credentials: {
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: new Secret(decodeURIComponent(password)) }),
    },
  };
}

function placeOf(address: string): { host: string; port: number } {
  const at = /^(.*?)(?::([0-9]{1,5}))?$/.exec(address);
  const isBare = address.endsWith(']');
  const host = isBare ? address : (at?.[1] ?? address);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: isBare ? SENTINEL_PORT : Number(at?.[2] ?? SENTINEL_PORT) };
}
