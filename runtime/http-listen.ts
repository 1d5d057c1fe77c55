// Where an HTTP server listens: `host:port`, or a unix socket with what was left of an earlier one out of the way.

import { chmod } from 'node:fs/promises';
import type { HttpServer } from './http.ts';
import { clearSocketPath, isUnixAddress } from './rpc-server.ts';

/** Gives the address as bound: `http://host:port`, or `unix:/path`. */
export async function listenHttp(app: HttpServer, address: string): Promise<string> {
  if (!isUnixAddress(address)) {
    const at = address.lastIndexOf(':');
    const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
    return app.listen({ host, port: Number(address.slice(at + 1)) });
  }
  const path = await clearSocketPath(address);
  await app.listen({ path });
  await chmod(path, 0o600);
  return address;
}
