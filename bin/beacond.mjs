#!/usr/bin/env node
// The services. From a clone it installs what is missing first; a release runs the bundle.

import { launch } from './bootstrap.mjs';

const target = {
  bundle: 'dist/beacond.mjs',
  source: 'services/main.ts',
  rooms: ['core', 'gen', 'ports', 'runtime', 'services'],
};

await launch(import.meta.url, target, process.argv.slice(2));
