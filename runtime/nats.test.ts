import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { describeWithNats, NatsServer } from '../test/nats-server.ts';
import { type Nats, type NatsOptions, openNats } from './nats.ts';

const folder = mkdtempSync(join(tmpdir(), 'nats-tls-'));
const at = (name: string) => join(folder, name);

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { cwd: folder });
  if (status !== 0) throw new Error(stderr.toString());
}

function certificates(): void {
  const subject = (name: string) => ['-nodes', '-newkey', 'ed25519', '-subj', `/CN=${name}`, '-keyout', `${name}.key`];
  openssl('req', '-x509', ...subject('ca'), '-out', 'ca.pem', '-days', '2');
  for (const name of ['server', 'client']) {
    openssl('req', ...subject(name), '-out', `${name}.csr`, '-addext', 'subjectAltName=DNS:localhost');
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy'];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, '-days', '2', ...signing);
  }
}

describeWithNats('a kept connection', () => {
  let server: NatsServer;
  const opened: Nats[] = [];
  const faults: unknown[] = [];
  const open = (over: Partial<NatsOptions> = {}) => {
    const failed = (error: unknown) => void faults.push(error);
    const nats = openNats({
      servers: [server.address.replace('127.0.0.1', 'localhost')],
      name: 'test',
      failed,
      ...over,
    });
    opened.push(nats);
    return nats;
  };
  const tls = { caFile: at('ca.pem'), certFile: at('client.pem'), keyFile: at('client.key') };
  const who = { user: 'beacon', password: 'right' };
  beforeAll(async () => {
    certificates();
    const files = `cert_file: ${at('server.pem')}, key_file: ${at('server.key')}, ca_file: ${at('ca.pem')}`;
    server = new NatsServer(`tls { ${files}, verify: true }\nauthorization { user: beacon, password: right }`);
    await server.start();
  });
  afterEach(async () => {
    for (const nats of opened.splice(0)) await nats.close();
    faults.length = 0;
  });
  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true });
  });

  it('is made over TLS with a user, and found again after the server was away', async () => {
    const nats = open({ tls, ...who });
    const times: unknown[] = [];
    nats.whenUp((connection) => times.push(connection));
    expect(await nats.connected(5_000), String(faults.at(-1))).toBe(true);
    await server.kill();
    await vi.waitFor(() => expect(nats.connection()).toBeUndefined(), 5_000);
    await server.start();
    expect(await nats.connected(10_000)).toBe(true);
    expect(times).toHaveLength(2);
  });

  it('is refused without certificate, with another authority, without user, with a wrong password; and goes on trying', {
    timeout: 60_000,
  }, async () => {
    const wrong: Partial<NatsOptions>[] = [
      { ...who },
      { tls: { ...tls, caFile: at('client.pem') }, ...who },
      { tls: { caFile: at('ca.pem') }, ...who },
      { tls },
      { tls, user: 'beacon', password: 'wrong' },
    ];
    for (const options of wrong) {
      faults.length = 0;
      const nats = open(options);
      expect(await nats.connected(700)).toBe(false);
      // Some refusals come as silence, and a dial is given up after 5 s.
      await vi.waitFor(() => expect(faults.length, String(options.tls?.caFile)).toBeGreaterThan(0), 7_000);
      await nats.close();
    }
  });

  it('sends what was published before it is closed', async () => {
    const [one, two] = [open({ tls, ...who }), open({ tls, ...who })];
    expect(await one.connected(5_000)).toBe(true);
    expect(await two.connected(5_000)).toBe(true);
    let got = 0;
    two.connection()?.subscribe('x', { callback: () => void got++ });
    await two.connection()?.flush();
    for (let n = 0; n < 1_000; n++) one.connection()?.publish('x', 'y'.repeat(1_000));
    await one.close();
    await vi.waitFor(() => expect(got).toBe(1_000));
    expect(one.connection()).toBeUndefined();
  });

  it('closes within its limit while the server does not read', async () => {
    const nats = open({ tls, ...who });
    expect(await nats.connected(5_000)).toBe(true);
    server.pause();
    nats.connection()?.publish('x', 'y');
    const startedMs = performance.now();
    await nats.close();
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    server.resume();
  });
});
