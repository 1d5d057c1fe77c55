// The program that file-kill.test.ts kills: appends numbered records to a folder and prints, for every acknowledged batch,
// the size the log then had. Never stops by itself.

import { writeSync } from 'node:fs';
import { TEST_LOG, testCheckpoint, testRecords } from './contract-records.ts';
import { openFileLedger } from './file.ts';

const store = await openFileLedger({ folder: process.argv[2] as string, newLog: TEST_LOG, segmentBytes: 2_097_152 });
writeSync(1, `open ${store.size()}\n`);
for (let round = 0; ; round++) {
  await store.append(testRecords(store.size(), 1 + (round % 90)));
  writeSync(1, `size ${store.size()}\n`);
  if (round % 10 === 9) {
    const size = store.size();
    await store.publish(await testCheckpoint(store, size));
    writeSync(1, `published ${size}\n`);
  }
}
