// Runs the real Codex CLI and Claude Code once, with a scripted model and a hook, in a folder and a home of their own.
// Nothing they do can reach beyond loopback: whatever else they call goes to a proxy that is not there.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Step, startScriptedModel } from './scripted-model.ts';

export type Run = {
  /** The shell command that the client runs as its hook. */
  readonly hook: string;
  readonly steps: readonly Step[];
  /** What the hook is registered for; before a tool runs unless told. */
  readonly events?: readonly string[];
  /** Variables the hook may see beside the client's own. */
  readonly env?: Readonly<Record<string, string>>;
};

export type Ran = {
  /** What stands in the working folder's EFFECT file, or undefined when there is none. */
  readonly effect: string | undefined;
  /** What the client told the model about each tool call. */
  readonly toolResults: readonly string[];
  /** Everything the client printed, for a failing test to show. */
  readonly output: string;
  readonly exitCode: number | null;
};

export type Agent = {
  readonly surface: 'codex' | 'claude-code';
  /** Undefined when `npm test` has not installed the client. */
  readonly program: string | undefined;
  shell(command: string): Step;
  run(options: Run): Promise<Ran>;
};

/** The file whose making is the side effect that tests look for. */
export const EFFECT = 'effect.txt';
const LIMIT_MS = 60_000;
const HOOK_TIMEOUT_S = 30;
const MATCH_ALL = '*';

type Folders = { readonly home: string; readonly work: string };

async function inFolders(options: Run, start: (folders: Folders, port: number) => Start): Promise<Ran> {
  const scratch = mkdtempSync(join(tmpdir(), 'beacon-agent-'));
  const folders = { home: join(scratch, 'home'), work: join(scratch, 'work') };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  const model = await startScriptedModel(options.steps);
  try {
    const { output, exitCode } = await client(start(folders, model.port), folders, options.env ?? {});
    return { effect: contentsOf(join(folders.work, EFFECT)), toolResults: [...model.toolResults], output, exitCode };
  } finally {
    await model.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function contentsOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // the side effect did not happen
  }
}

type Start = { readonly program: string; readonly args: readonly string[]; readonly env: Record<string, string> };

function client({ program, args, env }: Start, folders: Folders, more: Readonly<Record<string, string>>) {
  const nowhere = 'http://127.0.0.1:9';
  const child = spawn(program, [...args], {
    cwd: folders.work,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    env: {
      PATH: process.env.PATH,
      HOME: folders.home,
      SHELL: '/bin/bash',
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      NO_PROXY: '127.0.0.1,localhost',
      ...env,
      ...more,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  return new Promise<{ output: string; exitCode: number | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ output, exitCode }));
  });
}

function hookTable(command: string, events: readonly string[]): string {
  const handler = { type: 'command', command, timeout: HOOK_TIMEOUT_S };
  const groups = events.map((event) => [event, [{ matcher: MATCH_ALL, hooks: [handler] }]]);
  return JSON.stringify({ hooks: Object.fromEntries(groups) });
}

export const codex: Agent = {
  surface: 'codex',
  program: process.env.TEST_TOOL_CODEX,
  shell: (command) => ({ tool: 'exec_command', input: { cmd: command } }),
  run(options) {
    return inFolders(options, ({ home }, port) => {
      writeFileSync(join(home, 'hooks.json'), hookTable(options.hook, options.events ?? ['PreToolUse']));
      writeFileSync(
        join(home, 'config.toml'),
        [
          'model = "gpt-5"',
          'model_provider = "scripted"',
          'approval_policy = "never"',
          'sandbox_mode = "danger-full-access"',
          'check_for_update_on_startup = false',
          '[analytics]',
          'enabled = false',
          '[model_providers.scripted]',
          'name = "scripted"',
          `base_url = "http://127.0.0.1:${port}/v1"`,
          'wire_api = "responses"',
          'env_key = "SCRIPTED_MODEL_KEY"',
          'request_max_retries = 0',
          'stream_max_retries = 0',
          '',
        ].join('\n'),
      );
      const flags = ['--skip-git-repo-check', '--json', '--dangerously-bypass-hook-trust'];
      return {
        program: codex.program as string,
        args: ['exec', ...flags, 'Do the scripted thing.'],
        env: { CODEX_HOME: home, SCRIPTED_MODEL_KEY: 'unused' },
      };
    });
  },
};

export const claudeCode: Agent = {
  surface: 'claude-code',
  program: process.env.TEST_TOOL_CLAUDE,
  shell: (command) => ({ tool: 'Bash', input: { command, description: 'scripted' } }),
  run(options) {
    return inFolders(options, ({ home }, port) => {
      const settings = join(home, 'settings.json');
      writeFileSync(settings, hookTable(options.hook, options.events ?? ['PreToolUse']));
      const flags = ['--model', 'claude-sonnet-4-5', '--settings', settings, '--allowedTools', 'Bash,Write,Edit,Read'];
      return {
        program: claudeCode.program as string,
        args: ['-p', 'Do the scripted thing.', ...flags, '--output-format', 'stream-json', '--verbose'],
        env: {
          CLAUDE_CONFIG_DIR: join(home, '.claude'),
          ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
          ANTHROPIC_API_KEY: 'unused',
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
          DISABLE_TELEMETRY: '1',
          DISABLE_ERROR_REPORTING: '1',
        },
      };
    });
  },
};
