// Verbs in the names of tools, and the effect they come to with their nouns. Data, and its lookup; what says nothing is unknown.

import { graver } from './effects.ts';
import type { Given } from './tool-arguments.ts';
import { saidDeed } from './tool-names.ts';
import {
  BARRIERS,
  DATA_NOUNS,
  DISKS,
  DNS,
  FORGES,
  GOVERNANCE_NOUNS,
  GUARD_NOUNS,
  IDENTITY_NOUNS,
  INFRA_NOUNS,
  LATER_NOUNS,
  MACHINE_NOUNS,
  MAIL_NOUNS,
  MAIL_RULES,
  MINOR_NOUNS,
  ONLY_ASKS,
  ORDERED,
  PROGRESS,
  RECORD_STORES,
  SECRET_NOUNS,
  SHARED,
  SIGNALS,
  TALK_NOUNS,
  WATCHERS,
} from './tool-nouns.ts';
import type { ServiceKind } from './tool-services.ts';
import type { Effect } from './types.ts';

const words = (text: string) => new Set(text.split(' '));
export const READS: ReadonlySet<string> = words(
  'get list search read find fetch describe query show view check count lookup status inspect browse retrieve download preview validate diff compare explain summarize history info help ping test whoami analyze scan scanning export reveal translate classify extract parse tokenize detect estimate predict calculate compute convert track peek quote recall suggest recommend simulate screenshot ocr transcribe embed rank rerank enumerate introspect discover verify measure identify poll tail sample crawl scrape navigate can has is ask compile research assess examine investigate diagnose interpret enrich gather match normalize observe sort filter hash encode decode visit geocode geolocate locate forecast reason reflect brainstorm outline proofread lint typecheck visualize plot nslookup whois dig traceroute',
);
/** Behind its noun a word of these is what is looked at: `pods_log`, `terraform_plan`, `cluster_events`. */
const READS_LAST = words(
  'read log logs plan status info list diff history summary events metrics top stats describe get view usage indexes schema schemas metadata details statistics size sizes counts quota version versions health balance snapshot report reports tree overview analytics replay preview diagnostics directions definition definitions references symbols',
);
/** What is run under these names looks, and changes nothing. */
const LOOKS = words(
  'scan scanning check checks tests report search analysis lookup simulation benchmark diagnostics validation inspection nrql promql logql kql spl jql soql',
);
const HARD = words(
  'delete destroy drop purge wipe erase terminate truncate expunge nuke anonymize obliterate deprovision decommission prune flush flushall flushdb del offboard dedupe',
);
const SOFT = words(
  'remove revoke uninstall reset clear archive cancel close empty discard trash forget unpublish evict void',
);
const CHANGES = words(
  'create add update edit set write put patch upsert insert append upload modify rename move copy assign label tag enable disable start stop restart deploy apply scale configure install import sync transfer approve reject lock unlock resolve reopen save register link turn deactivate unprotect suspend bypass mute issue prepare compose draft schedule acknowledge ack mark pin unpin star react complete finish escalate snooze unwatch submit trigger rerun retry resume pause rollback rotate make promote demote provision migrate swap generate render adjust hold follow like upvote bookmark favorite rate log record store remember attach detach unlink toggle switch increment decrement reorder change correct clone duplicate initialize init activate reactivate unarchive restore flag unflag vote unassign untag open raise file impersonate reschedule extend transition whitelist allowlist merge unsubscribe play skip dim print confirm accept decline hide arm disarm seed populate produce replace convert fill expose connect invalidate refresh format dismiss exchange organize prioritize triage optimize enroll reserve renew redeem freeze unfreeze unblock reverse waive upgrade downgrade launch join leave sign highlight reformat refactor zip unzip split',
);
const MESSAGES = words(
  'send post reply comment notify email message mail tweet announce broadcast dm sms chat forward',
);
const PAYMENTS = words(
  'pay charge refund purchase buy order book checkout payout invoice subscribe donate wire withdraw transfer credit reimburse tip',
);
const OTHERS = words('publish share invite grant push fork release execute run eval call invoke exec perform');
/** Nouns as often as verbs: behind one of these as the first word, a verb at the end is meant (`issueDelete`). */
const NOUN_FIRST = words(
  'issue order comment message mail email post tag label star book charge invoice link draft note report plan release share file record log credit tip flag store schedule chat sms dm',
);
/** Verbs as often nouns: behind one of the above they are what is ordered, mailed or scheduled. */
const NOUN_LAST = /^(?:test|sample|scan|screenshot|quote|plot|outline|forecast|measure|match|filter|crawl|interview)$/;
/** What a tool of many deeds is called; which of them an argument says. */
const GENERIC = words('execute run call invoke perform manage handle use dml crud operate process request action');
const DEEDS: { readonly [noun: string]: string } = {
  creation: 'create',
  deletion: 'delete',
  removal: 'remove',
  generation: 'generate',
  modification: 'modify',
  retrieval: 'retrieve',
  translation: 'translate',
  summarization: 'summarize',
  classification: 'classify',
  extraction: 'extract',
  conversion: 'convert',
  cancellation: 'cancel',
};
const WEAKENS = words(
  'delete remove destroy disable deactivate stop turn suspend bypass unprotect drop revoke clear reset mute silence pause skip disarm relax downgrade',
);
const ORDERS = words('create make add submit process initiate place confirm capture schedule approve new start set');
/** Two that became one cannot be told apart again. */
const MERGED = /duplicate|contact|customer|account|compan|record|lead|cell|profile|identit/;
/** What it puts away can be fetched back. */
const MANY = /(?:^|_)(?:batch|bulk|mass|all|every|multiple)(?:_|$)/;
const BACK = /^(?:archive|trash)$/;
/** Say plainly that harm is meant, whatever the noun behind them. */
const DIRE = words(
  'shred scramble rewrite tamper alter falsify forge corrupt hijack override kill block ban blacklist quarantine encrypt leak exfiltrate steal inject poison spoof takeover crack bruteforce exploit overload flood break sabotage overwrite clobber',
);
const OFF = /^(?:false|off|disabled?|none|no|inactive|0)$/i;
/** Servers that are stores of secrets: what is got from them is one. */
const STORES =
  /^(?:1password|onepassword|op|bitwarden|lastpass|keeper|dashlane|vault|hashicorp_vault|doppler|infisical|keepass\w*|\w*secrets?_?manager|akeyless|cyberark|conjur|\w*key_?vault|passbolt)(?:_|$)/;
