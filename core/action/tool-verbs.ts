// Tools no table names, read by the verb and noun in their name and by the arguments they come with.

import { type Draft, type DraftTarget, plainTarget } from './draft.ts';
import { requestDraft } from './http.ts';
import { isProtectedBranch } from './programs/special-git.ts';
import { sqlEffect } from './sql.ts';
import type { Effect } from './types.ts';
import { urlTarget } from './urls.ts';

type Call = { readonly server: string; readonly tool: string; readonly given: { readonly [name: string]: unknown } };

const words = (text: string) => new Set(text.split(' '));
const READS = words(
  'get list search read find fetch describe query show view check count lookup status inspect browse retrieve download preview validate diff compare explain summarize history info help ping test whoami analyze scan export resolve',
);
const LOSSES = words(
  'delete remove destroy drop purge wipe erase terminate truncate revoke uninstall reset clear archive cancel close',
);
const CHANGES = words(
  'create add update edit set write put patch upsert insert append upload modify rename move copy assign label tag enable disable start stop restart deploy apply scale configure install import sync transfer approve reject lock unlock resolve reopen save register link',
);
const MESSAGES = words('send post reply comment notify email message mail tweet announce broadcast dm sms chat');
const PAYMENTS = words(
  'pay charge refund purchase buy order book checkout payout invoice subscribe donate wire withdraw transfer',
);
const IDENTITY_NOUNS =
  /(?:^|_)(?:user|users|member|members|role|roles|permission|permissions|policy|policies|key|keys|token|tokens|secret|secrets|access|iam|group|groups|collaborator|admin|password|credential|credentials|mfa)(?:_|$)/;
const DATA_NOUNS =
  /(?:^|_)(?:table|database|db|collection|index|row|rows|record|records|schema|document|documents|sql)(?:_|$)/;
const INFRA_NOUNS =
  /(?:^|_)(?:instance|instances|bucket|cluster|server|vm|volume|namespace|deployment|pod|service|function|stack|project|repository|repo|environment|domain|dns|zone|snapshot|backup|network|container|image|app|site|queue|topic|resource|resources|workspace)(?:_|$)/;
const TALK_NOUNS =
  /(?:^|_)(?:issue|issues|ticket|comment|comments|pull_request|pr|review|discussion|page|doc|task|event|message|thread|draft|note|card|story|reaction|label|milestone)(?:_|$)/;
const MAIL_NOUNS = /(?:^|_)(?:email|mail|message|sms|tweet|chat|dm|notification|slack)(?:_|$)/;

/** Arguments that say what is acted upon. */
const NAMED = [
  'repo',
  'repository',
  'project',
  'branch',
  'channel',
  'channel_id',
  'table',
  'database',
  'bucket',
  'namespace',
  'cluster',
  'instance',
  'instance_id',
  'name',
  'id',
  'resource',
  'path',
  'file_path',
  'issue_number',
  'pull_number',
  'environment',
  'user',
  'username',
  'role',
];

