// Receipts on the command line: verified offline, listed, shown, saved, followed.

import { join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatVkey, noteKey } from '../../core/ledger/note.ts';
import {
  jwks,
  LOG_ID,
  ORIGIN,
  proofOf,
  receiptSigner,
  sealReceipt,
  sealReceipts,
  vkey,
} from '../../test/sealed-log.ts';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

const leaves = sealReceipts(5);
const envelope = (index: number) => JSON.parse(Buffer.from(leaves[index] as Uint8Array).toString());

let stub: StubBeacon;
const beacon: StubBeacon['beacon'] = (argv, given) => stub.beacon(argv, given);

beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => stub.reset());

describe('verify', () => {
  const keys = async () => [
    '--key',
    await stub.save('jwks.json', jwks),
    '--key',
    await stub.save('log.vkey', `${vkey}\n`),
  ];
  const offline = { env: {} };

  test('offline, from keys and a proof', async () => {
    const receipt = await stub.save('r.json', leaves[3] as Uint8Array);
    const proof = await stub.save('r.tlog-proof', proofOf(3, leaves));
    const { exit, out } = await beacon(['verify', receipt, ...(await keys()), '--proof', proof], offline);
    expect(exit).toBe(0);
    expect(out).toContain('✔ verified  decision 0123456789ab-3');
    expect(out).toContain(`leaf 3 of 5 in ${ORIGIN}`);
    const json = await beacon(['verify', receipt, ...(await keys()), '--proof', proof, '--json'], offline);
    expect(JSON.parse(json.out)).toMatchObject({
      verified: true,
      results: [{ in_ledger: true, index: 3, tree_size: 5 }],
    });
    expect(stub.seen).toEqual([]);
  });

  test('stdin, several files, a vkey given as it is', async () => {
    const receipt = await stub.save('r.json', leaves[3] as Uint8Array);
    const argv = ['verify', '-', receipt, '--key', join(stub.folder, 'jwks.json'), '--key', vkey];
    expect((await beacon(argv, { ...offline, stdin: leaves[0] as Uint8Array })).exit).toBe(0);
  });

  test('the list of logs as Beacon publishes it is a key file', async () => {
    const receipt = await stub.save('r.json', leaves[3] as Uint8Array);
    const proof = await stub.save('r.tlog-proof', proofOf(3, leaves));
    const argv = async (logs: unknown) => {
      const file = await stub.save('logs.json', JSON.stringify(logs));
      return ['verify', receipt, '--proof', proof, '--key', join(stub.folder, 'jwks.json'), '--key', file];
    };
    expect((await beacon(await argv([{ origin: ORIGIN, vkey }]), offline)).exit).toBe(0);
    const without = await beacon(await argv([{ origin: ORIGIN }]), offline);
    expect(without.exit).toBe(1);
    expect(without.err).toContain('malformed');
  });

  test('keys are not taken over the network in clear: whoever is on the way could give theirs', async () => {
    const receipt = await stub.save('r.json', leaves[3] as Uint8Array);
    const { exit, err } = await beacon(['verify', receipt, '--key', 'http://keys.example/jwks.json'], offline);
    expect(exit).toBe(2);
    expect(err).toContain('https is needed beyond loopback');
  });

  test('a file that bears the name of a vkey does not stand in for it', async () => {
    const name = `test/${relative(join(process.cwd(), 'test'), stub.folder)}/log`;
    const named = formatVkey(noteKey(name, new Uint8Array(32).fill(9)));
    await stub.save(named.slice(named.lastIndexOf('/') + 1), `${vkey}\n`);
    const receipt = await stub.save('r.json', leaves[3] as Uint8Array);
    const proof = await stub.save('r.tlog-proof', proofOf(3, leaves));
    const argv = ['verify', receipt, '--proof', proof, '--key', join(stub.folder, 'jwks.json'), '--key', named];
    expect(await beacon(argv, offline)).toMatchObject({ exit: 1, err: /unknown_key/ });
  });

  test('refusals: 1 and the code', async () => {
    const good = Buffer.from(leaves[3] as Uint8Array).toString();
    const proof = await stub.save('r.tlog-proof', proofOf(3, leaves));
    const cases: [string, string[], string][] = [
      [`${good}\n`, [], 'non_canonical'],
      [good.replace('"sig":"', '"sig":"A').slice(0, -1), [], 'malformed'],
      [Buffer.from(leaves[2] as Uint8Array).toString(), ['--proof', proof], 'not_included'],
    ];
    for (const [text, more, code] of cases) {
      const file = await stub.save('bad.json', text);
      const { exit, out, err } = await beacon(['verify', file, ...(await keys()), ...more, '--json'], offline);
      expect(exit).toBe(1);
      expect(JSON.parse(out)).toMatchObject({ verified: false, code });
      expect(err).toContain(`: ${code}: `);
    }
    const receipt = await stub.save('r.json', good);
    const jwksOnly = ['--key', join(stub.folder, 'jwks.json')];
    expect((await beacon(['verify', receipt, '--proof', proof, ...jwksOnly], offline)).err).toContain('unknown_key');
    const renamed = await stub.save('renamed.json', jwks.replace('"kid":"', '"kid":"x'));
    expect(await beacon(['verify', receipt, '--key', renamed], offline)).toMatchObject({
      exit: 1,
      err: /keyid_mismatch/,
    });
  });

  test('what cannot both be true is refused, though each verifies: two receipts of one id, two trees of one size', async () => {
    const [, , , fourth, fifth] = leaves as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const again = sealReceipt(3, receiptSigner, { agent_id: 'somebody-else' });
    const files = [await stub.save('one.json', fourth), await stub.save('two.json', again)];
    const twice = await beacon(['verify', ...files, ...(await keys()), '--json'], offline);
    expect(twice.exit).toBe(1);
    expect(JSON.parse(twice.out)).toMatchObject({
      verified: false,
      code: 'inconsistent',
      results: [{ verified: false }, { verified: false }],
    });
    expect((await beacon(['verify', files[1] as string, ...(await keys())], offline)).exit).toBe(0);

    const other = [...leaves.slice(0, 3), again, fifth];
    const proofs = [
      '--proof',
      await stub.save('one.tlog-proof', proofOf(3, leaves)),
      '--proof',
      await stub.save('two.tlog-proof', proofOf(4, other)),
    ];
    const receipts = [files[0] as string, await stub.save('three.json', fifth)];
    const forked = await beacon(['verify', ...receipts, ...(await keys()), ...proofs], offline);
    expect(forked).toMatchObject({ exit: 1, err: expect.stringContaining('three.json: inconsistent: ') });
    expect((await beacon(['verify', files[0] as string, files[0] as string, ...(await keys())], offline)).exit).toBe(0);
  });

  test('wrong usage: 2; keys of the running Beacon when none are named', async () => {
    const receipt = await stub.save('r.json', leaves[3] as Uint8Array);
    expect((await beacon(['verify', join(stub.folder, 'none'), ...(await keys())], offline)).exit).toBe(2);
    expect((await beacon(['verify', receipt, '--key', join(stub.folder, 'none')], offline)).exit).toBe(2);
    const uneven = await beacon(['verify', receipt, receipt, ...(await keys()), '--proof', receipt], offline);
    expect(uneven).toMatchObject({ exit: 2, err: expect.stringContaining('1 proof for 2 receipts') });
    expect((await beacon(['verify', receipt], offline)).exit).toBe(3);
    expect((await beacon(['verify', receipt])).exit).toBe(0);
    expect((await beacon(['verify', receipt, '--key', `${stub.url}/.well-known/jwks.json`])).exit).toBe(0);
    // A key's address is somebody's: no token goes there.
    expect(stub.seen.at(-1)?.authorization).toBeUndefined();
  });
});