const IDENTITY_SERVERS =
  /^(?:okta|auth0|keycloak|entra|azure_ad|active_directory|onelogin|jumpcloud|cognito|iam|ldap|workos|clerk|fusionauth|pingidentity|authentik|zitadel)(?:_|$)/;

/** Commands of Redis and its kin, which are no words. */
const KEYS: { readonly [command: string]: string } = Object.assign(Object.create(null), {
  ...Object.fromEntries(
    'mget hget hmget hgetall hkeys hvals hlen hexists lrange llen lindex smembers scard sismember zrange zcard zscore zrank keys exists ttl pttl type dbsize json_get json_type xrange xlen xinfo getrange strlen bitcount ft_search ft_info memory_usage client_list scan_keys hscan sscan zscan'
      .split(' ')
      .map((name) => [name, 'get']),
  ),
  ...Object.fromEntries(
    'mset hset hmset hsetnx setnx setex lpush rpush linsert lset sadd zadd incr incrby decr decrby hincrby expire pexpire persist json_set xadd geoadd pfadd setbit zincrby smove'
      .split(' ')
      .map((name) => [name, 'set']),
  ),
  ...Object.fromEntries(
    'unlink hdel lpop rpop lrem ltrim srem spop zrem zpopmin zpopmax json_del xdel xtrim getdel flushall flushdb'
      .split(' ')
      .map((name) => [name, 'delete']),
  ),
});
const KEY_STORES = /(?:^|_)(?:redis|valkey|dragonfly|keydb|memcached|upstash)(?:_|$)/;

