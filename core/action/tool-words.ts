// Verbs and nouns in the names of tools, and the effect they come to. Data, and its lookup; what says nothing is unknown.

import { graver } from './effects.ts';
import type { Effect } from './types.ts';

const words = (text: string) => new Set(text.split(' '));
const READS = words(
  'get list search read find fetch describe query show view check count lookup status inspect browse retrieve download preview validate diff compare explain summarize history info help ping test whoami analyze scan export resolve reveal translate classify extract parse tokenize detect estimate predict calculate compute convert',
);
/** Behind its noun a word of these is what is looked at: `pods_log`, `terraform_plan`, `cluster_events`. */
const READS_LAST = words(
  'read log logs plan status info list diff history summary events metrics top stats describe get view usage',
);
export const LOSSES = words(
  'delete remove destroy drop purge wipe erase terminate truncate revoke uninstall reset clear archive cancel close',
);
const CHANGES = words(
  'create add update edit set write put patch upsert insert append upload modify rename move copy assign label tag enable disable start stop restart deploy apply scale configure install import sync transfer approve reject lock unlock resolve reopen save register link turn deactivate unprotect suspend bypass mute issue prepare compose draft schedule acknowledge ack mark pin unpin star react complete finish escalate snooze unwatch submit trigger rerun retry resume pause rollback rotate make promote demote provision migrate swap generate render',
);
const MESSAGES = words('send post reply comment notify email message mail tweet announce broadcast dm sms chat');
const PAYMENTS = words(
  'pay charge refund purchase buy order book checkout payout invoice subscribe donate wire withdraw transfer',
);
const OTHERS = words('publish share invite grant merge push fork release execute run eval call invoke exec');

const noun = (list: string) => new RegExp(`(?:^|_)(?:${list})(?:_|$)`);
const IDENTITY_NOUNS = noun(
  'users?|members?|roles?|permissions?|policy|policies|keys?|tokens?|secrets?|access|iam|groups?|collaborators?|admins?|passwords?|credentials?|mfa',
);
const DATA_NOUNS = noun('tables?|databases?|db|collections?|index|indexes|rows?|records?|schemas?|documents?|sql');
const INFRA_NOUNS = noun(
  'instances?|buckets?|clusters?|servers?|vms?|volumes?|namespaces?|deployments?|pods?|services?|functions?|stacks?|projects?|repository|repositories|repos?|environments?|domains?|dns|zones?|snapshots?|backups?|networks?|containers?|images?|apps?|sites?|queues?|topics?|resources?|workspaces?',
);
const TALK_NOUNS = noun(
  'issues?|tickets?|comments?|pull_requests?|merge_requests?|prs?|reviews?|discussions?|pages?|docs?|tasks?|events?|messages?|threads?|drafts?|notes?|cards?|story|stories|reactions?|labels?|milestones?|incidents?|meetings?|appointments?',
);
const MAIL_NOUNS = noun('emails?|mails?|messages?|sms|tweets?|chats?|dms?|notifications?|slack');
const GUARD_NOUNS = noun(
  'branch_protections?|protections?|protection_rules?|rulesets?|mfa|2fa|two_factor|two_factor_auth|totp|audit|audit_logs?|audit_log|auditing|audit_trail|cloudtrail|guardduty|firewalls?|waf|secret_scanning|vulnerability_alerts|encryption|public_access_block|deletion_protection|antivirus|edr|siem|logging|monitoring|security_policy|security_policies|security_hub|approval_rules?',
);
const WEAKENS = words(
  'delete remove destroy disable deactivate stop turn suspend bypass unprotect drop revoke clear reset',
);
const SECRET_NOUNS = noun('secrets?|credentials?|passwords?|private_key|api_keys?|tokens?|otp');
/** Servers that are stores of secrets: what is got from them is one. */
const STORES =
  /^(?:1password|onepassword|op|bitwarden|lastpass|keeper|dashlane|vault|hashicorp_vault|doppler|infisical|keepass\w*|\w*secrets?_?manager|akeyless|cyberark|conjur|\w*key_?vault|passbolt)(?:_|$)/;

export type Named = { readonly effect: Effect; readonly verb: string };

/** Another agent takes over. */
const HANDS_OVER =
  /^(?:hand_?offs?|handover)(?:_|$)|^(?:transfer|hand|delegate|route|escalate|switch)_(?:over_)?(?:to_)?(?:\w+_)?agent(?:_|$)/;

