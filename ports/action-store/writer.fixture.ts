// A process that writes actions until it is killed; started by sqlite.test.ts.

import { SqliteFile } from '../../runtime/sqlite.ts';
import { actionRecord } from './records.fixture.ts';
import { SqliteActionStore } from './sqlite.ts';

const [path = '', from = '0'] = process.argv.slice(2);
const store = new SqliteActionStore(new SqliteFile({ path, commitIntervalMs: 5 }));
let index = Number(from);
process.send?.('started');
for (;;) {
  await store.putAction(actionRecord({ actionId: `act_${index}`, permitId: `pmt_${index}` }), { logId: 'l', index });
  if (index % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  index += 1;
  await store.advance({ logId: 'l', index });
}
