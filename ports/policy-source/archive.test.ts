import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { MAX_POLICY_FILE_BYTES } from '../../core/policy-manifest.ts';
import { pack } from '../../test/bundle-server.ts';
import { MAX_ARCHIVE_BYTES, MAX_UNPACKED_BYTES, readArchive } from './archive.ts';

const data = { name: 'data.json', bytes: new Uint8Array(Buffer.from('{}')) };
const refused = async (archive: Uint8Array | Promise<Uint8Array>, reason: string) =>
  // Not the archive itself: a failing test would print it.
  expect(
    await readArchive(await archive).then(
      () => 'read',
      (error) => [error.code, error.reason],
    ),
  ).toEqual(['failed_precondition', reason]);

test('reads what tar makes of a folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-archive-'));
  try {
    for (const name of ['manifest.dsse.json', 'data.json', 'policy.wasm']) writeFileSync(join(folder, name), name);
    for (const args of [['.'], ['data.json', 'policy.wasm', 'manifest.dsse.json'], ['--format=pax', '.']]) {
      const out = join(tmpdir(), `beacon-archive-${process.pid}.tar.gz`);
      execFileSync('tar', ['-czf', out, '-C', folder, ...args]);
      const { envelope, files } = await readArchive(readFileSync(out));
      rmSync(out);
      expect(Buffer.from(envelope ?? []).toString()).toBe('manifest.dsse.json');
      expect([...files.keys()].sort()).toEqual(['data.json', 'policy.wasm']);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('no name leads out of the bundle', async () => {
  for (const name of [
    '../data.json',
    '/data.json',
    './../data.json',
    '././data.json',
    'a/data.json',
    'data.json/',
    '..',
    '.hidden',
    'C:\\data.json',
    `${'a/'.repeat(60)}../../data.json`,
    'données.json',
    'data.json\u0001',
  ]) {
    await refused(pack([data, { name, bytes: data.bytes }]), 'bad_file_name');
  }
  await refused(pack([{ name: 'more.json', bytes: data.bytes }]), 'extra_file');
  await refused(pack([{ name: 'data.json', type: 'symlink' }]), 'bad_file_name');
  await refused(pack([{ name: 'data.json', type: 'directory' }]), 'bad_file_name');
  await refused(pack([{ name: 'sub', type: 'directory' }, data]), 'extra_file');
});

test('no file stands there twice: which of the two was signed would be a matter of the reader', async () => {
  await refused(pack([data, { ...data, bytes: new Uint8Array(Buffer.from('{"other":1}')) }]), 'extra_file');
  await refused(pack([data, { ...data, name: './data.json' }]), 'extra_file');
});

test('what unpacks to more than a bundle is refused before it fills the memory', async () => {
  const bomb = gzipSync(Buffer.alloc(2 * MAX_UNPACKED_BYTES), { level: 1 });
  expect(bomb.length).toBeLessThan(MAX_ARCHIVE_BYTES);
  await refused(bomb, 'too_large');
  // Several members after one another count together.
  const half = gzipSync(Buffer.alloc(MAX_UNPACKED_BYTES / 2 + 1), { level: 1 });
  await refused(Buffer.concat([half, half]), 'too_large');
  await refused(new Uint8Array(MAX_ARCHIVE_BYTES + 1), 'too_large');
  await refused(pack([{ name: 'data.json', bytes: new Uint8Array(MAX_POLICY_FILE_BYTES + 1) }]), 'too_large');
  await refused(pack([...Array(40)].map(() => ({ name: './', type: 'directory' as const }))), 'extra_file');
});

test('nothing that only describes the next entry costs more than its length, or changes how that is read', async () => {
  const tar = gunzipSync(await pack([data]));
  // A record of length 1 at each byte: a parser that reads on from each of them reads the rest as often as it has bytes.
  const records = Buffer.from(`${'1\t'.repeat(1 << 19)}1 `);
  for (const type of ['x', 'g']) {
    const began = performance.now();
    const { files } = await readArchive(gzipSync(Buffer.concat([extended(type, records), tar])));
    expect(performance.now() - began).toBeLessThan(2_000);
    expect([...files.keys()]).toEqual(['data.json']);
    const renamed = Buffer.from('22 path=manifest.json\n18 path=cases.json\n10 size=1\n');
    const { files: same } = await readArchive(gzipSync(Buffer.concat([extended(type, renamed), tar])));
    expect([...same].map(([name, bytes]) => [name, bytes.length])).toEqual([['data.json', 2]]);
  }
  // The names GNU tar writes so are longer than any of ours.
  await refused(gzipSync(Buffer.concat([extended('L', Buffer.from('data.json\0')), tar])), 'bad_file_name');
  const many = Array.from({ length: 40 }, () => extended('x', Buffer.alloc(0)));
  await refused(gzipSync(Buffer.concat([...many, tar])), 'extra_file');
});

test('a part of an archive, and one that was altered, is none', async () => {
  const whole = await pack([{ ...data, bytes: new Uint8Array(2_000).fill(97) }]);
  const tar = gunzipSync(whole);
  for (const at of [0, 1, 10, 18, whole.length - 9, whole.length - 1])
    await refused(whole.subarray(0, at), 'unreadable');
  for (const at of [100, 600, 1_500, 2_100]) await refused(gzipSync(tar.subarray(0, at)), 'unreadable');
  const header = Buffer.from(tar);
  header.writeUInt8(header.readUInt8(0) ^ 1, 0);
  await refused(gzipSync(header), 'unreadable');
  await refused(gzipSync(Buffer.from('<html></html>'.repeat(100))), 'unreadable');
  // A size that the archive has not.
  const longer = Buffer.from(tar);
  longer.write('77777777777', 124);
  await refused(gzipSync(longer), 'unreadable');
  const nothing = await readArchive(await pack([]));
  expect([nothing.envelope, nothing.files.size]).toEqual([undefined, 0]);
});

/** An entry with its header and padding, as tar would write it. */
function extended(type: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(512);
  const fields = [
    [0, './PaxHeaders/data.json'],
    [100, '0000644\0'],
    [108, '0000000\0'],
    [116, '0000000\0'],
    [124, `${body.length.toString(8).padStart(11, '0')}\0`],
    [136, '00000000000\0'],
    [148, '        '],
    [156, type],
    [257, 'ustar\u000000'],
  ] as const;
  for (const [at, text] of fields) header.write(text, at, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, body, Buffer.alloc(-body.length & 511)]);
}