/** `server` in lower snake case, '' when there is none. What a name joins (`search_and_delete`) it does both of. */
export function namedEffect(name: string, server: string): Named {
  const each = name.split(/_(?:and|then)_/);
  if (each.length === 1) return singleEffect(name, server);
  const said = each.map((part) => singleEffect(part, server)).filter(({ verb }) => verb !== '');
  // The noun stands with the last: `find_and_delete_users`.
  const whole = each
    .slice(0, -1)
    .map((part) => singleEffect(`${part}_${(each.at(-1) as string).split('_').slice(1).join('_')}`, server));
  const all = [...said, ...whole.filter(({ verb }) => verb !== '')];
  return all.reduce<Named>((left, right) => (graver(left.effect, right.effect) === left.effect ? left : right), {
    effect: all.length === 0 ? 'unknown' : 'none',
    verb: '',
  });
}

function singleEffect(name: string, server: string): Named {
  if (HANDS_OVER.test(name)) return { effect: 'delegate', verb: 'delegate' };
  const verbs = name.split('_');
  const does = (verb: string) =>
    READS.has(verb) ||
    LOSSES.has(verb) ||
    CHANGES.has(verb) ||
    MESSAGES.has(verb) ||
    PAYMENTS.has(verb) ||
    OTHERS.has(verb);
  const last = verbs.at(-1) as string;
  const leading = verbs.slice(0, -1).find(does);
  if (leading === undefined && READS_LAST.has(last)) return { effect: readEffect(name, last, server), verb: last };
  const first = verbs.find((verb) => does(verb) || WEAKENS.has(verb));
  if (first === undefined) return { effect: 'unknown', verb: '' };
  return { effect: effectOf(name, verbs, first, server), verb: first };
}

function readEffect(name: string, verb: string, server: string): Effect {
  if (
    STORES.test(server) &&
    !/^(?:list|search|status|info|history|ping|whoami|count|help|check|test)$/.test(verb) &&
    !/(?:^|_)(?:vaults|status|health|version)(?:_|$)/.test(name)
  )
    return 'secret_fetch';
  return SECRET_NOUNS.test(name) && !/^(?:list|search|count|check)$/.test(verb) ? 'secret_fetch' : 'read';
}

function effectOf(name: string, verbs: readonly string[], first: string, server: string): Effect {
  if (WEAKENS.has(first) && GUARD_NOUNS.test(name) && (first !== 'turn' || verbs.includes('off')))
    return 'security_disable';
  if (READS.has(first)) return readEffect(name, first, server);
  if (/^(?:execute|run|eval|call|invoke|exec)$/.test(first)) return 'unknown';
  if (first === 'publish' || first === 'release') return 'publish';
  if (first === 'share' || (/^(?:make|set)$/.test(first) && verbs.includes('public'))) return 'share';
  if (first === 'invite' || first === 'grant' || (IDENTITY_NOUNS.test(name) && !TALK_NOUNS.test(name)))
    return 'identity_change';
  if (
    first === 'merge' ||
    first === 'push' ||
    /(?:create_or_update|delete|push|update|create)_files?(?:_contents?)?$|create_commit/.test(name)
  )
    return /commit|push|merge|or_update/.test(name) || /git|forge|bitbucket|gitea/.test(server) ? 'vcs_push' : 'send';
  if (first === 'fork') return 'infra_change';
  // `issue_refund` issues; `refund_issue` is about one.
  const paid = verbs.some((verb) => PAYMENTS.has(verb));
  if (paid && !/file|repo|data|ownership|template|draft/.test(name) && (first === 'issue' || !/issue/.test(name)))
    return 'payment';
  if (/tweet|announce|broadcast|blog|gist/.test(name)) return 'publish';
  if (MESSAGES.has(first) || MAIL_NOUNS.test(name) || TALK_NOUNS.test(name)) return 'message';
  if (LOSSES.has(first))
    return DATA_NOUNS.test(name) ? 'database_destroy' : INFRA_NOUNS.test(name) ? 'infra_destroy' : 'send';
  if (DATA_NOUNS.test(name)) return 'database_change';
  if (INFRA_NOUNS.test(name) || /deploy|scale|restart/.test(first)) return 'infra_change';
  if (first === 'upload') return 'send';
  // What is generated or rendered is a result, unless it is one of the above.
  if (/^(?:generate|render)$/.test(first)) return 'read';
  return CHANGES.has(first) ? 'send' : 'unknown';
}

/** Who a mail or a chat reaches is not known; tickets, pages and drafts are the tenant's own. */
export function ownTalk(name: string, verb: string, recipients: number): boolean {
  if (/(?:^|_)drafts?(?:_|$)/.test(name)) return !/^(?:send|post|publish|share)$/.test(verb);
  return recipients === 0 && TALK_NOUNS.test(name) && !MAIL_NOUNS.test(name);
}
