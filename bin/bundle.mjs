// Makes dist/beacon.mjs (command line and hooks) and dist/beacond.mjs (the services): one file each, so that a hook
// starts in little more than Node's own time and a release needs no node_modules.

import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './bootstrap.mjs';

const BUNDLES = [
  { entry: 'clients/cli/main.ts', outfile: 'dist/beacon.mjs' },
  { entry: 'services/main.ts', outfile: 'dist/beacond.mjs' },
];

// Libraries written as CommonJS call require() for Node's own modules.
const banner = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`;

for (const { entry, outfile } of BUNDLES) {
  if (!fs.existsSync(path.join(root, entry))) continue;
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    sourcemap: false,
    minifySyntax: true,
    legalComments: 'eof',
    banner: { js: banner },
    metafile: true,
    logLevel: 'warning',
  });
  const bytes = Object.values(metafile.outputs)[0].bytes;
  console.log(`${outfile}  ${(bytes / 1024).toFixed(0)} KiB`);
}
