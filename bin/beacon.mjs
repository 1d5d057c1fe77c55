#!/usr/bin/env node
// The command line and the hooks. From a clone it installs what is missing first; a release runs the bundle.

import { launch } from './bootstrap.mjs';

const target = { bundle: 'dist/beacon.mjs', source: 'clients/cli/main.ts', rooms: ['clients', 'core', 'gen'] };

await launch(import.meta.url, target, process.argv.slice(2));
