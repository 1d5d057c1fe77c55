// Browser actions: looking at pages reads; what is typed, clicked or sent changes something elsewhere, told by where and on what.

import { computesOnPage } from './code.ts';
import { type Draft, fileTarget } from './draft.ts';
import { fileRequest, requestDraft } from './http.ts';
import type { Where } from './paths.ts';
import { placeOf } from './places.ts';
import type { Given } from './tool-arguments.ts';
import type { Effect } from './types.ts';
import { isLocalHost, isMetadataHost, ownerOf, readUrl, urlTarget } from './urls.ts';

const EFFECTS: readonly (readonly [RegExp, Effect])[] = [
  [/evaluate|run_code|execute|javascript|script/, 'run_opaque'],
  [/download/, 'fetch'],
  [
    /upload|submit|send|post|publish|confirm|checkout|purchase|buy|pay\b|order|drag|drop|press|fill|type|select|click|check|tap|input|dialog/,
    'send',
  ],
  [/navigate|goto|open|visit|go_back|back|forward|reload|refresh|new_tab|tab|fetch/, 'fetch'],
  [
    /snapshot|screenshot|read|extract|get|text|content|wait|scroll|hover|find|console|network|resize|close|title|html|pdf|list/,
    'read',
  ],
];
const at = (words: string) => new RegExp(`(?:^|[^a-z])(?:${words})(?:$|[^a-z])`, 'i');
const PAYS = at('pay|buy|purchase|checkout|place order|order now|book now|subscribe');
const WEAKENS =
  /(?:delete|remove|disable|turn off|switch off|deactivate|bypass|suspend)\b.{0,60}\b(?:protection|two-factor|2fa|mfa|multi-factor|audit|firewall|scanning|security|logging|ruleset)/i;
const IDENTITY = at(
  'invite|add (?:member|collaborator|user|key|admin)|make admin|grant|generate (?:new )?token|create (?:api )?(?:key|token)|reset password|change role',
);
const SHARES = at('make public|change visibility|share|anyone with the link|get link');
const DESTROYS = at(
  'delete (?:this )?(?:repository|project|account|organi[sz]ation|workspace|database|cluster|bucket|site|team)|permanently delete|erase',
);
const MERGES = at('merge|confirm merge|squash and merge|rebase and merge');
const TALKS = at(
  'comment|reply|create|submit new issue|submit|save|update|add|assign|close issue|close|reopen|resolve|label|post|edit|new issue|approve|start progress|done',
);
const PUBLISHES = at('publish|release|tweet|post to');
/** Trackers and forges of the tenant, and the part of them where people talk. */
const TRACKERS: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)$|^(?:git|gitlab|github)\./,
    /\/(?:issues|pull|pulls|merge_requests|discussions|wiki|projects)(?:\/|$)/,
  ],
  [/\.atlassian\.net$/, /^\/(?:browse|secure|jira|wiki|projects)/],
  [/^(?:linear\.app|(?:www\.)?notion\.so|app\.asana\.com|trello\.com|app\.shortcut\.com|app\.clickup\.com)$/, /./],
];
/** Change what is shown, and nothing that is kept. */
const SHOWS =
  /^\s*(?:show|hide|expand|collapse|more|less|load more|read more|see (?:more|all)|view|next|previous|prev|back|close|dismiss|got it|ok|accept(?: all)?(?: cookies)?|reject(?: all)?(?: cookies)?|cookie|menu|open menu|toggle (?:menu|sidebar|dark mode|theme)|sort|filter|zoom|play|copy|refresh|reload|search|go to|details|preview|download|print)\b|\b(?:accordion|carousel|sidebar|tooltip|pagination|tab|breadcrumb|hamburger|dropdown arrow)\b/i;