export function readByVerb(call: Call, name: string): Draft[] {
  const { given } = call;
  const system = call.server === '' ? (name.split('_')[0] as string) : call.server;
  const tool = call.server === '' ? name : `${call.server}`;
  const base = {
    tool,
    operation: name.slice(0, 64),
    targets: targetsOf(given),
    systems: [system],
    scope: 'remote' as const,
    residue: [JSON.stringify(sorted(given))],
  };
  const sql = ['sql', 'query', 'statement'].map((key) => given[key]).find((value) => typeof value === 'string') as
    | string
    | undefined;
  if (
    sql !== undefined &&
    /^\s*(?:--|\/\*|\(|select|with|insert|update|delete|drop|truncate|alter|create|grant|revoke|explain|show|merge|replace|call|exec|vacuum|copy|set|begin|use|describe)\b/i.test(
      sql,
    )
  ) {
    const { effect, flags } = sqlEffect(sql);
    return [{ ...base, effect, flags, ...(effect === 'read' && { residue: [] }) }];
  }
  const url = typeof given.url === 'string' ? given.url : undefined;
  if (url !== undefined && /(?:^|_)(?:fetch|get|http|request|download|crawl|scrape|navigate)(?:_|$)/.test(name)) {
    const method = typeof given.method === 'string' ? given.method : 'GET';
    const draft = requestDraft({
      method,
      url: { text: url, known: true },
      body: given.body === undefined ? [] : [JSON.stringify(given.body)],
    });
    if (draft) return [draft];
  }
  const verbs = name.split('_');
  const effect = effectOf(name, verbs);
  const flags = ['remote'];
  const branch = typeof given.branch === 'string' ? given.branch : undefined;
  if (effect === 'vcs_push') {
    if (branch === undefined) flags.push('branch_unknown');
    else if (isProtectedBranch(branch)) flags.push('protected_branch');
  }
  if (LOSSES.has(verbs.find((verb) => LOSSES.has(verb)) ?? '')) flags.push('destructive');
  if (given.public === true || given.visibility === 'public' || given.private === false) flags.push('public');
  if (given.dry_run === true || given.dryRun === true)
    return [{ ...base, effect: 'read', flags: [...flags, 'dry_run'] }];
  const read = effect === 'read' || effect === 'fetch';
  // Tickets and pull requests are the tenant's own; who a mail or a chat reaches is not known.
  const own = effect === 'message' && TALK_NOUNS.test(name) && !MAIL_NOUNS.test(name);
  return [
    {
      ...base,
      effect,
      flags,
      ...(read && { residue: [] }),
      ...(own && { externality: { destination_ownership: 'tenant' as const } }),
    },
  ];
}

function effectOf(name: string, verbs: readonly string[]): Effect {
  const has = (set: ReadonlySet<string>) => verbs.some((verb) => set.has(verb));
  const first = verbs.find(
    (verb) =>
      READS.has(verb) ||
      LOSSES.has(verb) ||
      CHANGES.has(verb) ||
      MESSAGES.has(verb) ||
      PAYMENTS.has(verb) ||
      /^(?:publish|share|invite|grant|merge|push|fork|release|execute|run|eval|call|invoke)$/.test(verb),
  );
  if (first === undefined) return 'unknown';
  if (READS.has(first)) {
    if (/(?:^|_)(?:secret|secrets|credential|credentials|password|private_key|api_key|token)(?:_|$)/.test(name))
      return 'secret_fetch';
    return 'read';
  }
  if (/^(?:execute|run|eval|call|invoke)$/.test(first)) return 'unknown';
  if (first === 'publish' || first === 'release') return 'publish';
  if (first === 'share') return 'share';
  if (first === 'invite' || first === 'grant' || (IDENTITY_NOUNS.test(name) && !TALK_NOUNS.test(name)))
    return 'identity_change';
  if (first === 'merge' || first === 'push' || /(?:create_or_update|delete|push)_files?$|create_commit/.test(name))
    return 'vcs_push';
  if (first === 'fork') return 'infra_change';
  if (has(PAYMENTS) && !/file|repo|issue|data|ownership/.test(name)) return 'payment';
  if (/tweet|announce|broadcast|blog|gist/.test(name)) return 'publish';
  if (MESSAGES.has(first) || MAIL_NOUNS.test(name) || TALK_NOUNS.test(name)) return 'message';
  if (LOSSES.has(first))
    return DATA_NOUNS.test(name) ? 'database_destroy' : INFRA_NOUNS.test(name) ? 'infra_destroy' : 'send';
  if (DATA_NOUNS.test(name)) return 'database_change';
  if (INFRA_NOUNS.test(name) || /deploy|scale|restart/.test(first)) return 'infra_change';
  if (/^upload$/.test(first)) return 'send';
  return CHANGES.has(first) ? 'send' : 'unknown';
}

function targetsOf(given: Call['given']): DraftTarget[] {
  const out: DraftTarget[] = [];
  const owner = typeof given.owner === 'string' ? `${given.owner}/` : '';
  for (const key of NAMED) {
    const value = given[key];
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const text = String(value).slice(0, 200);
    out.push(plainTarget(`${key}:${key === 'repo' ? owner : ''}${text}`));
  }
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
