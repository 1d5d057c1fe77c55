// A client nobody here wrote (grpcurl) finds the services by reflection, asks their health, and gets a decision.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http2 from 'node:http2';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { call } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

const run = promisify(execFile);
inBothModes((beacond) => {
  async function grpcurl(...args: string[]): Promise<string> {
    const { stdout } = await run('grpcurl', ['-plaintext', ...args]);
    return stdout;
  }

  const proposal = (agent: string, command: string) =>
    JSON.stringify({ proposal: { tenantId: 'local', agentId: agent, actions: [{ shell: { command, cwd: '/w' } }] } });

  test('reflection lists what agents may reach, and neither signer nor kill switch', async () => {
    const services = (await grpcurl(beacond.grpc, 'list')).trim().split('\n');
    expect(services).toContain('beacon.v1.DecisionService');
    expect(services).toContain('grpc.health.v1.Health');
    expect(services.some((name) => /Signer|KillSwitch/.test(name))).toBe(false);
  });

  test('health is SERVING', async () => {
    expect(JSON.parse(await grpcurl(beacond.grpc, 'grpc.health.v1.Health/Check'))).toEqual({ status: 'SERVING' });
  });

  test('the same proposal over gRPC and HTTP has the same decision and fingerprint', async () => {
    for (const command of ['ls', 'rm -rf /', 'git push origin main']) {
      const overGrpc = JSON.parse(
        await grpcurl('-d', proposal('g', command), beacond.grpc, 'beacon.v1.DecisionService/Guard'),
      ).answer;
      const overHttp = await call(beacond, 'POST', '/api/guard', {
        agent_id: 'g',
        tenant_id: 'local',
        surface: 'api',
        action: { kind: 'shell', command, cwd: '/w' },
      });
      expect(overGrpc.route).toBe(`ROUTE_${overHttp.body.route}`);
      expect(overGrpc.fingerprint).toBe(overHttp.body.fingerprint);
    }
  });

  test('a text with a NUL is refused, as over HTTP', async () => {
    const ask = grpcurl('-d', proposal('g', 'cat /etc/shadow\0.md'), beacond.grpc, 'beacon.v1.DecisionService/Guard');
    await expect(ask).rejects.toThrow(/action\.command: holds a NUL/);
  });

  test('who may not call is told so before the message is received', async () => {
    const session = http2.connect(`http://${beacond.grpc}`);
    const started = session.request({
      ':method': 'POST',
      ':path': '/beacon.v1.DecisionService/Guard',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: 'Bearer nonsense',
    });
    started.on('error', () => undefined);
    const status = once(started, 'response').then(([headers]) => headers['grpc-status']);
    // Three megabytes are announced, and none of them comes.
    started.write(Buffer.from([0, 0, 0x2d, 0xc6, 0xc0]));
    expect(await Promise.race([status, setTimeout(5_000, 'no answer')])).toBe('16');
    session.destroy();
  });

  test('an agent’s token binds it over gRPC too', async () => {
    const minted = await call(beacond, 'POST', '/api/agents/bound/tokens', { tenant_id: 'local' }, beacond.adminToken);
    const header = `authorization: Bearer ${minted.body.token}`;
    const ask = (agent: string, ...extra: string[]) =>
      grpcurl(...extra, '-d', proposal(agent, 'ls'), beacond.grpc, 'beacon.v1.DecisionService/Execute');
    expect(JSON.parse(await ask('bound', '-H', header)).answer.clientProvenance).toBe(
      'CLIENT_PROVENANCE_AUTHENTICATED',
    );
    await expect(ask('other', '-H', header)).rejects.toThrow(/PermissionDenied/);
    await expect(ask('bound')).rejects.toThrow(/PermissionDenied/);
    await expect(ask('bound', '-H', 'authorization: Bearer bcn_agent_wrong')).rejects.toThrow(/Unauthenticated/);
  });
});