const VIEWS = at(
  'language|currency|sort|sort by|filter|per page|page size|view|theme|time ?zone|region|category|date range|units?',
);
const KEYS = /^(?:page ?(?:up|down)|arrow\w*|up|down|left|right|tab|escape|esc|home|end|f\d{1,2})$/i;
const SEARCHES = /\b(?:search(?:box|bar|field)?|query|filter|find)\b|name=["']?q\b|\[?type=["']?search/i;

type Page = { readonly host: string | undefined; readonly path: string; readonly label: string };

export function readBrowser(action: string, url: string, given: Given, where: Where): Draft[] {
  const verb = action.toLowerCase().replace(/^browser_/, '');
  const named = EFFECTS.find(([pattern]) => pattern.test(verb))?.[1] ?? 'unknown';
  const address = url === '' && typeof given.url === 'string' ? given.url : url;
  const file = fileRequest(address, 'browser', where);
  if (file) return [{ ...file, operation: verb.slice(0, 64) }];
  const read = address === '' ? undefined : readUrl(address);
  const page: Page = { host: read?.host, path: read?.path ?? '', label: labelOf(given) };
  const sends = named === 'send' || named === 'run_opaque';
  const drafts = sends ? uploads(given, where) : [];
  if (named === 'fetch' && address !== '') {
    const draft = requestDraft({ method: 'GET', url: { text: address, known: true }, body: [], tool: 'browser' });
    if (draft) return [{ ...draft, operation: verb.slice(0, 64) }, ...saved(verb, given, where)];
  }
  const effect = sends ? pageEffect(named, verb, page, given) : named;
  const local = page.host !== undefined && isLocalHost(page.host);
  const own = effect === 'message';
  const secret = drafts.some(({ targets }) => targets.some(({ id }) => isSecret(id, where)));
  return [
    ...drafts,
    {
      tool: 'browser',
      operation: verb.slice(0, 64),
      effect: page.host !== undefined && isMetadataHost(page.host) ? 'read_credential' : effect,
      targets: address === '' ? [] : [urlTarget({ text: address, known: true })],
      flags: local ? [] : ['remote', ...(effect === 'vcs_push' ? ['branch_unknown'] : [])],
      residue: effect === 'read' || effect === 'fetch' ? [] : [JSON.stringify(given)],
      systems: page.host === undefined ? ['web'] : [page.host],
      scope: local ? 'machine' : 'remote',
      externality: {
        ...(page.host !== undefined && effect === 'send' && ownerOf(page.host)),
        ...(local && { external_write: false, ...ownerOf(page.host as string) }),
        ...(own && { destination_ownership: 'tenant' as const, destination_visibility: 'team' as const }),
        ...(secret && { sensitive_payload: 'secret' as const }),
      },
    },
  ];
}

function labelOf(given: Given): string {
  return ['element', 'text', 'selector', 'label', 'name', 'ref', 'role', 'placeholder']
    .map((name) => given[name])
    .filter((value) => typeof value === 'string')
    .join(' ');
}

function pageEffect(named: Effect, verb: string, { host, path, label }: Page, given: Given): Effect {
  const local = host !== undefined && isLocalHost(host);
  const code = [given.script, given.expression, given.function, given.code].find(
    (value) => typeof value === 'string',
  ) as string | undefined;
  if (named === 'run_opaque') {
    if (code === undefined) return 'run_opaque';
    if (/document\s*\.\s*cookie|\b(?:localStorage|sessionStorage|indexedDB)\b/.test(code))
      return local ? 'read' : 'read_credential';
    return computesOnPage(code) ? 'read' : 'run_opaque';
  }
  // A page of this machine is one's own work.
  if (local) return 'send';
  const words = `${label} ${verb.replaceAll('_', ' ')}`;
  if (WEAKENS.test(label)) return 'security_disable';
  if (PAYS.test(words)) return 'payment';
  if (/press/.test(verb) && KEYS.test(String(given.key ?? given.text ?? ''))) return 'read';
  if (/select/.test(verb) && VIEWS.test(label)) return 'fetch';
  const types = /fill|type|input|press|select/.test(verb);
  if (types) return SEARCHES.test(label) && !/password|email|card|phone/i.test(label) ? 'fetch' : 'send';
  if (!/click|tap|check/.test(verb)) return 'send';
  if (DESTROYS.test(label)) return 'infra_destroy';
  if (SHARES.test(label) && !isLink(given)) return 'share';
  if (IDENTITY.test(label)) return 'identity_change';
  if (isLink(given) || shows(given)) return 'fetch';
  const talks = host !== undefined && TRACKERS.some(([site, where]) => site.test(host) && where.test(path));
  if (talks && MERGES.test(label)) return 'vcs_push';
  if (PUBLISHES.test(label)) return 'publish';
  return talks && TALKS.test(label) ? 'message' : 'send';
}

/** Following a link reads; one that is named for a deed may do it. */
function isLink(given: Given): boolean {
  const role = typeof given.role === 'string' ? given.role : '';
  const selector = typeof given.selector === 'string' ? given.selector : '';
  const element = typeof given.element === 'string' ? given.element : '';
  const link =
    /^(?:link|tab|treeitem|menuitem)$/i.test(role) ||
    /^a(?:[.#[:\s]|$)|(?:\s|>)a(?:[.#[:]|$)/.test(selector) ||
    /\b(?:link|tab|menu|breadcrumb|heading|pagination|next page|previous page)\s*$/i.test(element);
  const deed = [given.element, given.text, given.label, given.name].some(
    (value) =>
      typeof value === 'string' &&
      /^\s*(?:delete|remove|log ?out|sign ?out|unsubscribe|confirm|cancel|deactivate|revoke)\b/i.test(value),
  );
  return link && !deed;
}

function shows(given: Given): boolean {
  return [given.element, given.text, given.label, given.name].some(
    (value) => typeof value === 'string' && SHOWS.test(value),
  );
}

/** Files of this machine that go to the page. */
function uploads(given: Given, where: Where): Draft[] {
  const values = [
    given.path,
    given.file,
    given.paths,
    given.files,
    given.value,
    given.filePath,
    given.file_path,
    given.filename,
  ].flat();
  const paths = values.filter(
    (value): value is string => typeof value === 'string' && /^(?:\/|~\/|\.{1,2}\/|[A-Za-z]:[\\/])/.test(value),
  );
  return paths.slice(0, 32).map((path) => ({
    tool: 'browser',
    operation: 'read',
    effect: 'read',
    targets: [fileTarget({ text: path, known: true, glob: false }, where.cwd ?? where.workspace, where)],
    flags: [],
    residue: [],
  }));
}

function isSecret(id: string, where: Where): boolean {
  if (!id.startsWith('file:')) return false;
  return placeOf(id.slice(5), false, where).tags.some(
    (tag) => tag === 'credential' || tag === 'env_file' || tag === 'dotenv',
  );
}

function saved(verb: string, given: Given, where: Where): Draft[] {
  if (!/download|pdf|save/.test(verb)) return [];
  return uploads(given, where).map((draft) => ({
    ...draft,
    tool: 'file',
    operation: 'write',
    effect: 'write',
    flags: ['truncate', 'tool_output', 'from_network'],
  }));
}