export type Named = { readonly effect: Effect; readonly verb: string };
/** `server` in plain words, '' when there is none. */
export type Asker = { readonly server: string; readonly service: ServiceKind | undefined; readonly given: Given };

/** Another agent takes over. */
const HANDS_OVER =
  /^(?:hand_?offs?|handover)(?:_|$)|^(?:transfer|hand|delegate|route|escalate|switch)_(?:over_)?(?:to_)?(?:\w+_)?agent(?:_|$)|^(?:spawn|launch|start|create|run|call|dispatch|invoke)_(?:a_)?(?:sub_?)agents?(?:_|$)|^spawn_/;
const TO_PERSON =
  /^(?:transfer|escalate|hand_?off|handover|route|connect|assign)_(?:\w+_)?to_(?:an?_)?(?:\w+_)?(?:human|person|operator|manager|representative|rep|support_team)(?:_agent)?$|^(?:request|get|call)_human(?:_\w+)?$/;

/** What a name joins (`search_and_delete`) it does both of. */
export function namedEffect(name: string, asker: Asker): Named {
  const each = name.split(/_(?:and|then)_/);
  if (each.length === 1) return singleEffect(name, asker);
  const said = each.map((part) => singleEffect(part, asker)).filter(({ verb }) => verb !== '');
  // The noun stands with the last: `find_and_delete_users`.
  const whole = each
    .slice(0, -1)
    .map((part) => singleEffect(`${part}_${(each.at(-1) as string).split('_').slice(1).join('_')}`, asker));
  const all = [...said, ...whole.filter(({ verb }) => verb !== '')];
  return all.reduce<Named>((left, right) => (graver(left.effect, right.effect) === left.effect ? left : right), {
    effect: all.length === 0 ? 'unknown' : 'none',
    verb: '',
  });
}

const does = (verb: string) =>
  READS.has(verb) ||
  HARD.has(verb) ||
  SOFT.has(verb) ||
  CHANGES.has(verb) ||
  MESSAGES.has(verb) ||
  PAYMENTS.has(verb) ||
  OTHERS.has(verb) ||
  WEAKENS.has(verb) ||
  DIRE.has(verb);

/** A verb that is no noun as well. */
export const isVerb = (word: string) => does(word) && !NOUN_FIRST.has(word);

function singleEffect(name: string, asker: Asker): Named {
  const command = KEY_STORES.test(asker.server) ? KEYS[name] : undefined;
  if (command !== undefined) return { effect: effectOf(`${command}_value`, [command], command, asker), verb: command };
  if (ONLY_ASKS.test(name) || (WATCHERS.test(asker.server) && /^(?:run|execute)_(?:\w+_)?query$/.test(name)))
    return { effect: 'read', verb: 'query' };
  if (TO_PERSON.test(name)) return { effect: 'message', verb: 'escalate' };
  if (/^request_(?:\w+_)?(?:re)?(?:reviews?|reviewers?|changes)$/.test(name))
    return { effect: 'message', verb: 'comment' };
  if (HANDS_OVER.test(name)) return { effect: 'delegate', verb: 'delegate' };
  const verbs = name.split('_').map((word) => (Object.hasOwn(DEEDS, word) ? (DEEDS[word] as string) : word));
  const last = verbs.at(-1) as string;
  const leading = verbs.slice(0, -1).find(does);
  const said = leading === undefined || GENERIC.has(verbs[0] as string) ? saidDeed(asker.given) : undefined;
  if (said !== undefined && (!does(last) || NOUN_FIRST.has(last) || GENERIC.has(verbs[0] as string))) {
    const rest = GENERIC.has(verbs[0] as string) ? verbs.slice(1) : verbs;
    const whole = [said, ...rest].join('_');
    if (whole.split('_').some(does)) return verbEffect(whole, whole.split('_'), asker);
  }
  if ((leading === undefined && READS_LAST.has(last)) || PROGRESS.test(name))
    return { effect: readEffect(name, last, asker.server), verb: last };
  const opening = verbs[0] as string;
  if (
    NOUN_FIRST.has(opening) &&
    verbs.length > 1 &&
    does(last) &&
    !NOUN_FIRST.has(last) &&
    !PAYMENTS.has(last) &&
    !NOUN_LAST.test(last)
  )
    return { effect: effectOf(name, verbs, last, asker), verb: last };
  // `feature_flag_get_all`: what stands behind another noun is one too, where a verb follows.
  const found = verbs.findIndex(does);
  const later = found > 0 && NOUN_FIRST.has(verbs[found] as string) ? verbs.slice(found + 1).find(isVerb) : undefined;
  if (later !== undefined && !PAYMENTS.has(later)) return { effect: effectOf(name, verbs, later, asker), verb: later };
  // A plan of something is a result, unless it is done something with.
  if (opening === 'plan' && found < 0 && /^[a-z_]+(?<!er|or)$/.test(name) && name !== 'plan')
    return { effect: 'read', verb: 'plan' };
  return verbEffect(name, verbs, asker);
}

