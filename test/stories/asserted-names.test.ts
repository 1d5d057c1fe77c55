// Names that callers without a token make up leave so many rows and no more, and cost nobody his own.

import { expect, test } from 'vitest';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

const PLACES = 6;

inBothModes(
  (beacond) => {
    const known: string[] = [];
    const scored = async () => {
      const { body } = await call(beacond, 'GET', '/api/scalar?limit=1000', undefined, beacond.adminToken);
      return body.scores as { agent_id: string; tenant_id: string; valid_receipts: number }[];
    };

    test('so many names at once, so many decided on, and the others are told why', async () => {
      const flood = Array.from({ length: 30 }, (_, n) => ({ agent_id: `made-up-${n}`, tenant_id: `t${n % 3}` }));
      const answers = await Promise.all(flood.map((names) => execute(beacond, names)));
      known.push(...flood.filter((_, at) => answers[at]?.status === 200).map(({ agent_id }) => agent_id));
      expect(known.length).toBeLessThanOrEqual(PLACES);
      // One is taken by whoever looked whether decisions come through.
      expect(known.length).toBeGreaterThanOrEqual(PLACES - 1);
      const refused = answers.find(({ status }) => status !== 200);
      expect(refused).toMatchObject({ status: 403, body: { code: 'permission_denied', field: 'agent_id' } });
      const rows = await scored();
      expect(rows.length).toBeLessThanOrEqual(PLACES);
      expect(rows.filter(({ agent_id }) => known.includes(agent_id))).toHaveLength(known.length);
    });

    test('whoever is known goes on, and a name with a token needs no place', async () => {
      const at = Number(known[0]?.slice('made-up-'.length));
      expect((await execute(beacond, { agent_id: known[0], tenant_id: `t${at % 3}` })).status).toBe(200);
      const { body } = await call(
        beacond,
        'POST',
        '/api/agents/minted/tokens',
        { tenant_id: 't0' },
        beacond.adminToken,
      );
      const own = await execute(beacond, { agent_id: 'minted', tenant_id: 't0' }, body.token as string);
      expect(own).toMatchObject({ status: 200, body: { decision: 'ALLOW' } });
      expect((await scored()).find(({ agent_id }) => agent_id === 'minted')?.valid_receipts).toBeGreaterThan(0);
    });

    test('a restart frees no place', async () => {
      await beacond.restart('SIGTERM');
      expect((await execute(beacond, { agent_id: 'one-more', tenant_id: 't0' })).status).toBe(403);
      const at = Number(known[1]?.slice('made-up-'.length));
      expect((await execute(beacond, { agent_id: known[1], tenant_id: `t${at % 3}` })).status).toBe(200);
    });
  },
  { BEACON_ASSERTED_NAMES: `${PLACES}` },
);
