// The programs the tests need beside npm's: which, which version, how each is installed, and where it then lies.
// They live in a cache outside the tree, one folder per tool and version, so a second run installs nothing.

import fs from 'node:fs';
import path from 'node:path';
import { homeFolder, runQuietly, say, versionOf } from './bootstrap.mjs';
import { withLock } from './lock.mjs';

/** From the system's packages, found on PATH. */
const REDIS = { name: 'redis-server', package: 'redis-server', least: 7 };
const INSTALL_LIMIT_MS = 20 * 60_000;
const LEAST_GO = [1, 26];
const LEAST_PYTHON_3 = 10;

/**
 * `module` is built by `go install`; `npm` is installed with npm and `setup` run once, since npm runs no scripts here;
 * `pip` are wheels in an environment of Python's own (venv), left out where there is no Python to make one.
 */
export const TOOLS = [
  { name: 'opa', version: '1.22.0', module: 'github.com/open-policy-agent/opa' },
  { name: 'grpcurl', version: '1.9.4', module: 'github.com/fullstorydev/grpcurl/cmd/grpcurl' },
  { name: 'nats-server', version: '2.15.2', module: 'github.com/nats-io/nats-server/v2' },
  { name: 'codex', version: '0.169.0', npm: '@openai/codex' },
  {
    name: 'claude',
    version: '2.1.329',
    npm: '@anthropic-ai/claude-code',
    setup: ['node_modules/@anthropic-ai/claude-code/install.cjs'],
  },
  {
    name: 'python-grpc',
    version: '1.85.1',
    pip: [
      'grpcio==1.85.1',
      'grpcio-tools==1.85.1',
      'protobuf==7.36.2',
      'setuptools==84.2.1',
      'typing_extensions==4.16.0',
    ],
  },
];

/** `$BEACON_TEST_CACHE`, else `beacon-test` in the user's cache folder. Never inside the tree. */
export function cacheFolder() {
  if (process.env.BEACON_TEST_CACHE) return path.resolve(process.env.BEACON_TEST_CACHE);
  const base = process.env.XDG_CACHE_HOME;
  return path.join(base && path.isAbsolute(base) ? base : path.join(homeFolder(), '.cache'), 'beacon-test');
}

const folderOf = (tool) => path.join(cacheFolder(), `${tool.name}-${tool.version}`);
const binFolderOf = (tool) => (tool.npm ? path.join(folderOf(tool), 'node_modules', '.bin') : folderOf(tool));

export const programOf = (tool) =>
  tool.pip ? path.join(folderOf(tool), 'bin', 'python') : path.join(binFolderOf(tool), tool.name);
export const isPresent = (tool) => fs.existsSync(programOf(tool));

/** What tests find the tools by: `TEST_TOOL_OPA`, `…_GRPCURL`, `…_NATS_SERVER` and so on; absent when not installed. */
export function toolEnv() {
  const variable = (tool) => `TEST_TOOL_${tool.name.toUpperCase().replaceAll('-', '_')}`;
  return Object.fromEntries(TOOLS.filter(isPresent).map((tool) => [variable(tool), programOf(tool)]));
}

/** Folders to put before PATH. An environment of Python's would hide the machine's own. */
export const toolFolders = () => TOOLS.filter((tool) => !tool.pip && isPresent(tool)).map(binFolderOf);

/** What must be on the machine before the tests, and cannot be installed by them, as sentences. */
export function missingForTools() {
  return [...missingGo(), ...missingRedis()];
}

const hasRedis = () => (versionOf(REDIS.name)?.[0] ?? 0) >= REDIS.least;
const canUseApt = () => process.getuid?.() === 0 && versionOf('apt-get') !== undefined;

function missingRedis() {
  if (hasRedis() || canUseApt()) return [];
  const found = versionOf(REDIS.name);
  const wanted = `${REDIS.name} >= ${REDIS.least} is needed on PATH (package ${REDIS.package}, installed here only as root with apt)`;
  return [found ? `${wanted}; found ${found.join('.')}` : wanted];
}

