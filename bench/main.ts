// `npm run bench`: Beacon beside its bare floors, in one interleaved run, because a machine's absolute figures drift.
// `npm run bench -- separate`: the same over separate services; `-- admit`: from a raw proposal to its facts; `-- detectors`:
// what looking through one text costs. Options: --rounds N, --seconds N (for each figure and round), --warmup N, --json.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runAdmit } from './admit.ts';
import { runDetectors } from './detectors.ts';
import { runEmbedded } from './embedded.ts';
import { runSeparate } from './separate.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    warmup: { type: 'string', default: '20000' },
    json: { type: 'boolean', default: false },
  },
});
const [what = 'embedded', ...more] = positionals;
if (!['embedded', 'separate', 'admit', 'detectors'].includes(what) || more.length > 0) {
  console.error('what to measure: embedded (the default), separate, admit or detectors');
  process.exit(2);
}
const effort = { rounds: positive('rounds'), seconds: positive('seconds'), warmup: positive('warmup') };

function positive(name: 'rounds' | 'seconds' | 'warmup'): number {
  const value = Number(values[name]);
  if (value > 0 && Number.isFinite(value)) return value;
  console.error(`--${name} must be a positive number`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'beacon-bench-'));
const closing: (() => unknown)[] = [];
try {
  const run = what === 'separate' ? runSeparate : runEmbedded;
  if (what === 'detectors') runDetectors({ json: values.json });
  else if (what === 'admit') await runAdmit({ effort, json: values.json });
  else await run({ folder, effort, json: values.json, closing });
} finally {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true, force: true });
}