function verbEffect(name: string, verbs: readonly string[], asker: Asker): Named {
  const first = verbs.find(does);
  if (first === undefined) return { effect: 'unknown', verb: '' };
  return { effect: effectOf(name, verbs, first, asker), verb: first };
}

function readEffect(name: string, verb: string, server: string): Effect {
  if (
    STORES.test(server) &&
    !/^(?:list|search|status|info|history|ping|whoami|count|help|check|test|scan|scanning)$/.test(verb) &&
    !/(?:^|_)(?:vaults|status|health|version)(?:_|$)/.test(name)
  )
    return 'secret_fetch';
  return SECRET_NOUNS.test(name) &&
    !aboutSecret(name, verb) &&
    !/^(?:list|search|count|check|scan|scanning|detect|can|has|is|validate)$/.test(verb)
    ? 'secret_fetch'
    : 'read';
}

/** `password_policy`, `token_price`: the last word of a compound says what it is; what `by`, `for` or `from` adds does not. */
const ABOUT =
  /_(?:polic(?:y|ies)|schedules?|symbols?|requests?|tickets?|counts?|prices?|balances?|supply|holders?|metadata|status|expir(?:y|ation|ations)|strength|rules|requirements?|usage|statistics|stats|rotations?|limits?|budgets?|age|documentation|docs)$/;

function aboutSecret(name: string, verb: string): boolean {
  const head = name.replace(/_(?:by|for|from|of|with|in|to|at|on|and|or|via|using)_.*$/, '');
  return (
    ABOUT.test(head) &&
    /^(?:get|read|find|fetch|describe|query|show|view|lookup|retrieve|summarize|resolve|explain|calculate|estimate|compare|analyze|help|info|log|logs|plan|status|metrics|usage|summary)$/.test(
      verb,
    )
  );
}

const CHANGES_IT = /^(?:update|set|edit|patch|put|modify|configure|change|replace|upsert|save|write)$/;

/** A control switched off by its verb, or set to off by an argument. */
function weakens(name: string, verbs: readonly string[], first: string, given: Given): boolean {
  if (!GUARD_NOUNS.test(name) && !guardIn(given)) return false;
  if (WEAKENS.has(first) && GUARD_NOUNS.test(name)) return first !== 'turn' || verbs.includes('off');
  if (!/^(?:update|set|edit|patch|put|modify|configure|toggle|change|switch|write|replace|upsert|save)$/.test(first))
    return false;
  const off = (value: unknown) => value === false || value === null || (typeof value === 'string' && OFF.test(value));
  if (GUARD_NOUNS.test(name)) return Object.values(given).some(off) || countsNothing(given);
  return guardIn(given);
}

/** `{required_reviews: 0}`: nobody has to. */
function countsNothing(given: Given): boolean {
  return Object.entries(given).some(([key, value]) => value === 0 && /requir|approv|review|minimum|^min_/i.test(key));
}

