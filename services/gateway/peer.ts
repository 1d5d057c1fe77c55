// Is the caller on this machine, with nothing in between? Only then may it do without a token.

/** What proxies of the day add when they speak for somebody else; some add no more than one of these. */
const FORWARDED = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-envoy-external-address',
  'x-envoy-expected-rq-timeout-ms',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
];

/** `127.0.0.0/8`, `::1` and their mapped forms. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:/, '');
  return plain === '::1' || plain === 'localhost' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}

/** Both ends are loopback and no proxy says that it speaks for somebody else. */
export function isLocalHttp(
  socket: { localAddress?: string | undefined; remoteAddress?: string | undefined },
  headers: Readonly<Record<string, unknown>>,
): boolean {
  if (FORWARDED.some((name) => headers[name] !== undefined)) return false;
  return isLoopback(socket.localAddress) && isLoopback(socket.remoteAddress);
}

/** A gRPC peer: `127.0.0.1:5000`, `[::1]:5000`. A unix socket is not counted: who may reach it is its folder's matter. */
export function isLocalRpc(peer: string, header: (name: string) => string | undefined): boolean {
  if (FORWARDED.some((name) => header(name) !== undefined)) return false;
  const match = /^(?:ipv[46]:)?(?:\[([^\]]+)\]|([^:]+)):\d+$/.exec(peer);
  return isLoopback(match?.[1] ?? match?.[2]);
}
