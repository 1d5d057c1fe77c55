// Receipts, proofs, checkpoints and tiles as implementations by others see them, at tree sizes on both sides of every
// edge. What they refuse, we refuse.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildJwks } from '../core/jwk.ts';
import { entryTilePath, hashTilePath, tileWidth } from '../core/ledger/tiles.ts';
import { formatTlogProof } from '../core/ledger/tlog-proof.ts';
import { verifyInclusion, verifyReceipt } from '../core/verify.ts';
import { VerifyError } from '../core/verify-error.ts';
import { openFileLedger } from '../ports/ledger-store/file.ts';
import { createMemoryLedger } from '../ports/ledger-store/memory.ts';
import type { LedgerStore } from '../ports/ledger-store/port.ts';
import { buildForeignVerifier } from './foreign/build.ts';
import {
  LOG_ID,
  logKey,
  ORIGIN,
  receiptKeys,
  sealReceipt,
  signCheckpoint,
  strangerSigner,
  vkey,
} from './sealed-log.ts';

type Finding = { ok: boolean; error?: string; receipt_id?: string; predicate_type?: string; size?: number };
type Report = {
  ok: boolean;
  receipts: Record<string, Finding>;
  proofs: Record<string, Finding>;
  tree: Finding;
};

/** Beyond these every leaf is a stand-in: the tree does not look inside, and 65,536 signatures prove nothing more. */
const SIZES = [1, 2, 3, 255, 256, 257, 1000, 65_535, 65_536, 65_537];
const ALL_SIGNED_UP_TO = 1000;
// A succeeded key signed every receipt whose index ends in 7.
const publishedKeys = [...receiptKeys, strangerSigner.publicKey];
const folders: string[] = [];
let program = '';

beforeAll(() => {
  program = buildForeignVerifier();
}, 300_000);
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function leafAt(index: number, size: number): Uint8Array {
  const signed = size <= ALL_SIGNED_UP_TO || interesting(size).includes(index);
  if (!signed) return Buffer.from(`stand-in ${index}`);
  return index % 10 === 7 ? sealReceipt(index, strangerSigner) : sealReceipt(index);
}

/** Both ends, and both sides of every tile edge. */
function interesting(size: number): number[] {
  const all = [0, 1, 7, 127, 254, 255, 256, 257, 511, 512, 999, 65_279, 65_280, 65_535, 65_536, size - 2, size - 1];
  return [...new Set(all)].filter((index) => index >= 0 && index < size);
}

const memory = () => createMemoryLedger({ logId: LOG_ID, origin: ORIGIN });

async function fill(size: number, ledger: LedgerStore = memory()): Promise<LedgerStore> {
  for (let start = 0; start < size; start += 4096) {
    const width = Math.min(4096, size - start);
    await ledger.append(
      Array.from({ length: width }, (_, at) => ({ leaf: leafAt(start + at, size), tenantId: 'acme' })),
    );
  }
  return ledger;
}

const checkpointAt = async (ledger: LedgerStore, size: number) => signCheckpoint(size, await ledger.root(size));

async function proofAt(ledger: LedgerStore, index: number, size: number): Promise<Uint8Array> {
  const hashes = await ledger.inclusionProof(index, size);
  return formatTlogProof({ index, hashes, checkpoint: await checkpointAt(ledger, size) });
}

/** Everything a stranger can download, as files. */
async function publish(ledger: LedgerStore, size: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-foreign-'));
  folders.push(folder);
  const save = (path: string, content: string | Uint8Array | undefined) => {
    if (content === undefined) throw new Error(`the ledger has no ${path}`);
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  save('jwks.json', buildJwks(publishedKeys));
  save('log.vkey', vkey);
  save('checkpoint', await checkpointAt(ledger, size));
  if (size > 1) save('checkpoint.old', await checkpointAt(ledger, Math.ceil(size / 2)));
  for (const index of interesting(size)) {
    save(`${index}.json`, (await ledger.read(index))?.leaf);
    save(`${index}.tlog-proof`, await proofAt(ledger, index, size));
  }
  for (let level = 0; tileWidth(level, 0, size) > 0; level++) {
    for (let index = 0; tileWidth(level, index, size) > 0; index++) {
      const width = tileWidth(level, index, size);
      save(hashTilePath({ level, index, width }), await ledger.tile(level, index, width));
      if (level === 0) save(entryTilePath({ index, width }), await ledger.entries(index, width));
    }
  }
  return folder;
}

function askForeign(folder: string, prefix = folder): Promise<Report> {
  return new Promise((resolve, reject) => {
    execFile(program, [folder, prefix], { env: { BEACON_TOKEN: 'any' } }, (error, stdout, stderr) => {
      if (error && error.code !== 1) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(JSON.parse(stdout) as Report);
    });
  });
}

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof VerifyError) return thrown.code;
    throw thrown;
  }
  return 'accepted';
}

test.each(SIZES)(
  'a tree of %i: others verify every receipt, proof, tile and the growth',
  async (size) => {
    const ledger = await fill(size);
    const folder = await publish(ledger, size);
    const report = await askForeign(folder);
    expect(report.tree).toEqual({ ok: true, size });
    expect(report.ok).toBe(true);
    for (const index of interesting(size)) {
      const receiptId = `${LOG_ID}-${index}`;
      expect(report.receipts[index]).toMatchObject({ ok: true, receipt_id: receiptId });
      expect(report.proofs[index]).toEqual({ ok: true, size });
      const leaf = readFileSync(join(folder, `${index}.json`));
      expect(verifyReceipt(leaf, publishedKeys).receiptId).toBe(receiptId);
      const proof = readFileSync(join(folder, `${index}.tlog-proof`));
      expect(verifyInclusion(leaf, proof, [logKey])).toMatchObject({ index, checkpoint: { size } });
    }
  },
  60_000,
);

