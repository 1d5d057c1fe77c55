// Explaining leaves no trace: the ledger does not grow, the agent's budget is not touched, and no idempotency key is claimed.

import { expect, test } from 'vitest';
import { call } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

const RATE = 5;

inBothModes(
  (beacon) => {
    const about = (command: string, more: object = {}) => ({
      ...{ agent_id: 'explained', tenant_id: 'local', surface: 'api' },
      action: { kind: 'shell', command, cwd: '/w' },
      context: { cwd: '/w', workspace: '/w' },
      ...more,
    });
    const post = (path: string, body: unknown, token?: string) => call(beacon, 'POST', path, body, token);
    /** Leaves of every log there is: with several signers the decisions are spread over them. */
    const leaves = async () => {
      const logs = (await call(beacon, 'GET', '/api/logs')).body as unknown as { size: number }[];
      return logs.reduce((sum, { size }) => sum + size, 0);
    };

    test('each part with its X(a), each field with its source, and what would change the route', async () => {
      const before = await leaves();
      const { body } = await post('/api/explain', about('ls && git push'), beacon.adminToken);
      const { parts, changes } = body as unknown as Record<'parts' | 'changes', Record<string, object>[]>;
      expect(body).toMatchObject({ route: 'APPROVAL', changes_complete: true });
      expect(parts.map(({ route }) => route)).toEqual(['ALLOW', 'APPROVAL']);
      for (const { externality = {}, derived_from: from = {} } of [...parts, body as Record<string, object>]) {
        expect([Object.keys(externality).length, Object.keys(from)]).toEqual([10, Object.keys(externality)]);
      }
      expect(changes).toContainEqual(expect.objectContaining({ fact: 'dry_run', route: 'ALLOW', direction: 'milder' }));
      expect(changes).toContainEqual(expect.objectContaining({ fact: 'part', route: 'ALLOW', parts: [2] }));
      expect(await leaves()).toBe(before);
    });

    test('no receipt, no budget, no key', async () => {
      const before = await leaves();
      for (let i = 0; i < 3 * RATE; i += 1) {
        const { status, body } = await post('/api/explain', about('ls', { idempotency_key: 'one' }));
        expect([status, body.route, body.would_run]).toEqual([200, 'ALLOW', true]);
        expect(body).not.toHaveProperty('decision');
      }
      const { body: denied } = await post('/api/explain', about('rm -rf /'), beacon.adminToken);
      expect(denied).toMatchObject({
        route: 'DENY',
        would_run: false,
        parts: [{ tool: 'rm', effect: 'disk_destroy' }],
      });
      // Execute's shape, judged the same.
      const { action: _, ...who } = about('');
      expect((await post('/api/explain', { ...who, code: 'rm -rf /' })).body.fingerprint).toBe(denied.fingerprint);
      expect(await leaves()).toBe(before);
      // All of the budget is there for what is decided, and the key is nobody's yet.
      const first = await post('/api/guard', about('ls', { idempotency_key: 'one' }));
      expect(first.body).toMatchObject({ decision: 'ALLOW' });
      expect(first.body).not.toHaveProperty('repeated_answer');
      for (let i = 1; i < RATE; i += 1) {
        expect((await post('/api/guard', about('ls'))).body.decision).toBe('ALLOW');
      }
      expect((await post('/api/guard', about('ls'))).body.decision).toBe('DENY');
      expect((await post('/api/explain', about('ls'))).body.route).toBe('ALLOW');
      expect(await leaves()).toBe(before + RATE + 1);
    });
  },
  { BEACON_AGENT_RATE: String(RATE) },
);
