#!/usr/bin/env node
// `npm test`: says at once what the machine lacks, installs the rest, runs every check and every test, and ends with
// `N passed, N failed, N skipped`. Arguments narrow the tests (`npm test -- core/route`) and leave out the checks.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { childEnv, ensureInstalled, fail, missingTools, pinnedNode, root, say } from './bootstrap.mjs';
import { ensureTools, missingForTools, toolEnv, toolFolders } from './test-tools.mjs';

const CHECK_LIMIT_MS = 5 * 60_000;
const VITEST_LIMIT_MS = 60 * 60_000;

const filters = process.argv.slice(2);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'beacon-test-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

function environment() {
  const env = childEnv({ ...toolEnv(), BUF_CACHE_DIR: path.join(scratch, 'buf') });
  env.PATH = [...toolFolders(), env.PATH].join(path.delimiter);
  return env;
}

function run(command, args, limitMs = CHECK_LIMIT_MS) {
  return new Promise((resolve) => {
    const options = { cwd: root, env: environment(), stdio: ['ignore', 'inherit', 'inherit'], timeout: limitMs };
    const child = spawn(command, args, options);
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(false);
    });
    child.on('close', (code, signal) => {
      if (signal) say(`${command} was ended by ${signal}`);
      resolve(code === 0);
    });
  });
}

const npmBin = (name) => path.join(root, 'node_modules', '.bin', name);
const node = (...args) => run(pinnedNode(), args);

/** Relative path → bytes of every file below `folder`. */
function contents(folder) {
  const files = new Map();
  if (!fs.existsSync(folder)) return files;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    files.set(path.relative(folder, file), fs.readFileSync(file));
  }
  return files;
}

async function generatedCode() {
  if (!(await run(npmBin('buf'), ['generate', '-o', scratch]))) return false;
  const committed = contents(path.join(root, 'gen'));
  const fresh = contents(path.join(scratch, 'gen'));
  const names = [...new Set([...committed.keys(), ...fresh.keys()])].sort();
  const drifted = names.filter((name) => !(committed.get(name) && fresh.get(name)?.equals(committed.get(name))));
  for (const name of drifted) say(`gen/${name} is not what proto/ generates; run: npm run generate`);
  return drifted.length === 0;
}

function git(...args) {
  return spawnSync('git', args, { cwd: root, encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
}

/** The last release; before the first one, the last commit. Undefined outside a repository (a release archive). */
function compareWith() {
  const tag = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*');
  const ref = tag.status === 0 ? tag.stdout.toString().trim() : 'HEAD';
  return git('cat-file', '-e', `${ref}:proto`).status === 0 ? ref : undefined;
}

async function wireCompatibility() {
  const ref = compareWith();
  if (!ref) return true;
  const before = path.join(scratch, 'before');
  fs.mkdirSync(before);
  const archive = git('archive', ref, 'proto');
  const unpacked = spawnSync('tar', ['-x', '-C', before], { input: archive.stdout });
  if (archive.status !== 0 || unpacked.status !== 0) return false;
  return run(npmBin('buf'), ['breaking', 'proto', '--against', path.join(before, 'proto')]);
}

const checks = [
  ['lockfile', () => node(path.join('bin', 'complete-lock.mjs'), '--check')],
  ['proto lint', () => run(npmBin('buf'), ['lint'])],
  ['generated code', generatedCode],
  ['wire compatibility', wireCompatibility],
  ['types', () => run(npmBin('tsc'), ['-p', '.'])],
  ['format and lint', () => run(npmBin('biome'), ['check', '.'])],
];
if (fs.existsSync(path.join(root, 'policies', 'build.ts'))) {
  checks.push(['policy bundle', () => node(path.join('policies', 'build.ts'), '--check')]);
}

function readReport(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Counts of the whole run. A file that could not even be loaded has no tests of its own and counts as one failed. */
function totals(report) {
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function timed(name, work) {
  const start = performance.now();
  console.log(`\n── ${name}`);
  const ok = await work();
  console.log(`── ${name}: ${ok ? 'ok' : 'FAILED'} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return ok;
}

async function tests() {
  const report = path.join(scratch, 'report.json');
  const retried = path.join(root, 'bin', 'retried-reporter.mjs');
  const reporters = ['--reporter=default', `--reporter=${retried}`, '--reporter=json', `--outputFile.json=${report}`];
  const args = [path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...reporters, ...filters];
  const ok = await run(pinnedNode(), args, VITEST_LIMIT_MS);
  const read = readReport(report);
  const count = read ? totals(read) : { passed: 0, failed: 1, skipped: 0 };
  if (!ok && count.failed === 0) count.failed = 1; // an error outside any test, or vitest itself was ended
  return count;
}

const lacking = [...missingTools(), ...missingForTools()];
if (lacking.length > 0) fail(`npm test needs, and this machine lacks:\n  - ${lacking.join('\n  - ')}`);

const failedChecks = [];
await timed('set-up', async () => {
  await ensureInstalled({ dev: true });
  await ensureTools(pinnedNode());
  return true;
});
for (const [name, check] of filters.length > 0 ? [] : checks) {
  if (!(await timed(name, check))) failedChecks.push(name);
}
let count;
await timed('tests', async () => {
  count = await tests();
  return count.failed === 0;
});
if (failedChecks.length > 0) console.log(`\nfailed checks: ${failedChecks.join(', ')}`);
const failed = count.failed + failedChecks.length;
process.exitCode = failed === 0 ? 0 : 1;
console.log(`${count.passed} passed, ${failed} failed, ${count.skipped} skipped`);