/** `{audit_log: {enabled: false}}`, `{mfa_required: false}`. */
function guardIn(given: Given): boolean {
  return Object.entries(given).some(([key, value]) => {
    if (!GUARD_NOUNS.test(key.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase())) return false;
    if (value === false || (typeof value === 'string' && OFF.test(value))) return true;
    return (
      typeof value === 'object' &&
      value !== null &&
      Object.entries(value).some(([name, on]) => /^(?:enabled|enforced|required|active|on)$/.test(name) && on === false)
    );
  });
}

function effectOf(name: string, verbs: readonly string[], first: string, asker: Asker): Effect {
  const { server, service, given } = asker;
  if (weakens(name, verbs, first, given)) return 'security_disable';
  if (DIRE.has(first))
    return GUARD_NOUNS.test(name) || /(?:^|_)(?:logs?|history|evidence)(?:_|$)/.test(name)
      ? 'security_disable'
      : 'unknown';
  const talks = TALK_NOUNS.test(name);
  // What keeps a branch or a network: whichever way it is changed, a person should know.
  if (BARRIERS.test(name) && CHANGES_IT.test(first)) return 'system_change';
  const quiets = /^(?:dismiss|close|resolve|update|suppress|archive|ignore|mute|silence|delete|set)$/.test(first);
  if (SIGNALS.test(name) && quiets) return 'system_change';
  // Whoever holds the link holds the file.
  if (
    READS.has(first) &&
    /(?:^|_)(?:pre_?)?signed_(?:\w+_)?(?:urls?|links?)(?:_|$)|(?:^|_)sas_(?:urls?|tokens?)(?:_|$)/.test(name)
  )
    return 'share';
  if (first !== 'resolve' && READS.has(first)) return readEffect(name, first, server);
  if (first === 'resolve' && !talks && !/alert|conflict/.test(name)) return readEffect(name, first, server);
  if (GOVERNANCE_NOUNS.test(name)) return 'self_governance';
  if (/^(?:execute|run|eval|call|invoke|exec|perform)$/.test(first))
    return first !== 'eval' && verbs.some((word) => LOOKS.has(word)) ? 'read' : 'unknown';
  const draft = isDraft(name, given);
  if (!draft && (first === 'publish' || first === 'release' || goesLive(given))) return 'publish';
  if (
    first === 'share' ||
    SHARED.test(name) ||
    (service === 'store' && /link/.test(name)) ||
    (/^(?:make|set)$/.test(first) && verbs.includes('public'))
  )
    return 'share';
  if (first === 'expose' || verbs.includes('ngrok') || (verbs.includes('tunnel') && !HARD.has(first)))
    return 'remote_shell';
  if (
    IDENTITY_SERVERS.test(server) ||
    first === 'invite' ||
    first === 'grant' ||
    first === 'impersonate' ||
    (IDENTITY_NOUNS.test(name) && !talks)
  )
    return 'identity_change';
  const plants =
    /^(?:create|add|update|set|enable|activate|register|put|schedule|upsert|edit|save|insert|deploy|modify|configure|change)$/.test(
      first,
    );
  if (plants && (MAIL_RULES.test(name) || (LATER_NOUNS.test(name) && !talks))) return 'schedule';
  if (
    first === 'push' ||
    /auto_?merge/.test(name) ||
    (first === 'merge' &&
      !DATA_NOUNS.test(name) &&
      (FORGES.test(server) || talks || server === '') &&
      !MERGED.test(name)) ||
    /(?:create_or_update|delete|push|update|create)_files?(?:_contents?)?$|create_commit|(?:update|force)_(?:git_)?ref(?:erence)?$/.test(
      name,
    )
  )
    return /commit|push|merge|or_update|_ref/.test(name) || FORGES.test(server) ? 'vcs_push' : 'send';
  if (/^(?:format|wipe|erase|zero|partition|overwrite)$/.test(first) && DISKS.test(name)) return 'disk_destroy';
  // `issue_refund` issues; `refund_issue` is about one.
  const paid = verbs.some((verb) => PAYMENTS.has(verb)) || (ORDERS.has(first) && ORDERED.test(name));
  if (
    paid &&
    !/file|repo|data|ownership|template|draft|order_by|sort|note|ticket/.test(name) &&
    (first === 'issue' || !/issue/.test(name))
  )
    return 'payment';
  if (service === 'pay' && /payment|subscription|payout|dispute|balance|trade|crypto|price|coupon/.test(name))
    return 'payment';
  if (!draft && (/tweet|announce|broadcast|blog|gist/.test(name) || (service === 'social' && writes(first))))
    return 'publish';
  return changeEffect(name, first, asker, talks);
}

