import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { formatCheckpoint, parseCheckpoint, verifyCheckpoint } from './checkpoint.ts';
import {
  formatVkey,
  type NoteKey,
  type NoteSigner,
  noteKey,
  parseNote,
  parseVkey,
  signNote,
  verifyNote,
} from './note.ts';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import { foldHashes, inclusionPlan, leafHash, nodeHash } from './tree.ts';

function signer(name: string): NoteSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = noteKey(name, Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url'));
  return { key, sign: (message) => sign(null, message, privateKey) };
}
function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}
/** The same name and hash before other key bytes; base64 may hold a plus itself. */
function withKey(vkey: string, typed: Uint8Array): string {
  return [...vkey.split('+').slice(0, 2), Buffer.from(typed).toString('base64')].join('+');
}
const ORIGIN = 'beacon.local/receipt-signer/0123456789ab';
const log = signer(ORIGIN);
const witness = signer('witness.example');
const text = 'one line\n\nanother\n';
const note = signNote(text, [log, witness]);
const spoil = (bytes: Uint8Array, change: (text: string) => string): Uint8Array =>
  Buffer.from(change(Buffer.from(bytes).toString()));

describe('verifier keys', () => {
  test("the Go checksum database's published key parses and prints back", () => {
    const vkey = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
    expect(parseVkey(vkey).name).toBe('sum.golang.org');
    expect(formatVkey(parseVkey(vkey))).toBe(vkey);
  });

  test.each<[string, (vkey: string) => string, string]>([
    ['another hash', (v) => v.replace(/\+[0-9a-f]{8}\+/, '+00000000+'), 'malformed'],
    ['upper-case hash', (v) => v.replace(/\+[0-9a-f]{8}\+/, '+ABCDEF00+'), 'malformed'],
    ['a space in the name', (v) => v.replace('beacon', 'bea con'), 'malformed'],
    ['no padding bits to spare', (v) => `${v}=`, 'non_canonical'],
    ['trailing newline', (v) => `${v}\n`, 'malformed'],
    ['another key type', (v) => withKey(v, Buffer.alloc(33, 4)), 'unsupported'],
    ['a short key', (v) => withKey(v, Buffer.alloc(32, 1)), 'malformed'],
  ])('refuses %s', (_, change, expected) => {
    const vkey = formatVkey(log.key);
    expect(Buffer.from(parseVkey(vkey).publicKey)).toEqual(log.key.publicKey);
    expect(() => parseVkey(change(vkey))).toThrow(code(expected) as Error);
  });
});

describe('notes', () => {
  test('sign and verify, other signatures ignored', () => {
    expect(verifyNote(note, [log.key]).text).toBe(text);
    expect(verifyNote(note, [log.key, witness.key]).signedBy).toHaveLength(2);
    expect(parseNote(note).signatures).toHaveLength(2);
  });

  test('no trusted key, or one of the same name only', () => {
    const namesake = signer(ORIGIN);
    expect(() => verifyNote(note, [])).toThrow(code('unknown_key') as Error);
    expect(() => verifyNote(note, [namesake.key])).toThrow(code('unknown_key') as Error);
  });

  test('a trusted key that signed something else refuses the whole note', () => {
    const collision: NoteKey = { ...log.key, publicKey: witness.key.publicKey };
    expect(() => verifyNote(note, [collision])).toThrow(code('bad_signature') as Error);
    expect(() =>
      verifyNote(
        spoil(note, (t) => t.replace('line', 'lime')),
        [log.key],
      ),
    ).toThrow(code('bad_signature') as Error);
  });

  test('every flipped bit is refused', () => {
    for (let bit = 0; bit < note.length * 8; bit++) {
      const flipped = new Uint8Array(note);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => verifyNote(flipped, [log.key, witness.key]).signedBy.length === 2 || thrown()).toThrow();
    }
  });

  test.each<[string, (note: string) => string, string]>([
    ['no blank line', (t) => t.replaceAll('\n\n', '\n'), 'malformed'],
    ['no final newline', (t) => t.slice(0, -1), 'malformed'],
    ['a carriage return', (t) => t.replace('line\n', 'line\r\n'), 'malformed'],
    ['a tab', (t) => t.replace('one line', 'one\tline'), 'malformed'],
    ['a hyphen for the dash', (t) => t.replace('\u2014 beacon', '- beacon'), 'malformed'],
    ['two spaces', (t) => t.replace(`${ORIGIN} `, `${ORIGIN}  `), 'malformed'],
    ['a signature twice', (t) => `${t}${t.slice(t.indexOf('\u2014'))}`, 'non_canonical'],
    [
      'stray bits in base64',
      (t) => t.replace(/(.)=\n/, (_, c) => `${String.fromCharCode(c.charCodeAt(0) + 1)}=\n`),
      'non_canonical',
    ],
    ['no signature', (t) => t.slice(0, t.indexOf('\u2014')), 'malformed'],
    ['too long', (t) => 'x'.repeat(262_144) + t, 'too_large'],
  ])('refuses %s', (_, change, expected) => {
    expect(() => verifyNote(spoil(note, change), [log.key])).toThrow(code(expected) as Error);
  });

  test('invalid UTF-8', () => {
    expect(() => verifyNote(Buffer.concat([Buffer.of(0xff), note]), [log.key])).toThrow(code('malformed') as Error);
  });
});

