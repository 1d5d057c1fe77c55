// Writes the golden files of a release: `node test/golden/write.ts 0.1.0`. Once released they are never written again;
// every later version must still verify them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jwks, proofOf, sealReceipts, vkey } from '../sealed-log.ts';

const folder = join(import.meta.dirname, process.argv[2] ?? '');
if (process.argv[2] === undefined) throw new Error('which release?');
mkdirSync(folder);

const leaves = sealReceipts(7);
const names = ['allow', 'deny', 'outcome'];
writeFileSync(join(folder, 'jwks.json'), jwks);
writeFileSync(join(folder, 'log.vkey'), `${vkey}\n`);
for (const [index, name] of names.entries()) {
  writeFileSync(join(folder, `${name}.json`), leaves[index] as Uint8Array);
  writeFileSync(join(folder, `${name}.tlog-proof`), proofOf(index, leaves));
}
