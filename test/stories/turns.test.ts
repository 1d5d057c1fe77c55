// A loop that runs away ends within its turn: under concurrency, over a restart, by whichever replica it is answered.

import { expect, test } from 'vitest';
import { execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

const LIMIT = 5;

inBothModes(
  (beacond) => {
    const allowed = (answers: readonly { body: Record<string, unknown> }[]) =>
      answers.filter(({ body }) => body.decision === 'ALLOW').length;

    test('so many at once, so many allowed, and the others are told until when', async () => {
      const asked = Array.from({ length: 20 }, () => execute(beacond, { opportunity_id: 'loop' }));
      const answers = await Promise.all(asked);
      expect(allowed(answers)).toBe(LIMIT);
      const denied = answers.find(({ body }) => body.decision === 'DENY')?.body;
      expect(denied?.reasons).toMatchObject([{ rule: 'beacon.budget.turn', code: 'turn_limit' }]);
      const lifts = / it lifts at (\S+Z)\. /.exec(String(denied?.reason))?.[1];
      expect(Date.parse(String(lifts))).toBeGreaterThan(Date.now());
      expect(denied?.receipt_id).toMatch(/^[0-9a-f]{12}-\d+$/);
    });

    test('another turn and another agent go on', async () => {
      expect(allowed([await execute(beacond, { opportunity_id: 'next' })])).toBe(1);
      expect(allowed([await execute(beacond, { opportunity_id: 'loop', agent_id: 'agent-2' })])).toBe(1);
    });

    test('a restart gives nothing back', async () => {
      await beacond.restart('SIGTERM');
      expect(allowed([await execute(beacond, { opportunity_id: 'loop' })])).toBe(0);
    });
  },
  { BEACON_TURN_ACTIONS: `${LIMIT}`, BEACON_TURN_WINDOW_MS: '600000' },
);
