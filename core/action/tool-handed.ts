// What a call is handed or takes along: files of this machine, places outside, accounts that are not the tenant's.

import { type Draft, fileTarget } from './draft.ts';
import { placeOf } from './places.ts';
import { type Given, isObject, repositoryPaths, snakeCase, type ToolCall, textOf } from './tool-arguments.ts';
import { PEOPLE_NOUNS } from './tool-nouns.ts';
import { leavesFor } from './tool-reach.ts';
import type { Effect } from './types.ts';
import { ownerOf, readUrl, urlTarget } from './urls.ts';

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

/** Takes a file along: what it is given is a file of this machine, wherever that lies. */
const TAKES =
  /(?:^|_)(?:upload|attach|attachment|attachments|send|post|import|share|transfer|sync|backup|put|publish)(?:_|$)/;

/** A path of this machine that means more than a file: whatever the tool is called, it is read or written there. */
export function localFiles({ given, where }: ToolCall, name: string, effect: Effect): Draft[] {
  const drafts: Draft[] = [];
  const takes = effect !== 'vcs_push' && TAKES.test(name);
  const paths = takes ? [...repositoryPaths(given), ...attached(given)] : repositoryPaths(given);
  for (const text of paths.filter((path) => PLACES.test(path) || (takes && !/^\w+:\/\//.test(path))).slice(0, 32)) {
    const target = fileTarget({ text, known: true, glob: /[*?]/.test(text) }, where.cwd ?? where.workspace, where);
    if (!placeOf(target.id.slice(5), target.glob, where).tags.some((tag) => GRAVE.has(tag))) continue;
    const writes =
      !takes &&
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

function attached(given: Given): string[] {
  return [
    'file',
    'local_path',
    'localPath',
    'source_path',
    'source',
    'src',
    'attachment',
    'attachments',
    'image',
    'document',
  ]
    .flatMap((key) => given[key])
    .map((value) => (isObject(value) ? textOf(value, 'path file filename') : value))
    .filter((value): value is string => typeof value === 'string' && value !== '' && value.length < 1_024);
}

/** What is exported to an address leaves, whatever the verb says; whole lists of people are more than an address. */
export function foreignDraft(draft: Draft, name: string, given: Given): Draft[] {
  const to = leavesFor(given, name);
  const host = to === undefined ? undefined : readUrl(to)?.host;
  if (to === undefined || host === undefined || draft.effect === 'publish' || draft.effect === 'payment') return [];
  const owner = ownerOf(host);
  const foreign = owner.destination_ownership === 'third_party';
  const people = foreign && PEOPLE_NOUNS.test(name);
  const secret = foreign && SECRETS_TAKEN.test(name);
  return [
    {
      ...draft,
      effect: 'send',
      targets: [urlTarget({ text: to, known: true })],
      systems: [host],
      residue: [JSON.stringify(given)],
      externality: {
        ...owner,
        external_write: true,
        ...(people && { sensitive_payload: 'regulated' as const }),
        ...(secret && { sensitive_payload: 'secret' as const }),
      },
    },
  ];
}

const SECRETS_TAKEN =
  /(?:^|_)(?:env|environ|environment_variables?|env_vars?|secrets?|credentials?|tokens?|api_keys?|cookies|passwords?|keychain|keystore|ssh_keys?)(?:_|$)/;
const FREE_MAIL =
  /@(?:gmail|googlemail|outlook|hotmail|live|msn|yahoo|ymail|icloud|me|mac|aol|gmx|web|proton|protonmail|pm|fastmail|zoho|mail|yandex|qq|163)\.(?:com|de|net|org|me|ru|fr|it|es|co\.uk|at|ch)$/i;

/** An account that is a person's own, as the call names it. */
export function isPersonal(given: Given): boolean {
  return Object.entries(given).some(([key, value]) => {
    if (typeof value !== 'string' || value.length > 254) return false;
    const own = /^(?:personal|private)\b/i.test(value);
    if (!own && !FREE_MAIL.test(value)) return false;
    const name = snakeCase(key);
    return own
      ? /(?:^|_)(?:account|account_type|profile|drive|vault|identity|login)$|^account_/.test(name)
      : /(?:^|_)(?:account|from|sender|as|login|profile|identity)$|^account_email$/.test(name);
  });
}

const ANOTHER =
  /^(?:on_behalf_of|impersonated?|act(?:ing)?_as|run_as|as_user|sudo_as)(?:_(?:user|users|account|email|id|tenant|org|organi[sz]ation|principal|subject|customer|member))?(?:_(?:id|email|name))?$/;

/** In somebody else's name: nobody here knows what was delegated. */
export function actsForAnother(given: Given): boolean {
  return Object.entries(given).some(
    ([key, value]) => typeof value === 'string' && value !== '' && ANOTHER.test(snakeCase(key)),
  );
}
