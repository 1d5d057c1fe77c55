#!/usr/bin/env node
// beacond's entry. Nothing is imported before the compile cache is on: reading some two hundred sources costs half of a
// start. The cache lies beside the installed packages, never in a folder that other users may write to.

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/beacond', import.meta.url)));
const { main } = await import('./beacond.ts');
const status = await main(process.argv.slice(2));
if (status !== undefined) process.exit(status);
