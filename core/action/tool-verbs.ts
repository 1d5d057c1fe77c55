// Tools no table names, read by the verb and noun in their name and by the arguments they come with.

import { pipelineEffect } from './document-query.ts';
import { type Draft, type DraftTarget, plainTarget } from './draft.ts';
import { graphEffect } from './graph-query.ts';
import { requestDraft } from './http.ts';
import { resolvePath } from './paths.ts';
import { placeOf } from './places.ts';
import { isProtectedBranch } from './programs/special-git.ts';
import { lineIn } from './shell-action.ts';
import { sqlEffect } from './sql.ts';
import {
  bodyIn,
  type Given,
  isObject,
  methodIn,
  repositoryPaths,
  snakeCase,
  stageOf,
  type ToolCall,
} from './tool-arguments.ts';
import { actsForAnother, foreignDraft, isPersonal, localFiles } from './tool-handed.ts';
import { bareName, joined } from './tool-names.ts';
import { reachOf } from './tool-reach.ts';
import { serviceOf } from './tool-services.ts';
import { type Asker, namedEffect, READS, removes } from './tool-words.ts';
import type { Effect } from './types.ts';
import { urlTarget } from './urls.ts';

/** Keep an address for later, and ask it nothing now. */
const KEPT =
  /(?:^|_)(?:create|add|register|update|set|enable|disable|remove|subscribe|unsubscribe|configure|save|store|edit|install|list)_/;
const MAX_CONDITION = 4_096;
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
    return [{ ...base, effect, flags, ...(effect === 'read' && { residue: [] }) }, ...programsIn(sql, call)];
  }
  const graph = graphEffect(given.query ?? given.cypher ?? given.statement, `${server}_${name}`);
  if (graph !== undefined)
    return [{ ...base, effect: graph, flags: ['remote'], ...(graph === 'read' && { residue: [] }) }];
  const pipeline = pipelineEffect(given);
  if (pipeline !== undefined)
    return [{ ...base, effect: pipeline, flags: ['remote'], ...(pipeline === 'read' && { residue: [] }) }];
  if (typeof given.url === 'string' && REQUESTS.test(name) && !KEPT.test(name)) {
    const body = bodyIn(given);
    const draft = requestDraft({ method: methodIn(given, name, body), url: { text: given.url, known: true }, body });
    if (draft) return [draft];
  }
  const whole = joined(name);
  const from = joined(server);
  const bare = bareName(whole, from, READS);
  const asker: Asker = { server, service: serviceOf(from, bare, whole), given };
  const named = namedEffect(bare, asker);
  const effect = wholeCollection(named.effect, bare, given)
    ? 'database_destroy'
    : named.effect === 'vcs_push' && given.force === true
      ? 'vcs_force_push'
      : named.effect;
  const flags = ['remote', ...flagsOf(given, bare, effect)];
  if (given.dry_run === true || given.dryRun === true)
    return [{ ...base, effect: 'read', flags: [...flags, 'dry_run'] }];
  const read = effect === 'read' || effect === 'fetch';
  const externality = reachOf(named, bare, asker);
  const draft: Draft = {
    ...base,
    effect: rulesRemembered(asker) ? 'self_governance' : effect,
    flags,
    ...(read && { residue: [] }),
    ...(effect === 'delegate' && { scope: 'none' as const }),
    ...(externality && { externality }),
  };
  return [
    draft,
    ...(effect === 'vcs_push' || effect === 'vcs_force_push' ? laterRuns(call, base) : []),
    ...localFiles(call, bare, effect),
    ...foreignDraft(draft, bare, given),
  ];
}

/** Changes of every row or document: `update_many {filter: {}}`, `update_rows {where: '1=1'}`. */
function wholeCollection(effect: Effect, name: string, given: Given): boolean {
  if (effect !== 'database_change' || !/(?:^|_)(?:update|replace|set|modify|patch|overwrite)/.test(name)) return false;
  return ['filter', 'query', 'where', 'selector', 'match', 'condition', 'conditions'].some((key) => {
    const value = given[key];
    if (typeof value !== 'string') return isObject(value) && Object.keys(value).length === 0;
    const condition = value.trim();
    if (condition === '') return false;
    if (condition.startsWith('{')) return /^\{\s{0,64}\}$/.test(condition);
    return sqlEffect(`DELETE FROM t WHERE ${value.slice(0, MAX_CONDITION)}`).effect === 'database_destroy';
  });
}

/** A database that runs a program runs what stands there: `COPY … TO PROGRAM '…'`, `xp_cmdshell '…'`. */
const PROGRAM = /\b(?:program|xp_cmdshell|sys_exec|sys_eval|shell)\s{0,8}\(?\s{0,8}'((?:[^']|''){1,4000})'/gi;

function programsIn(sql: string, { where }: ToolCall): Draft[] {
  return [...sql.slice(0, 16_384).matchAll(PROGRAM)]
    .slice(0, 8)
    .flatMap((match) => lineIn(where)((match[1] as string).replaceAll("''", "'")))
    .map((draft) => ({ ...draft, flags: [...draft.flags, 'remote'] }));
}

/** What an agent is to do about being asked, kept where it looks for what to do. */
const HELD =
  /\b(?:ignor\w*|skip\w*|bypass\w*|never|don't|do not|without|disabl\w*|circumvent\w*|no need to|stop)\b[^.!?\n]{0,60}\b(?:approv\w*|ask\w*|confirm\w*|permission\w*|guard\w*|gates?|rules?|polic(?:y|ies)|hooks?|safety|warn\w*|instructions?|beacon)\b/i;

function rulesRemembered({ service, given }: Asker): boolean {
  return service === 'mind' && HELD.test(JSON.stringify(given).slice(0, 16_384));
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
  const named = [given.branch, given.ref].find((value) => typeof value === 'string') as string | undefined;
  const branch = named?.replace(/^(?:refs\/)?heads\//, '');
  if (effect === 'vcs_push' || effect === 'vcs_force_push') {
    if (branch === undefined) flags.push('branch_unknown');
    else if (isProtectedBranch(branch)) flags.push('protected_branch');
  }
  if (removes(name, given)) flags.push('destructive');
  if (given.public === true || given.visibility === 'public' || given.private === false) flags.push('public');
  const stage = stageOf(given);
  if (stage !== undefined) flags.push(stage);
  if (isPersonal(given)) flags.push('personal_account');
  if (actsForAnother(given)) flags.push('acts_for_another');
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

/** Whose data is meant, however the argument is spelt. */
const TENANT = /^(?:x_|target_|source_|for_|as_|on_behalf_of_|customer_)?tenant(?:_(?:id|name|slug|key|uuid))?$/;

function targetsOf(given: Given): DraftTarget[] {
  const out: DraftTarget[] = [];
  const owner = typeof given.owner === 'string' ? `${given.owner}/` : '';
  for (const key of NAMED) {
    const value = given[key];
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const text = String(value).slice(0, 200);
    out.push(plainTarget(`${key}:${key === 'repo' ? owner : ''}${text}`));
  }
  const tenant = Object.entries(given).find(
    ([key, value]) => typeof value === 'string' && value !== '' && TENANT.test(snakeCase(key)),
  )?.[1] as string | undefined;
  if (tenant !== undefined) out.push(plainTarget(`tenant:${tenant.slice(0, 128)}`));
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