const writes = (first: string) =>
  MESSAGES.has(first) || /^(?:create|upload|submit|update|add|write|put|edit|comment)$/.test(first);

export function isDraft(name: string, given: Given): boolean {
  return (
    (/(?:^|_)drafts?(?:_|$)/.test(name) && !/^(?:send|post|publish|share|submit)_/.test(name)) ||
    given.draft === true ||
    given.published === false ||
    (typeof given.status === 'string' && /^(?:draft|unpublished|private)$/i.test(given.status))
  );
}

function goesLive(given: Given): boolean {
  return (
    given.published === true || (typeof given.status === 'string' && /^(?:publish|published|live)$/i.test(given.status))
  );
}

/** Of a change that is no payment, publication or matter of identity. */
function changeEffect(name: string, first: string, { server, service }: Asker, talks: boolean): Effect {
  const minor = MINOR_NOUNS.test(name);
  if (HARD.has(first) && (talks || MAIL_NOUNS.test(name)) && !minor) return 'send';
  if (MESSAGES.has(first) || MAIL_NOUNS.test(name) || talks) return 'message';
  if (first === 'sign') return 'send';
  if (/^(?:fork|star|watch|follow)$/.test(first)) return 'send';
  // What is generated or rendered is a result, unless it is one of the above.
  if (/^(?:generate|render)$/.test(first)) return 'read';
  if (/(?:^|_)(?:dns|domains?|zones?)(?:_|$)/.test(name) || DNS.test(server))
    return HARD.has(first) ? 'infra_destroy' : 'infra_change';
  const records = DATA_NOUNS.test(name) || (RECORD_STORES.test(server) && !INFRA_NOUNS.test(name));
  if (HARD.has(first) || (SOFT.has(first) && !minor))
    return records ? 'database_destroy' : INFRA_NOUNS.test(name) ? 'infra_destroy' : 'send';
  if (first === 'merge' && records) return 'database_destroy';
  if (records && !MACHINE_NOUNS.test(name)) return 'database_change';
  const ours =
    service === 'work' || service === 'home' || service === 'chat' || service === 'store' || service === 'mind';
  if (ours ? MACHINE_NOUNS.test(name) : INFRA_NOUNS.test(name)) return 'infra_change';
  if (/deploy|scale|restart|rollback/.test(first)) return 'infra_change';
  if (first === 'upload') return 'send';
  return CHANGES.has(first) || OTHERS.has(first) || SOFT.has(first) ? 'send' : 'unknown';
}

/** Whether what it takes away may be held nowhere else. */
export function removes(name: string, given: Given): boolean {
  const verbs = [...name.split('_'), ...(saidDeed(given)?.split('_') ?? [])].map((word) =>
    Object.hasOwn(DEEDS, word) ? (DEEDS[word] as string) : word,
  );
  if (MINOR_NOUNS.test(name)) return false;
  if (verbs.some((verb) => HARD.has(verb))) return true;
  // One by one it can be fetched back; who fetches back hundreds.
  if (verbs.some((verb) => BACK.test(verb)) && MANY.test(name) && !TALK_NOUNS.test(name) && !MAIL_NOUNS.test(name))
    return true;
  if (verbs[0] === 'merge' && MERGED.test(name)) return true;
  return verbs.some((verb) => SOFT.has(verb) && !BACK.test(verb)) && !TALK_NOUNS.test(name);
}
