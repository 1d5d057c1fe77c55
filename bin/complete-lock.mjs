#!/usr/bin/env node
// Adds to package-lock.json the platform packages that the registry at hand did not list when it was written, since
// `npm ci` refuses a lockfile without them. Run after `npm install`; `--check` only tells. Integrity stays unknown
// for what could not be fetched: npm takes those on the platform that needs them, at the exact version.

import fs from 'node:fs';
import path from 'node:path';
import { root, say } from './bootstrap.mjs';

const OS = {
  android: 'android',
  darwin: 'darwin',
  linux: 'linux',
  win32: 'win32',
  freebsd: 'freebsd',
  openbsd: 'openbsd',
};
const CPU = { x64: 'x64', arm64: 'arm64', aarch64: 'arm64', armv7: 'arm', arm: 'arm', ia32: 'ia32' };

/** The platform a package's name says it is for, or undefined when it names none. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.map((word) => OS[word]).find(Boolean);
  const cpu = words.map((word) => CPU[word]).find(Boolean);
  return os && cpu ? { os: [os], cpu: [cpu], ...(words.includes('musl') ? { libc: ['musl'] } : {}) } : undefined;
}

function absent(packages) {
  const found = [];
  for (const [where, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const nested = `${where === '' ? '' : `${where}/`}node_modules/${name}`;
      if (packages[nested] || packages[`node_modules/${name}`]) continue;
      found.push({ where: `node_modules/${name}`, name, version, dev: parent.dev });
    }
  }
  return found;
}

const file = path.join(root, 'package-lock.json');
const lock = JSON.parse(fs.readFileSync(file, 'utf8'));
const missing = absent(lock.packages);
for (const { where, name, version, dev } of missing) {
  const platform = platformOf(name);
  if (!platform || !/^\d+\.\d+\.\d+$/.test(version)) {
    say(`${name}@${version} is not in package-lock.json and its platform cannot be told; add it by hand`);
    process.exit(1);
  }
  lock.packages[where] = { version, ...(dev ? { dev } : {}), optional: true, ...platform };
}
if (missing.length > 0 && process.argv.includes('--check')) {
  say(`package-lock.json lacks ${missing.map(({ name }) => name).join(', ')}; run: node bin/complete-lock.mjs`);
  process.exit(1);
}
if (missing.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  say(`added ${missing.length} platform packages to package-lock.json`);
}