describe('receipts and tail', () => {
  const listing = (indices: number[]) => ({
    receipts: indices.map((index) => ({ receipt_id: `${LOG_ID}-${index}`, index, receipt: envelope(index) })),
    next: 5,
    size: 5,
  });

  test('lists, shows, and saves the exact bytes with their proof', async () => {
    stub.answers['GET /api/receipts'] = { body: { ...listing([4, 3]), next: 0 } };
    stub.answers[`GET /api/receipts/${LOG_ID}-3`] = { body: leaves[3] };
    stub.answers[`GET /api/receipts/${LOG_ID}-3/proof`] = { body: proofOf(3, leaves) };
    const list = await beacon(['receipts', '--agent', 'agent-3']);
    expect(list.out).toMatch(/0123456789ab-4 .*DENY destructive/);
    expect(stub.seen[0]?.url).toBe('/api/receipts?agent_id=agent-3&limit=20&reverse=true');
    const [out, proof] = [join(stub.folder, 'saved.json'), join(stub.folder, 'saved.tlog-proof')];
    expect((await beacon(['receipts', `${LOG_ID}-3`, '--out', out, '--proof', proof])).exit).toBe(0);
    expect((await beacon(['verify', out, '--proof', proof])).exit).toBe(0);
    expect((await beacon(['receipts', `${LOG_ID}-3`, '--json'])).bytes).toEqual(Buffer.from(leaves[3] as Uint8Array));
    expect(await beacon(['receipts', `${LOG_ID}-9`])).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/not_found/),
    });
    expect((await beacon(['receipts', '../etc'])).exit).toBe(2);
  });

  test('lists the newest that fit, behind pages of others too', async () => {
    const page = (start: string, indices: number[], next: number) => {
      const body = { ...listing(indices), next, size: 9_000 };
      stub.answers[`GET /api/receipts?agent_id=a&${start}limit=2&reverse=true`] = { body };
    };
    page('', [], 6_952);
    page('start=6952&', [4], 4_904);
    stub.answers['GET /api/receipts?agent_id=a&start=4904&limit=1&reverse=true'] = {
      body: { ...listing([3]), next: 2_856, size: 9_000 },
    };
    const list = await beacon(['receipts', '--agent', 'a', '--limit', '2', '--json']);
    expect(JSON.parse(list.out)).toMatchObject({ receipts: [{ index: 4 }, { index: 3 }], next: 2_856 });
    const tail = await beacon(['tail', '--agent', 'a', '-n', '2', '--count', '2', '--json']);
    expect(tail.out.split('\n').map((line) => line && JSON.parse(line).index)).toEqual([3, 4, '']);
    stub.answers = { 'GET /api/receipts': { body: { receipts: [], next: 0, size: 5 } } };
    expect((await beacon(['receipts', '--agent', 'a'])).out).toContain('no receipts');
  });

  test('tail begins with the last ones and goes on from the end', async () => {
    stub.answers['GET /api/receipts'] = { body: listing([4, 3, 2]) };
    const { exit, out } = await beacon(['tail', '-n', '2', '--count', '4', '--json']);
    expect(exit).toBe(0);
    const ids = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).index);
    expect(ids).toEqual([3, 4, 4, 3]);
    expect(stub.seen[1]?.url).toContain('start=5');
  });
});
