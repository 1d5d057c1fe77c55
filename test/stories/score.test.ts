// The score is what the ledger says: recomputed from the leaves alone it is the same, factor by factor; what is not
// qualified raises the total and nothing else.

import { beforeAll, expect, test, vi } from 'vitest';
import { parseJwks } from '../../core/jwk.ts';
import { computeScore } from '../../core/trust-score/score.ts';
import { addReceipt, addUnqualified, emptyTally } from '../../core/trust-score/tally.ts';
import { importFinding, parseDay, receiptView } from '../../core/trust-score/view.ts';
import { verifyReceipt } from '../../core/verify.ts';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

inBothModes((beacond) => {
  let token: string;
  beforeAll(async () => {
    const minted = await call(beacond, 'POST', '/api/agents/scored/tokens', { tenant_id: 'local' }, beacond.adminToken);
    token = minted.body.token as string;
  });
  type Score = {
    score: number;
    band: string;
    total_receipts: number;
    valid_receipts: number;
    factors: { name: string; points: number; explanation: string; receipts: number }[];
    unqualified: { reason: string; count: number }[];
    as_of: string;
  };
  const scoreOf = async (agent: string): Promise<Score> => {
    const answer = await call(beacond, 'GET', `/api/scalar/${agent}?tenant_id=local`, undefined, beacond.adminToken);
    expect(answer.status).toBe(200);
    return answer.body as unknown as Score;
  };
  /** The score once it rests on so many receipts: who scores by a stream is a moment behind the ledger. */
  const scoreAt = (agent: string, receipts: number): Promise<Score> =>
    vi.waitFor(
      async () => {
        const score = await scoreOf(agent);
        expect(score.total_receipts).toBe(receipts);
        return score;
      },
      { timeout: 20_000, interval: 100 },
    );
  const importReceipts = (receipts: unknown[]) =>
    call(beacond, 'POST', '/api/receipts', { tenant_id: 'local', agent_id: 'scored', receipts }, beacond.adminToken);

  test('an agent without qualified receipts stands at 300', async () => {
    const score = await scoreOf('nobody');
    expect(score).toMatchObject({ score: 300, band: 'poor', total_receipts: 0, valid_receipts: 0 });
  });

  test('good conduct raises the score, and 300 plus all points is the score', async () => {
    for (let i = 0; i < 30; i += 1) {
      const { body } = await execute(beacond, { agent_id: 'scored', code: 'ls' }, token);
      expect(body.decision).toBe('ALLOW');
      const closed = await call(
        beacond,
        'POST',
        `/api/actions/${body.action_id}/outcome`,
        { status: 'succeeded' },
        token,
      );
      expect(closed.status).toBe(200);
    }
    const score = await scoreAt('scored', 90);
    expect(score.score).toBeGreaterThan(300);
    expect(score.valid_receipts).toBe(90);
    const points = score.factors.reduce((sum, factor) => sum + factor.points, 0);
    expect(score.score).toBe(Math.max(300, Math.min(850, 300 + points)));
  });

  test('unsigned, forged and unlogged receipts raise the total, not the valid count, and the answer says why', async () => {
    const { body } = await execute(beacond, { agent_id: 'scored', code: 'ls' }, token);
    const real = body.receipt as { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] };
    const before = await scoreAt('scored', 92);
    const sig = Buffer.from(real.signatures[0]?.sig as string, 'base64');
    sig[5] = (sig[5] as number) ^ 1;
    const unsigned = { ...real, signatures: [] };
    const forged = { ...real, signatures: [{ ...real.signatures[0], sig: sig.toString('base64') }] };
    const answer = await importReceipts([unsigned, forged, { not: 'a receipt' }]);
    expect(answer.status).toBe(200);
    const after = await scoreAt('scored', before.total_receipts + 3);
    expect(after.valid_receipts).toBe(before.valid_receipts);
    expect(after.score).toBe(before.score);
    const reasons = after.unqualified.map(({ reason }) => reason);
    expect(reasons).toEqual(expect.arrayContaining(['unsigned', 'bad_signature', 'malformed']));
  });

  test('emitting a score is for the admin and moves no score', async () => {
    const before = await scoreOf('scored');
    const emit = (as?: string) =>
      call(beacond, 'POST', '/api/scalar/emit', { tenant_id: 'local', agent_id: 'scored' }, as);
    expect((await emit(token)).status).toBe(403);
    expect((await emit(beacond.adminToken)).status).toBe(200);
    expect(await scoreOf('scored')).toEqual(before);
  });

  test('conduct under an asserted name moves no minted score', async () => {
    const before = await scoreOf('scored');
    const { status } = await execute(beacond, { agent_id: 'scored', code: 'rm -rf /' });
    expect(status).toBe(403);
    expect(await scoreOf('scored')).toEqual(before);
  });

  test('recomputed from the ledger alone it is the same number, factor by factor', async () => {
    const score = await scoreOf('scored');
    const auth = { headers: { authorization: `Bearer ${beacond.adminToken}` } };
    const jwks = await fetch(`${beacond.http}/.well-known/jwks.json`);
    const keys = parseJwks(new Uint8Array(await jwks.arrayBuffer()));
    const logs = (await call(beacond, 'GET', '/api/logs')).body as unknown as {
      origin: string;
      prefix: string;
      size: number;
    }[];
    let tally = emptyTally();
    const signers = logs.filter(({ origin }) => origin.includes('receipt-signer'));
    expect(signers.length).toBeGreaterThan(0);
    const leaves = await Promise.all(signers.map((log) => entriesOf(log, auth)));
    for (const leaf of leaves.flat()) {
      const receipt = verifyReceipt(leaf, keys);
      if (receipt.agentId !== 'scored') continue;
      const view = receiptView(receipt);
      if (view) tally = addReceipt(tally, view);
      const finding = receipt.kind === 'import' ? importFinding(receipt) : undefined;
      if (finding) tally = addUnqualified(tally, finding.reason, finding.day);
    }
    const again = computeScore(tally, parseDay(score.as_of) as number);
    expect(again.score).toBe(score.score);
    expect(again.totalReceipts).toBe(score.total_receipts);
    expect(again.validReceipts).toBe(score.valid_receipts);
    expect(again.factors.map(({ name, points }) => ({ name, points }))).toEqual(
      score.factors.map(({ name, points }) => ({ name, points })),
    );
  });

  /** Every leaf of a log, from its C2SP entry bundles. */
  async function entriesOf(log: { prefix: string; size: number }, auth: RequestInit): Promise<Uint8Array[]> {
    const base = new URL(log.prefix, beacond.http).href.replace(/\/$/, '');
    const leaves: Uint8Array[] = [];
    for (let bundle = 0; bundle * 256 < log.size; bundle += 1) {
      const width = Math.min(256, log.size - bundle * 256);
      const path = `${base}/tile/entries/${String(bundle).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`;
      const response = await fetch(path, auth);
      expect(response.status).toBe(200);
      const bytes = Buffer.from(await response.arrayBuffer());
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt16BE(at);
        leaves.push(bytes.subarray(at + 2, at + 2 + length));
        at += 2 + length;
      }
    }
    expect(leaves.length).toBe(log.size);
    return leaves;
  }
});
