// The API of a code forge (GitHub, GitLab, Gitea and their kin) by method and path: one reading for `gh api`, for HTTP
// requests and for whoever else speaks to it.

import type { Effect } from './types.ts';

const GUARDS =
  /\/(?:protection|branch-protection|branch_protections?|protected_branches|rulesets?|vulnerability-alerts|automated-security-fixes|secret-scanning|code-scanning|push_rules?|approval_rules?)(?:\/|$)/;
const IDENTITY =
  /\/(?:collaborators|keys|secrets|members|memberships|invitations|teams|hooks|tokens|access_tokens|deploy_keys|permissions|variables|share)(?:\/|$)/;
const TALK =
  /\/(?:issues|pulls|merge_requests|comments|notes|reviews|reactions|award_emoji|discussions|labels|milestones|assignees|requested_reviewers|statuses|check-runs)(?:\/|$)/;

/** Of a request that is not a reading; `path` is without a leading slash, prefix of the API or query. */
export function forgeEffect(method: string, path: string): Effect {
  if (method === 'DELETE' && /^(?:repos\/[^/]+\/[^/]+|projects\/[^/]+|groups\/[^/]+)\/?$|^orgs\//.test(path))
    return 'infra_destroy';
  if (GUARDS.test(path)) return 'security_disable';
  if (
    /\/(?:contents|repository\/files)\/.*\.github(?:%2F|\/)workflows/i.test(path) ||
    /\/contents\/\.gitlab-ci\.yml$/.test(path)
  )
    return 'schedule';
  if (/\/merge$|\/git\/refs|\/contents\/|\/repository\/(?:files|commits|branches)/.test(path)) return 'vcs_push';
  if (IDENTITY.test(path)) return 'identity_change';
  if (TALK.test(path)) return 'message';
  if (/\/releases(?:\/|$)|^gists|^snippets|\/packages(?:\/|$)/.test(path)) return 'publish';
  return 'send';
}

const WEAKENS =
  /(?:security_and_analysis|secret_scanning|push_protection|dependabot|advanced_security|enforce_admins|required_\w+|delete_protection|prevent_\w+)[^\n]{0,120}?(?:disabled|false|null)|allow_(?:force_pushes|deletions)\W{1,8}true/i;
const OPENS = /(?:^|\W)(?:private\W{1,8}false|visibility\W{1,8}public|allow_forking\W{1,8}true)/i;

/** What the fields of a request make of it, where its address says nothing grave. */
export function fieldsEffect(effect: Effect, fields: string): Effect {
  if (effect !== 'send') return effect;
  if (WEAKENS.test(fields)) return 'security_disable';
  return OPENS.test(fields) ? 'share' : effect;
}

/** What the API of a forge is asked, from the address; undefined when it is none. */
export function forgePath(host: string, path: string): string | undefined {
  if (host === 'api.github.com') return path.slice(1);
  if (/^(?:gitlab|codeberg|gitea|forgejo|git|github)\./.test(host) || /(?:^|\.)(?:gitlab|github)\./.test(host))
    return /^\/api\/v\d\/(.+)$/.exec(path)?.[1];
  return undefined;
}
