// `npm run eval`: how well Beacon routes the labelled development set, with intervals, ablations and baselines.
// Options: --json (everything as data), --held (lists the wrong ones held back too), --write (docs/judgement.md and its
// plots; lifts the ratchet).

import { parseArgs } from 'node:util';
import { faultOf, readSet, thawed } from './labelled.ts';
import { writePage } from './page.ts';
import { printed } from './report.ts';
import { evaluate } from './run.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    held: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const changed = thawed();
const items = readSet();
const faulty = items.map((item) => `${item.id}: ${faultOf(item)}`).filter((line) => !line.endsWith(': '));
if (changed.length + faulty.length > 0) {
  for (const name of changed) console.error(`set/${name} is not what set/SHA256SUMS froze`);
  for (const fault of faulty) console.error(fault);
  process.exit(1);
}
const found = await evaluate(items);
if (values.write) writePage(found);
if (values.json) {
  const { wrong, ...rest } = found;
  const shown = values.held ? wrong : { dev: wrong.dev, held: wrong.held.length };
  console.log(JSON.stringify({ ...rest, wrong: shown }, null, 2));
} else {
  console.log(printed(found, values.held));
}
