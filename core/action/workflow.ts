// Steps of workflows (CI jobs, schedulers, automation) read as what they run: script lines, argument lists, code,
// statements, requests, and the actions of a marketplace that are well known.

import { literal } from '../shell/values.ts';
import { type Draft, plainTarget } from './draft.ts';
import { requestDraft } from './http.ts';
import { codeReading, readShell, readWords, type ShellReading } from './shell-action.ts';
import { sqlEffect } from './sql.ts';
import {
  bodyIn,
  type Given,
  isObject,
  methodIn,
  startsProgram,
  stringsOf,
  type ToolCall,
  textOf,
} from './tool-arguments.ts';
import { bareName, plainName } from './tool-names.ts';
import { READS } from './tool-words.ts';
import type { Effect } from './types.ts';
import { understood } from './web-services.ts';
import { resolved, writtenOutside } from './workflow-text.ts';

const only = (draft: Draft): ShellReading => ({ drafts: [draft], secrets: [] });

/** Arguments that hold script text, or lines of it. */
const SCRIPTS = 'run script bash_command command cmd shell_command source commands scripts inlineScript inline_script';
const AROUND = ['before_script', 'after_script'];
/** Arguments that hold the words of one command. */
const VECTORS = ['command', 'cmd', 'cmds', 'entrypoint'];
const LANGUAGES: { readonly [name: string]: string } = {
  python_callable: 'python',
  python: 'python',
  py_code: 'python',
  jsCode: 'node',
  functionCode: 'node',
  js: 'node',
};
/** Steps that only shape data or order the others. */
const SHAPES =
  /^(?:set|edit_?fields|if|switch|filter|merge|no_?op|wait|sort|limit|aggregate|split_?out|item_?lists|empty_operator|dummy_operator|latest_only_operator|echo|pass|choice|succeed|fail)$/;