test.each([1, 257, 1000])('a tree of %i on disk, opened again: the same to others', async (size) => {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-foreign-ledger-'));
  folders.push(folder);
  const open = () => openFileLedger({ folder: join(folder, 'log'), newLog: { logId: LOG_ID, origin: ORIGIN } });
  await (await fill(size, await open())).close();
  const again = await open();
  const report = await askForeign(await publish(again, size));
  await again.close();
  expect(report).toMatchObject({ ok: true, tree: { ok: true, size } });
  expect(Object.keys(report.proofs)).toHaveLength(interesting(size).length);
});

test('the same over HTTP, from a prefix', async () => {
  const folder = await publish(await fill(257), 257);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(readFileSync(join(folder, (request.url ?? '').replace('/log/prefix/', ''))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const report = await askForeign(folder, `http://127.0.0.1:${port}/log/prefix`);
  server.close();
  expect(report).toMatchObject({ ok: true, tree: { ok: true, size: 257 } });
  expect(asked).toContain('/log/prefix/tile/1/000.p/1');
});

describe('spoiled twins are refused by others and by us', () => {
  const SIZE = 257;
  const INDEX = 255;
  let ledger: LedgerStore;
  let folder = '';
  const flip = (bytes: Uint8Array, at: number) => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));
  const file = (name: string) => new Uint8Array(readFileSync(join(folder, name)));

  beforeAll(async () => {
    ledger = await fill(SIZE);
  });

  test('receipts', async () => {
    folder = await publish(ledger, SIZE);
    const { payloadType, payload, signatures } = JSON.parse(Buffer.from(file(`${INDEX}.json`)).toString());
    const [{ keyid, sig }] = signatures;
    const spell = (body: string, id: string, signature: string) =>
      Buffer.from(JSON.stringify({ payloadType, payload: body, signatures: [{ keyid: id, sig: signature }] }));
    const flipped = (text: string, at: number) => Buffer.from(flip(Buffer.from(text, 'base64'), at)).toString('base64');
    const twins: Record<string, Uint8Array> = {
      'other-keyid': spell(payload, strangerSigner.publicKey.keyId, sig),
      'other-type': Buffer.from(
        Buffer.from(file(`${INDEX}.json`))
          .toString()
          .replace('in-toto', 'other'),
      ),
      stranger: sealReceipt(INDEX, { ...strangerSigner, publicKey: receiptKeys[0] as never }),
    };
    for (let at = 0; at < 64; at += 9) twins[`sig-${at}`] = spell(payload, keyid, flipped(sig, at));
    for (let at = 0; at < 500; at += 37) twins[`payload-${at}`] = spell(flipped(payload, at), keyid, sig);
    for (const [name, twin] of Object.entries(twins)) writeFileSync(join(folder, `${name}.json`), twin);
    const report = await askForeign(folder);
    for (const [name, twin] of Object.entries(twins)) {
      expect(report.receipts[name]?.ok, name).toBe(false);
      expect(
        refusalOf(() => verifyReceipt(twin, publishedKeys)),
        name,
      ).not.toBe('accepted');
    }
    expect(report.receipts[INDEX]?.ok).toBe(true);
  });

  test('proofs, and the checkpoints in them', async () => {
    folder = await publish(ledger, SIZE);
    const proof = file(`${INDEX}.tlog-proof`);
    const leaf = file(`${INDEX}.json`);
    const twins: Record<string, Uint8Array> = { 'other-index': file('254.tlog-proof') };
    for (let at = 0; at < proof.length; at++) twins[`flip-${at}`] = flip(proof, at);
    for (const [name, twin] of Object.entries(twins)) {
      writeFileSync(join(folder, `${name}.json`), leaf);
      writeFileSync(join(folder, `${name}.tlog-proof`), twin);
    }
    const report = await askForeign(folder);
    for (const [name, twin] of Object.entries(twins)) {
      // Go's base64 overlooks stray bits before the padding; then the hash it read is the right one. We do not.
      const strayBits = twin[Number(name.slice('flip-'.length)) + 1] === '='.charCodeAt(0);
      if (!strayBits) expect(report.proofs[name]?.ok, name).toBe(false);
      expect(
        refusalOf(() => verifyInclusion(leaf, twin, [logKey])),
        name,
      ).not.toBe('accepted');
    }
  }, 30_000);

  test.each([
    ['a hash tile', 'tile/0/000', 40],
    ['a partial tile', 'tile/1/000.p/1', 31],
    ['an entry', 'tile/entries/000', 700],
    ['the checkpoint’s size', 'checkpoint', ORIGIN.length + 1],
    ['the checkpoint’s signature', 'checkpoint', 190],
  ])('%s with one bit flipped', async (_name, path, at) => {
    folder = await publish(ledger, SIZE);
    writeFileSync(join(folder, path), flip(file(path), at));
    expect((await askForeign(folder)).tree.ok).toBe(false);
  });

  test('a tree that is not an extension of the one seen before', async () => {
    folder = await publish(ledger, SIZE);
    const root = await ledger.root(100);
    writeFileSync(join(folder, 'checkpoint.old'), signCheckpoint(100, flip(root, 0)));
    expect((await askForeign(folder)).tree.ok).toBe(false);
  });
});
