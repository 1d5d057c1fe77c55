// Envelopes: what is read is spelt as Beacon spells it, whichever way it was read.

import { describe, expect, it } from 'vitest';
import { keyIdOf, payloadOf, readEnvelope, type SignedEnvelope, writeEnvelope } from './dsse.ts';
import { readOwnLeaf, traceIdOf } from './own-leaf.ts';
import { buildStatement, readReceipt, signEnvelope } from './receipt.ts';

const envelope = (over: Partial<SignedEnvelope> = {}): SignedEnvelope => ({
  payload: new Uint8Array(Buffer.from('{"a":"ü"}')),
  keyId: 'k_-9',
  signature: new Uint8Array(64).fill(7),
  ...over,
});
const read = (bytes: Uint8Array): SignedEnvelope | undefined => {
  try {
    return readEnvelope(bytes);
  } catch {
    return undefined;
  }
};
const changed = (text: string, from: string, to: string) => new Uint8Array(Buffer.from(text.replace(from, to)));

describe('reading an envelope', () => {
  it('gives what was written, also under a key id that JSON spells otherwise', () => {
    for (const keyId of ['k_-9', '', 'a"b\\c', 'ü€😀', '\u0000']) {
      for (const payload of [0, 1, 2, 3, 100].map((length) => new Uint8Array(length).fill(200))) {
        const written = envelope({ keyId, payload });
        expect(readEnvelope(writeEnvelope(written))).toEqual(written);
      }
    }
  });

  it('names the key of an envelope of ours by its end alone, and of nothing else', () => {
    for (const payload of [0, 1, 40_000].map((length) => new Uint8Array(length))) {
      for (const keyId of ['', 'k_-9', 'a'.repeat(43)]) {
        expect(keyIdOf(writeEnvelope(envelope({ keyId, payload })))).toBe(keyId);
      }
    }
    const bytes = writeEnvelope(envelope());
    for (const length of [0, 1, 92, bytes.length - 1]) expect(keyIdOf(bytes.subarray(0, length))).toBeUndefined();
    expect(keyIdOf(writeEnvelope(envelope({ signature: new Uint8Array(63) })))).toBeUndefined();
  });

  it('takes no bytes but those that what it read is written as', () => {
    const bytes = writeEnvelope(envelope());
    let taken = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const byte of [...Buffer.from('"\\{}[],: AZaz09+/=-_\n'), 0, 0x80, 0xff]) {
        if (bytes[at] === byte) continue;
        const spoiled = new Uint8Array(bytes);
        spoiled[at] = byte;
        const found = read(spoiled);
        if (found && Buffer.compare(writeEnvelope(found), spoiled) !== 0) throw new Error(`byte ${at} as ${byte}`);
        if (found) taken++;
      }
    }
    // Another payload, key or signature of the same length is another envelope.
    expect(taken).toBeGreaterThan(500);
    for (let length = 0; length < bytes.length; length++) expect(read(bytes.subarray(0, length))).toBeUndefined();
  });

  it.each([63, 65, 66])('refuses a signature of %i bytes', (length) => {
    expect(read(writeEnvelope(envelope({ signature: new Uint8Array(length) })))).toBeUndefined();
  });

  it.each([
    ['a lone stray bit', 'BwcHBw==', 'BwcHBx=='],
    ['the other alphabet', '+/A=', '-_A='],
    ['no padding', '+/A=', '+/A'],
    ['a space in base64', '+/A=', '+ /A='],
    ['a space at the end', '"}]}', '"}]} '],
    ['a second signature', '}]}', '},{"keyid":"","sig":""}]}'],
    ['an escape', 'k_-9', '\\u006b_-9'],
    ['a short signature', 'BwcHBw==', 'BwcH'],
    ['another type', 'in-toto', 'in_toto'],
  ])('refuses %s', (_, from, to) => {
    const text = Buffer.from(writeEnvelope(envelope({ payload: Buffer.from('+/A=', 'base64') }))).toString();
    expect(text).toContain(from);
    expect(read(changed(text, '', ''))).toBeDefined();
    expect(read(changed(text, from, to))).toBeUndefined();
  });
});

describe('an own leaf', () => {
  const key = { publicKey: { keyId: 'k' }, sign: () => new Uint8Array(64) };
  const leafOf = (predicate: Record<string, unknown>) =>
    signEnvelope(
      buildStatement({
        kind: 'assumption',
        actionId: 'act_1',
        fingerprint: 'f'.repeat(64),
        signer: { receipt_id: `${'a'.repeat(12)}-3`, sealed_at: '2030-01-01T00:00:00.000Z' },
        predicate,
      }),
      key,
    );

  it('says what the receipt says', () => {
    const leaf = leafOf({ tenant_id: 't', text: 'ü "trace_id":"x"', deep: [{ trace_id: 'inner' }] });
    const { kind, actionId, predicate, payload } = readReceipt(leaf);
    expect(readOwnLeaf(leaf)).toEqual({ kind, actionId, predicate });
    expect(Buffer.compare(payloadOf(leaf) as Buffer, payload)).toBe(0);
  });

  it('names the trace of the request, and nothing else by that name', () => {
    expect(traceIdOf(leafOf({ trace_id: 'abc' }))).toBe('abc');
    expect(traceIdOf(leafOf({ text: '"trace_id":"x"', deep: { trace_id: 'inner' } }))).toBeUndefined();
    expect(traceIdOf(leafOf({}))).toBeUndefined();
  });

  it.each(['', '{}', '{"payloadType":"application/vnd.in-toto+json","payload":"', 'no JSON'])('is not %j', (text) => {
    expect(readOwnLeaf(Buffer.from(text))).toBeUndefined();
    expect(traceIdOf(Buffer.from(text))).toBeUndefined();
  });
});