/** RUNLEVEL keeps the package from starting a server of its own. */
async function ensureRedis() {
  if (hasRedis()) return;
  say(`installing ${REDIS.package} with apt …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const flags = ['install', '-y', '--no-install-recommends', REDIS.package];
  const options = { limitMs: INSTALL_LIMIT_MS, env };
  if ((await runQuietly('apt-get', flags, options)) !== 0) {
    await runQuietly('apt-get', ['update'], options);
    await mustRun(REDIS.package, 'apt-get', flags, { env });
  }
  if (!hasRedis())
    throw new Error(`${REDIS.package} was installed, but ${REDIS.name} >= ${REDIS.least} is not on PATH`);
}

function missingGo() {
  const found = versionOf('go', ['version']);
  const wanted = `Go >= ${LEAST_GO.join('.')} is needed to build what the tests use`;
  if (!found) return [`${wanted} and could not be run; install it and put it on PATH`];
  const old = found[0] < LEAST_GO[0] || (found[0] === LEAST_GO[0] && found[1] < LEAST_GO[1]);
  return old ? [`${wanted} (found ${found.join('.')})`] : [];
}

async function mustRun(what, command, args, options) {
  const status = await runQuietly(command, args, { limitMs: INSTALL_LIMIT_MS, ...options });
  if (status !== 0) throw new Error(`${what} could not be installed: ${command} ended with status ${status}`);
}

/** Python >= 3.10 that can make environments; Debian's needs the package python3-venv for it. */
function hasPython() {
  const [major = 0, minor = 0] = versionOf('python3') ?? [];
  const able = major === 3 && minor >= LEAST_PYTHON_3;
  return able && versionOf('python3', ['-c', "import ensurepip, venv; print('1.0')"]) !== undefined;
}

const isWanted = (tool) => !tool.pip || hasPython();

async function installTool(tool, scratch, node) {
  fs.mkdirSync(scratch, { recursive: true });
  const what = `${tool.name} ${tool.version}`;
  if (tool.pip) {
    await mustRun(what, 'python3', ['-m', 'venv', scratch]);
    const flags = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    await mustRun(what, path.join(scratch, 'bin', 'python'), [...flags, ...tool.pip]);
    return;
  }
  if (tool.module) {
    const flags = ['install', '-trimpath', '-ldflags=-s -w', `${tool.module}@v${tool.version}`];
    // The build cache is many times the size of the two programs, so it goes with the scratch folder.
    const env = { CGO_ENABLED: '0', GOBIN: scratch, GOCACHE: path.join(cacheFolder(), 'building'), GOFLAGS: '' };
    await mustRun(what, 'go', flags, { cwd: scratch, env });
    return;
  }
  fs.writeFileSync(path.join(scratch, 'package.json'), '{"private":true}\n');
  const flags = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
  await mustRun(what, 'npm', [...flags, `${tool.npm}@${tool.version}`], { cwd: scratch });
  if (tool.setup) await mustRun(what, node, tool.setup, { cwd: scratch });
}

/** Installs what is missing, one after another, and moves each into place only when it is whole. */
export async function ensureTools(node) {
  await ensureRedis();
  const missing = TOOLS.filter((tool) => !isPresent(tool) && isWanted(tool));
  if (missing.length === 0) return;
  fs.mkdirSync(cacheFolder(), { recursive: true });
  await withLock(path.join(cacheFolder(), '.lock'), { say, limitMs: INSTALL_LIMIT_MS }, async () => {
    for (const tool of missing) {
      if (isPresent(tool)) continue;
      say(`installing ${tool.name} ${tool.version} into ${cacheFolder()} …`);
      const scratch = `${folderOf(tool)}.${process.pid}`;
      try {
        await installTool(tool, scratch, node);
        fs.rmSync(folderOf(tool), { recursive: true, force: true });
        fs.renameSync(scratch, folderOf(tool));
      } finally {
        fs.rmSync(scratch, { recursive: true, force: true });
      }
      if (!isPresent(tool))
        throw new Error(`${tool.name} ${tool.version} was installed, but ${programOf(tool)} is not there`);
    }
    fs.rmSync(path.join(cacheFolder(), 'building'), { recursive: true, force: true });
  });
}
