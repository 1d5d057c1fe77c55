// Tools no table names, read by the verb and noun in their name and by the arguments they come with.

import { type Draft, type DraftTarget, fileTarget, plainTarget } from './draft.ts';
import { requestDraft } from './http.ts';
import { resolvePath } from './paths.ts';
import { placeOf } from './places.ts';
import { isProtectedBranch } from './programs/special-git.ts';
import { sqlEffect } from './sql.ts';
import {
  bodyIn,
  type Given,
  methodIn,
  recipientsOf,
  repositoryPaths,
  snakeCase,
  type ToolCall,
} from './tool-arguments.ts';
import { LOSSES, namedEffect, ownTalk } from './tool-words.ts';
import type { Effect } from './types.ts';
import { urlTarget } from './urls.ts';

/** Arguments that say what is acted upon. */
const NAMED =
  'repo repository project branch channel channel_id table database bucket namespace cluster instance instance_id name id resource path file_path issue_number pull_number environment user username role'.split(
    ' ',
  );
const SQL =
  /^\s*(?:--|\/\*|\(\s*select\b|select\b|with\s+\w+\s+as\b|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b|drop\s+(?:table|database|schema|index|view|user|role|function|sequence|type|trigger|extension|policy)\b|truncate\b|alter\s+(?:table|database|user|role|schema|index|system)\b|create\s+(?:or\s+replace\s+)?(?:table|database|schema|index|view|user|role|function|unique|temp\w*|materialized|extension|trigger|type)\b|grant\b|revoke\b|explain\b|show\s+\w+|merge\s+into\b|replace\s+into\b|call\s+\w+\s*\(|exec(?:ute)?\b|prepare\b|do\s+[$']|vacuum\b|copy\s+\S+\s+(?:to|from)\b|begin\b|set\s+\w+\s*(?:=|to)|use\s+\w+|describe\s+\w+)/i;
/** What is looked for is words, whatever they spell. */
const SEARCHES = /(?:^|_)(?:search|lookup|find|knowledge|vector|semantic|docs?|web|rag|retrieve|retrieval|ask)(?:_|$)/;
const DATABASES =
  /(?:^|_)(?:sql|postgres\w*|pg|mysql|mariadb|sqlite|duckdb|bigquery|snowflake|clickhouse|redshift|mssql|oracle|database|db|supabase|neon)(?:_|$)/;
const REQUESTS =
  /(?:^|_)(?:fetch|get|http|https|request|requests|download|crawl|scrape|navigate|post|put|patch|webhook|api)(?:_|$)/;
const NON_PRODUCTION = /^(?:stag(?:e|ing)|dev\w*|test\w*|qa|uat|sandbox|preview|demo)$/i;

export function readByVerb(call: ToolCall, name: string): Draft[] {
  const { given } = call;
  const server = snakeCase(call.server);
  const system = call.server === '' ? (name.split('_')[0] as string) : call.server;
  const base = {
    tool: call.server === '' ? name : call.server,
    operation: name.slice(0, 64),
    targets: targetsOf(given),
    systems: [system],
    scope: 'remote' as const,
    residue: [JSON.stringify(sorted(given))],
  };
  const sql = statementIn(given, `${server}_${name}`);
  if (sql !== undefined) {
    const { effect, flags } = sqlEffect(sql);
    return [{ ...base, effect, flags, ...(effect === 'read' && { residue: [] }) }];
  }
  if (typeof given.url === 'string' && REQUESTS.test(name)) {
    const body = bodyIn(given);
    const draft = requestDraft({ method: methodIn(given, name, body), url: { text: given.url, known: true }, body });
    if (draft) return [draft];
  }
  const { effect, verb } = namedEffect(name, server);
  const flags = ['remote', ...flagsOf(given, name, effect)];
  if (given.dry_run === true || given.dryRun === true)
    return [{ ...base, effect: 'read', flags: [...flags, 'dry_run'] }];
  const read = effect === 'read' || effect === 'fetch';
  const own = effect === 'message' && ownTalk(name, verb, recipientsOf(given).length);
  const draft: Draft = {
    ...base,
    effect,
    flags,
    ...(read && { residue: [] }),
    ...(own && { externality: { destination_ownership: 'tenant', destination_visibility: 'team' } }),
  };
  return [draft, ...(effect === 'vcs_push' ? laterRuns(call, base) : []), ...localFiles(call, name, effect)];
}

const PLACES = /^(?:~\/|file:\/\/|\/(?:home|root|Users|etc|run|var|proc|dev|usr|tmp|private)\/|[A-Za-z]:[\\/])/;
const GRAVE = new Set<string>([
  'credential',
  'identity',
  'governance',
  'schedule',
  'kernel',
  'device',
  'env_file',
  'audit',
]);

/** A path of this machine that means more than a file: whatever the tool is called, it is read or written there. */
function localFiles({ given, where }: ToolCall, name: string, effect: Effect): Draft[] {
  const drafts: Draft[] = [];
  for (const text of repositoryPaths(given)
    .filter((path) => PLACES.test(path))
    .slice(0, 32)) {
    const target = fileTarget({ text, known: true, glob: /[*?]/.test(text) }, where.cwd ?? where.workspace, where);
    if (!placeOf(target.id.slice(5), target.glob, where).tags.some((tag) => GRAVE.has(tag))) continue;
    const writes =
      effect !== 'read' &&
      /(?:^|_)(?:write|create|edit|update|save|append|put|set|delete|remove|move)(?:_|$)/.test(name);
    drafts.push({
      tool: 'file',
      operation: writes ? 'write' : 'read',
      effect: writes ? 'write' : 'read',
      targets: [target],
      flags: [],
      residue: [],
    });
  }
  return drafts;
}

function statementIn(given: Given, name: string): string | undefined {
  for (const key of ['sql', 'statement', 'query']) {
    const value = given[key];
    // A query may be words to look for; where a database is asked it is a statement.
    if (typeof value !== 'string' || value.trim() === '') continue;
    const asked = DATABASES.test(name);
    const searched = SEARCHES.test(name);
    if (key !== 'query' || (SQL.test(value) ? asked || !searched : asked && !searched)) return value;
  }
  return undefined;
}

function flagsOf(given: Given, name: string, effect: Effect): string[] {
  const flags: string[] = [];
  const branch = typeof given.branch === 'string' ? given.branch : undefined;
  if (effect === 'vcs_push') {
    if (branch === undefined) flags.push('branch_unknown');
    else if (isProtectedBranch(branch)) flags.push('protected_branch');
  }
  if (name.split('_').some((verb) => LOSSES.has(verb))) flags.push('destructive');
  if (given.public === true || given.visibility === 'public' || given.private === false) flags.push('public');
  const stage = [given.environment, given.env, given.namespace, given.stage].find(
    (value) => typeof value === 'string',
  ) as string | undefined;
  if (stage !== undefined && /prod/i.test(stage)) flags.push('production');
  else if (stage !== undefined && NON_PRODUCTION.test(stage)) flags.push('non_production');
  return flags;
}

/** Files of a repository that run something, or instruct an agent, once they are there. */
function laterRuns({ given, where }: ToolCall, base: Omit<Draft, 'effect' | 'flags'>): Draft[] {
  const found = new Map<Effect, DraftTarget[]>();
  for (const path of repositoryPaths(given)) {
    const { tags } = placeOf(resolvePath(`./${path.replace(/^\/+/, '')}`, undefined, undefined), false, {
      ...where,
      cwd: undefined,
      workspace: undefined,
      tracked: undefined,
      untracked: undefined,
    });
    const effect: Effect | undefined = tags.includes('governance')
      ? 'self_governance'
      : tags.includes('schedule')
        ? 'schedule'
        : undefined;
    if (effect) found.set(effect, [...(found.get(effect) ?? []), plainTarget(`path:${path}`)]);
  }
  return [...found].map(([effect, targets]) => ({ ...base, effect, targets, flags: ['remote'] }));
}

function targetsOf(given: Given): DraftTarget[] {
  const out: DraftTarget[] = [];
  const owner = typeof given.owner === 'string' ? `${given.owner}/` : '';
  for (const key of NAMED) {
    const value = given[key];
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const text = String(value).slice(0, 200);
    out.push(plainTarget(`${key}:${key === 'repo' ? owner : ''}${text}`));
  }
  const tenant = [given.tenant, given.tenant_id, given.tenantId].find((value) => typeof value === 'string');
  if (typeof tenant === 'string' && tenant !== '') out.push(plainTarget(`tenant:${tenant.slice(0, 128)}`));
  for (const key of ['url', 'uri'])
    if (typeof given[key] === 'string') out.push(urlTarget({ text: given[key] as string, known: true }));
  return out.slice(0, 16);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