function thrown(): never {
  throw new Error('a signature is gone, which a caller who trusts both keys sees');
}

describe('checkpoints', () => {
  const checkpoint = { origin: ORIGIN, size: 3, root: Buffer.alloc(32, 7) };

  test('round trip', () => {
    expect(formatCheckpoint(checkpoint)).toBe(`${ORIGIN}\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n`);
    const parsed = verifyCheckpoint(signNote(formatCheckpoint(checkpoint), [log, witness]), [log.key]);
    expect({ ...parsed, root: Buffer.from(parsed.root) }).toEqual(checkpoint);
  });

  test('signed by another than the log it names', () => {
    const foreign = signNote(formatCheckpoint(checkpoint), [witness]);
    expect(() => verifyCheckpoint(foreign, [log.key, witness.key])).toThrow(code('wrong_origin') as Error);
  });

  test.each([
    [`${ORIGIN}\n03\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n`, 'non_canonical'],
    [`${ORIGIN}\n9007199254740992\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n`, 'non_canonical'],
    [`${ORIGIN}\n-3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n`, 'malformed'],
    [`${ORIGIN}\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=\n`, 'non_canonical'],
    [`${ORIGIN}\n3\nBwc=\n`, 'malformed'],
    [`\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n`, 'malformed'],
    [`${ORIGIN}\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\nextension\n`, 'malformed'],
    [`${ORIGIN}\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=`, 'malformed'],
  ])('%j is %s', (body, expected) => {
    expect(() => parseCheckpoint(body)).toThrow(code(expected) as Error);
  });
});

describe('tlog-proof', () => {
  const leaves = ['a', 'b', 'c', 'd', 'e'].map((leaf) => Buffer.from(leaf));
  const [a, b, c, d, e] = leaves.map(leafHash) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const root = nodeHash(nodeHash(nodeHash(a, b), nodeHash(c, d)), e);
  const read = ({ level, index }: { level: number; index: number }): Uint8Array =>
    level === 2
      ? nodeHash(nodeHash(a, b), nodeHash(c, d))
      : level === 1
        ? index
          ? nodeHash(c, d)
          : nodeHash(a, b)
        : ([a, b, c, d, e][index] as Uint8Array);
  const hashes = inclusionPlan(2, 5).map((group) => foldHashes(group.map(read)));
  const checkpoint = signNote(formatCheckpoint({ origin: ORIGIN, size: 5, root }), [log]);
  const file = formatTlogProof({ index: 2, hashes, checkpoint });

  test('verifies for its leaf and no other', () => {
    expect(verifyTlogProof(file, leaves[2] as Buffer, [log.key]).index).toBe(2);
    expect(() => verifyTlogProof(file, leaves[1] as Buffer, [log.key])).toThrow(code('not_included') as Error);
    expect(() => verifyTlogProof(file, leaves[2] as Buffer, [witness.key])).toThrow(code('unknown_key') as Error);
  });

  test('formatting is the inverse of parsing, with extra data too', () => {
    const extra = formatTlogProof({ index: 0, hashes: [], extra: Buffer.from('hello'), checkpoint });
    expect(Buffer.from(extra).toString()).toMatch(/^c2sp.org\/tlog-proof@v1\nextra aGVsbG8=\nindex 0\n\n/);
    for (const bytes of [file, extra]) expect(formatTlogProof(parseTlogProof(bytes))).toEqual(bytes);
  });

  test('every flipped bit is refused', () => {
    for (let bit = 0; bit < file.length * 8; bit++) {
      const flipped = new Uint8Array(file);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => verifyTlogProof(flipped, leaves[2] as Buffer, [log.key])).toThrow(
        expect.objectContaining({ name: 'VerifyError' }),
      );
    }
  });

  test.each<[string, (t: string) => string, string]>([
    ['another version', (t) => t.replace('@v1', '@v2'), 'unsupported'],
    ['another header', (t) => t.replace('c2sp', 'c3sp'), 'malformed'],
    ['a leading zero', (t) => t.replace('index 2', 'index 02'), 'non_canonical'],
    ['no index', (t) => t.replace('index 2\n', ''), 'malformed'],
    ['index before extra', (t) => t.replace('index 2\n', 'index 2\nextra aGVsbG8=\n'), 'malformed'],
    ['empty extra', (t) => t.replace('index 2', 'extra \nindex 2'), 'non_canonical'],
    ['carriage returns', (t) => t.replaceAll('\n', '\r\n'), 'malformed'],
    ['a byte order mark', (t) => `\ufeff${t}`, 'malformed'],
    ['a second blank line', (t) => t.replace('\n\n', '\n\n\n'), 'bad_signature'],
    ['something behind', (t) => `${t}\n`, 'malformed'],
    ['too many hashes', (t) => t.replace('\n\n', `\n${`${'A'.repeat(43)}=\n`.repeat(54)}\n`), 'too_large'],
  ])('refuses %s', (_, change, expected) => {
    expect(() => verifyTlogProof(spoil(file, change), leaves[2] as Buffer, [log.key])).toThrow(code(expected) as Error);
  });
});
