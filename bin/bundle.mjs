// Makes dist/beacon.mjs (command line and hooks), dist/beacond.mjs (the services) and dist/trial-worker.mjs (the thread
// in which these try policies): one file each, so that a hook starts in little more than Node's own time and a release
// needs no node_modules. Beside them dist/vendor holds the .proto files that two gRPC libraries read at run time; the
// services also need policies/bundle where it is.

import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './bootstrap.mjs';

const BUNDLES = [
  { entry: 'clients/cli/main.ts', outfile: 'dist/beacon.mjs' },
  { entry: 'services/main.ts', outfile: 'dist/beacond.mjs' },
  { entry: 'ports/policy-engine/trial-worker.ts', outfile: 'dist/trial-worker.mjs' },
];

/** Packages that look for .proto files relative to __dirname, and the folder they look in. */
const PROTO_FOLDERS = { 'grpc-health-check': 'proto', '@grpc/reflection': 'build/proto' };

const banner = `\
import { createRequire as __createRequire } from 'node:module';
import { join as __join } from 'node:path';
const require = __createRequire(import.meta.url);
const __vendor = __join(import.meta.dirname, 'vendor');`;

/** `__dirname` of a bundled library becomes the place its files are copied to. */
const vendorPlugin = {
  name: 'vendor',
  setup(bundler) {
    const names = Object.keys(PROTO_FOLDERS).join('|');
    bundler.onLoad({ filter: new RegExp(`/node_modules/(${names})/.*\\.js$`) }, ({ path: file }) => {
      const inside = path.dirname(file.slice(file.lastIndexOf('/node_modules/') + '/node_modules/'.length));
      const source = fs.readFileSync(file, 'utf8');
      return { contents: source.replaceAll('__dirname', `(__vendor + ${JSON.stringify(`/${inside}`)})`), loader: 'js' };
    });
  },
};

function copyProtos() {
  for (const [name, folder] of Object.entries(PROTO_FOLDERS)) {
    const from = path.join(root, 'node_modules', name, folder);
    fs.cpSync(from, path.join(root, 'dist', 'vendor', name, folder), {
      recursive: true,
      filter: (file) => !file.includes('/sample'),
    });
  }
}

fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
for (const { entry, outfile } of BUNDLES) {
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
    plugins: [vendorPlugin],
    metafile: true,
    logLevel: 'warning',
  });
  const bytes = Object.values(metafile.outputs)[0].bytes;
  console.log(`${outfile}  ${(bytes / 1024).toFixed(0)} KiB`);
}
copyProtos();
