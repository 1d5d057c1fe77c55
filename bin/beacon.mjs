#!/usr/bin/env node
// The command line and the hooks. From a clone it installs what is missing first; a release runs the bundle.

import fs from 'node:fs';
import path from 'node:path';
import { launch, root } from './bootstrap.mjs';

const target = { bundle: 'dist/beacon.mjs', source: 'clients/cli/main.ts', rooms: ['clients', 'core', 'gen'] };
const argv = process.argv.slice(2);
const isHook = argv[0] === 'hook';

// An agent client runs the tool when its hook ends with any status but 0 (decided) and 2 (refused), so nothing that
// goes wrong on the way to the hook may end otherwise.
if (isHook) {
  process.on('exit', (code) => {
    if (code === 0 || code === 2) return;
    // First of all: writing fails where nobody reads any more.
    process.exitCode = 2;
    try {
      fs.writeSync(2, `Beacon: refused, because the hook could not be run (status ${code}).\n`);
    } catch {
      // Refused all the same.
    }
  });
}

// Policy packages need the pack's sources and the Wasm engine: a clone has them, the bundle of the clients does not.
if (argv[0] === 'policy' && fs.existsSync(path.join(root, 'policies/package/tools.ts'))) {
  Object.assign(target, { bundle: 'dist/beacon-policy.mjs', source: 'bin/beacon-policy.ts' });
}

await launch(import.meta.url, target, argv, { install: !isHook });
