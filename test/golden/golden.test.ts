// Golden receipts: fixed bytes under fixed keys. Every release's must verify for ever, and each one's twin with a single
// bit flipped anywhere, in the receipt or in its proof, must be refused with a code.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseJwks } from '../../core/jwk.ts';
import { parseVkey } from '../../core/ledger/note.ts';
import { verifyInclusion, verifyReceipt } from '../../core/verify.ts';
import { VERIFY_CODES, VerifyError } from '../../core/verify-error.ts';
import { proofOf, sealReceipts } from '../sealed-log.ts';

const releases = readdirSync(import.meta.dirname).filter((name) =>
  existsSync(join(import.meta.dirname, name, 'jwks.json')),
);
const NAMES = ['allow', 'deny', 'outcome'];

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof VerifyError) return thrown.code;
    throw thrown;
  }
  return 'accepted';
}

/** Every copy of `bytes` with one bit flipped, handed over one after the other in one buffer. */
function* spoiledTwins(bytes: Uint8Array): Generator<{ twin: Uint8Array; where: string }> {
  const twin = Uint8Array.from(bytes);
  for (let at = 0; at < twin.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      twin[at] = (bytes[at] as number) ^ (1 << bit);
      yield { twin, where: `byte ${at}, bit ${bit}` };
    }
    twin[at] = bytes[at] as number;
  }
}

test('there is something to check', () => {
  expect(releases).toContain('0.1.0');
});

describe.each(releases)('release %s', (release) => {
  const file = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, release, name)));
  const keys = parseJwks(file('jwks.json'));
  const logKeys = [parseVkey(Buffer.from(file('log.vkey')).toString().trim())];

  test.each(NAMES)('%s verifies with its proof', (name) => {
    const receipt = verifyReceipt(file(`${name}.json`), keys);
    expect(receipt.route ?? receipt.kind).toBe(name === 'outcome' ? name : name.toUpperCase());
    const inclusion = verifyInclusion(file(`${name}.json`), file(`${name}.tlog-proof`), logKeys);
    expect(inclusion).toMatchObject({ receiptId: receipt.receiptId, index: NAMES.indexOf(name) });
  });

  test.each(NAMES)('%s: any flipped bit of the receipt is refused', (name) => {
    const proof = file(`${name}.tlog-proof`);
    const codes = new Set<string>();
    for (const { twin, where } of spoiledTwins(file(`${name}.json`))) {
      const code = refusalOf(() => verifyReceipt(twin, keys));
      expect(VERIFY_CODES, where).toContain(code);
      codes.add(code);
      // The ledger alone refuses it too: the leaf is these bytes and no others.
      expect(VERIFY_CODES, where).toContain(refusalOf(() => verifyInclusion(twin, proof, logKeys)));
    }
    expect([...codes].sort()).toEqual(['bad_signature', 'keyid_mismatch', 'malformed', 'non_canonical']);
  });

  test.each(NAMES)('%s: any flipped bit of the proof is refused', (name) => {
    const receipt = file(`${name}.json`);
    const codes = new Set<string>();
    for (const { twin, where } of spoiledTwins(file(`${name}.tlog-proof`))) {
      const code = refusalOf(() => verifyInclusion(receipt, twin, logKeys));
      expect(VERIFY_CODES, where).toContain(code);
      codes.add(code);
    }
    for (const code of ['bad_signature', 'malformed', 'not_included', 'unknown_key']) expect(codes).toContain(code);
  });
});

test('today’s code still makes the bytes of 0.1.0', () => {
  const leaves = sealReceipts(7);
  for (const [index, name] of NAMES.entries()) {
    const file = (end: string) => readFileSync(join(import.meta.dirname, '0.1.0', `${name}.${end}`));
    expect(Buffer.from(leaves[index] as Uint8Array)).toEqual(file('json'));
    expect(Buffer.from(proofOf(index, leaves))).toEqual(file('tlog-proof'));
  }
});