/** Undefined when the step is a tool call like any other. */
export function readStep(call: ToolCall, name: string): ShellReading | undefined {
  const { given, where } = call;
  const uses =
    textOf(given, 'uses') ?? (/^[\w.-]+\/[\w./-]+@[\w./-]+$/.test(call.tool.trim()) ? call.tool.trim() : undefined);
  if (uses !== undefined && /^actions\/github-script@/.test(uses) && isObject(given.with)) {
    const script = textOf(given.with, 'script');
    if (script !== undefined && script.trim() !== '') return forgeScript(script, uses, call);
  }
  if (uses !== undefined) return only(marketplace(uses, isObject(given.with) ? given.with : {}, call));
  const words = vectorOf(given);
  if (words)
    return readWords(
      words.map((text) => literal(text)),
      where,
    );
  const script = scriptOf(given);
  if (script !== undefined)
    return withOutside(script, inShell(textOf(given, 'shell language') ?? name, resolved(script), call));
  for (const [key, language] of Object.entries(LANGUAGES)) {
    const text = given[key];
    // A name stands for code of the project; text is read.
    if (typeof text === 'string' && /[\s(;=]/.test(text.trim())) return codeReading(language, text, where);
  }
  const sql = textOf(given, 'sql statement');
  if (sql !== undefined && sql.trim() !== '') return only(statement(sql, call, name));
  const url = textOf(given, 'url');
  if (url !== undefined) {
    const body = bodyIn(given);
    const draft = requestDraft({ method: methodIn(given, name, body), url: { text: url, known: true }, body });
    if (draft) return only(draft);
  }
  if (call.server !== '' && SHAPES.test(bareName(plainName(call.tool), plainName(call.server), READS)))
    return only({ tool: name, operation: 'note', effect: 'none', targets: [], flags: [] });
  if (/\s/.test(call.tool.trim()) && startsProgram(call.tool)) return readShell(resolved(call.tool), where);
  return undefined;
}

const FORGE_CALL = /\b(?:github|octokit)\.(?:rest\.)?(\w{1,40})\.(\w{1,60})\s{0,8}\(/g;
/** What a script can do beside asking its forge. */
const BESIDE =
  /\b(?:require|import|exec|execSync|spawn|eval|Function|fetch|process|child_process|request|graphql|secrets)\b|`[^`]{0,400}\$\{\{/;
const MAX_CALLS = 32;

/** A script of the forge's own action, by the calls it makes there; whatever else it may do is read as code. */
function forgeScript(script: string, uses: string, call: ToolCall): ShellReading {
  const calls = [...script.matchAll(FORGE_CALL)];
  if (calls.length === 0 || calls.length > MAX_CALLS || BESIDE.test(script))
    return codeReading('node', script, call.where);
  const drafts = calls.map((match): Draft => {
    const name = `${plainName(match[2] as string)}_${plainName(match[1] as string)}`;
    const told = understood(name, 'forge', {});
    return {
      tool: 'github',
      operation: plainName(match[2] as string).slice(0, 64),
      effect: told.effect,
      targets: [plainTarget(`action:${uses}`)],
      flags: ['remote', ...told.flags],
      residue: told.effect === 'fetch' ? [] : [script],
      systems: ['github.com'],
      scope: 'remote',
      ...(told.externality && { externality: told.externality }),
    };
  });
  return { drafts, secrets: [] };
}

/** Scripts are shell unless the step names another language. */
function withOutside(script: string, reading: ShellReading): ShellReading {
  if (!writtenOutside(script)) return reading;
  const unseen: Draft = {
    tool: 'shell',
    operation: 'run',
    effect: 'run_opaque',
    targets: [],
    flags: ['opaque_expression'],
    residue: [script],
  };
  return { ...reading, drafts: [...reading.drafts, unseen] };
}

function inShell(language: string, text: string, { where }: ToolCall): ShellReading {
  const named = /^(python|node|ruby|perl|php|pwsh|powershell)/.exec(language.toLowerCase())?.[1];
  const shebang = /^#!.*\b(python|node|ruby|perl)/.exec(text)?.[1];
  const other = named ?? shebang;
  if (other === undefined) return readShell(text, where);
  if (/^p(?:wsh|owershell)$/.test(other))
    return readWords([literal('pwsh'), literal('-Command'), literal(text)], where);
  return codeReading(other, text, where);
}

function scriptOf(given: Given): string | undefined {
  const lines: string[] = [];
  for (const name of [AROUND[0] as string, ...SCRIPTS.split(' '), AROUND[1] as string]) {
    const value = given[name];
    if (typeof value === 'string') lines.push(value);
    else lines.push(...stringsOf(value));
  }
  const text = lines.join('\n');
  return text.trim() === '' ? undefined : text;
}

/** `command: [kubectl, get], args: [pods]`; a list whose words hold blanks is lines of a script. */
function vectorOf(given: Given): string[] | undefined {
  for (const name of VECTORS) {
    const words = stringsOf(given[name]);
    if (words.length === 0 || /\s/.test(words[0] as string)) continue;
    const rest = stringsOf(given.args ?? given.arguments);
    const source = textOf(given, 'source script');
    // `command: [bash], source: …`: the source is what it is given.
    if (source !== undefined && words.length === 1) return [words[0] as string, '-c', resolved(source)];
    return [...words, ...rest];
  }
  return undefined;
}

function statement(sql: string, call: ToolCall, name: string): Draft {
  const { effect, flags, tables } = sqlEffect(sql);
  const id = textOf(call.given, 'conn_id postgres_conn_id mysql_conn_id snowflake_conn_id connection database') ?? '';
  return {
    tool: call.server === '' ? name : call.server,
    operation: 'statement',
    effect,
    targets: [plainTarget(`database:${id}`), ...tables.map((table) => plainTarget(`table:${table}`))],
    flags: [...flags, ...(/prod/i.test(id) ? ['production'] : [])],
    residue: effect === 'read' ? [] : [sql],
    systems: ['database'],
    scope: 'remote',
  };
}

type Known = {
  readonly name: RegExp;
  readonly effect: Effect;
  readonly flags?: readonly string[];
  readonly externality?: Draft['externality'];
};
const OWN = { destination_ownership: 'tenant', destination_visibility: 'team' } as const;
const MARKET: readonly Known[] = [
  { name: /^(?:actions\/(?:checkout|download-artifact)|dawidd6\/action-download-artifact)$/, effect: 'fetch' },
  {
    name: /^(?:actions\/(?:setup-[\w-]+|cache(?:\/\w+)?)|pnpm\/action-setup|oven-sh\/setup-bun|astral-sh\/(?:setup-uv|ruff-action)|dtolnay\/rust-toolchain|swatinem\/rust-cache|docker\/(?:setup-[\w-]+|metadata)-action|hashicorp\/setup-[\w-]+|azure\/setup-[\w-]+|google-github-actions\/setup-gcloud|ruby\/setup-ruby|gradle\/(?:actions\/.+|gradle-build-action)|denoland\/setup-deno|golangci\/golangci-lint-action|pre-commit\/action)$/i,
    effect: 'install_local',
    flags: ['pinned'],
  },
  { name: /^(?:actions\/upload-artifact|github\/codeql-action\/[\w-]+)$/, effect: 'send', externality: OWN },
  {
    name: /^(?:actions\/(?:labeler|stale|first-interaction)|peter-evans\/(?:create-pull-request|create-or-update-comment|create-issue-from-file))$/,
    effect: 'message',
    externality: OWN,
  },
  {
    name: /^(?:aws-actions\/configure-aws-credentials|aws-actions\/amazon-ecr-login|azure\/login|google-github-actions\/auth|docker\/login-action)$/i,
    effect: 'secret_fetch',
    flags: ['to_process'],
  },
  {
    name: /^(?:pypa\/gh-action-pypi-publish|softprops\/action-gh-release|ncipollo\/release-action|actions\/(?:deploy-pages|create-release)|peaceiris\/actions-gh-pages|jamesives\/github-pages-deploy-action|goreleaser\/goreleaser-action|changesets\/action|cycjimmy\/semantic-release-action|js-devtools\/npm-publish)$/i,
    effect: 'publish',
  },
  { name: /^slackapi\/slack-github-action$/, effect: 'message' },
];

/** `uses: owner/action@version`. */
function marketplace(uses: string, options: Given, call: ToolCall): Draft {
  const [name, version = ''] = uses.split('@') as [string, string | undefined];
  const base = {
    tool: name.slice(0, 120),
    operation: 'uses',
    targets: [plainTarget(`action:${uses}`)],
    residue: [JSON.stringify(options)],
    systems: [call.server === '' ? 'workflow' : call.server],
    scope: 'remote' as const,
  };
  if (name.startsWith('./'))
    return { ...base, effect: 'build', flags: ['project_script', 'script_unknown'], scope: 'workspace' };
  if (/^docker\/build-push-action$/i.test(name))
    return options.push === true || options.push === 'true'
      ? { ...base, effect: 'publish', flags: [] }
      : { ...base, effect: 'build', flags: [], scope: 'workspace' };
  const known = MARKET.find((one) => one.name.test(name));
  if (known) {
    const { effect, flags = [], externality } = known;
    return {
      ...base,
      effect,
      flags: [...flags],
      ...(externality && { externality }),
      ...(effect === 'fetch' && { residue: [] }),
      // The runner is made for this run and gone after it.
      ...(effect === 'install_local' && { scope: 'workspace' as const }),
    };
  }
  // What a commit names cannot change behind it; what a tag names can.
  return /^[0-9a-f]{40}$/.test(version)
    ? { ...base, effect: 'run_unknown', flags: ['from_registry'] }
    : { ...base, effect: 'unknown', flags: ['remote'] };
}
