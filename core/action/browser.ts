// Browser actions: looking at pages reads; what is typed, clicked or sent changes something elsewhere, told by where and on what.

import { computesOnPage } from './code-reach.ts';
import { type Draft, fileTarget } from './draft.ts';
import { fileRequest, requestDraft } from './http.ts';
import type { Where } from './paths.ts';
import { placeOf } from './places.ts';
import type { Given } from './tool-arguments.ts';
import { plainName } from './tool-names.ts';
import type { Effect } from './types.ts';
import { isLocalHost, isMetadataHost, ownerOf, readUrl, urlTarget } from './urls.ts';
import { serviceOfPage, understood } from './web-services.ts';

const EFFECTS: readonly (readonly [RegExp, Effect])[] = [
  // Whoever has them is whoever was signed in.
  [/^(?:get|list|read|export|dump|all)?_?cookies?$|^(?:get_|export_|save_)?storage_state$/, 'secret_fetch'],
  [/^performance_\w+$|trace|lighthouse|insight/, 'read'],
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
const PUBLIC_LINK = at('anyone with the link|make public');
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
  'language|currency|sort|sort by|filter|per page|page size|view|theme|time ?zone|region|category|date range|units?|period|year|month|week|quarter|interval|time ?range|group by|status filter|columns?',
);
/** Taken back by a click on the same page. */
const CART =
  /\b(?:add(?:ed)? to|remove from|save to|move to) (?:the |your |my )?(?:cart|basket|bag|wish ?list|favou?rites|list|compare)\b|\bsave for later\b|\bapply (?:coupon|discount|promo|voucher)|\bchange quantity\b/i;
/** Where a name of a deed is the heading of its description. */
const MANUAL = /^(?:docs?|developers?|reference|api-docs)\.|\/(?:docs|documentation|reference|manual)(?:\/|$)/;
/** What is typed into one of these is more than a word in a form. */
const PRIVATE_FIELD =
  /pass|\bpin\b|\bcvv|\bcvc|card|iban|ssn|secur|token|secret|\bkey\b|api.?key|otp|e-?mail|phone|address|birth|account|tax|licen/i;
const KEY_FILE = at(
  'create (?:new )?(?:api |access |private )?key|download (?:\\.?pem|key|credentials|recovery codes|backup codes|private key)|recovery codes|service account key',
);
const KEYS = /^(?:page ?(?:up|down)|arrow\w*|up|down|left|right|tab|escape|esc|home|end|f\d{1,2})$/i;
const SEARCHES = /\b(?:search(?:box|bar|field)?|query|filter|find)\b|name=["']?q\b|[#._-]q\b|\[?type=["']?search/i;

/** Made for asking. */
const ENGINES =
  /^(?:(?:www|search)\.)?(?:google\.[a-z.]{2,6}|bing\.com|duckduckgo\.com|ecosia\.org|startpage\.com|kagi\.com|search\.brave\.com|yahoo\.com|baidu\.com|qwant\.com|yandex\.(?:com|ru))$/;
/** `own`: the tenant's own people or records; `flags` beside those every part has. */
type Told = { readonly effect: Effect; readonly own?: boolean; readonly flags?: readonly string[] };
type Page = { readonly host: string | undefined; readonly path: string; readonly label: string };

export function readBrowser(action: string, url: string, given: Given, where: Where): Draft[] {
  const verb = action.toLowerCase().replace(/^browser_/, '');
  const named = EFFECTS.find(([pattern]) => pattern.test(verb))?.[1] ?? 'unknown';
  const address = url === '' && typeof given.url === 'string' ? given.url : url;
  const inline = /^\s*javascript:(.*)$/is.exec(address)?.[1];
  if (inline !== undefined) return readBrowser('evaluate', '', { ...given, url: '', script: decoded(inline) }, where);
  const file = fileRequest(address, 'browser', where);
  if (file) return [{ ...file, operation: verb.slice(0, 64) }];
  const read = address === '' ? undefined : readUrl(address);
  const page: Page = { host: read?.host, path: read?.path ?? '', label: labelOf(given) };
  const sends = named === 'send' || named === 'run_opaque';
  const drafts = sends ? uploads(given, where) : [];
  const keys = /download|save/.test(verb) && KEY_FILE.test(page.label);
  if (named === 'fetch' && address !== '' && !keys) {
    const draft = requestDraft({ method: 'GET', url: { text: address, known: true }, body: [], tool: 'browser' });
    if (draft) return [{ ...draft, operation: verb.slice(0, 64) }, ...saved(verb, given, where)];
  }
  const told: Told = keys
    ? { effect: 'read_credential' }
    : sends
      ? pageEffect(named, verb, page, given)
      : { effect: named };
  const { effect } = told;
  const local = page.host !== undefined && isLocalHost(page.host);
  const own = told.own ?? (effect === 'message' && told.flags === undefined);
  const secret = drafts.some(({ targets }) => targets.some(({ id }) => isSecret(id, where)));
  return [
    ...drafts,
    {
      tool: 'browser',
      operation: verb.slice(0, 64),
      effect: page.host !== undefined && isMetadataHost(page.host) ? 'read_credential' : effect,
      targets: address === '' ? [] : [urlTarget({ text: address, known: true })],
      flags: local ? [] : ['remote', ...(effect === 'vcs_push' ? ['branch_unknown'] : []), ...(told.flags ?? [])],
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

function pageEffect(named: Effect, verb: string, page: Page, given: Given): Told {
  const { host, path, label } = page;
  const local = host !== undefined && isLocalHost(host);
  if (named === 'run_opaque') return { effect: scriptEffect(given, local) };
  // A page of this machine is one's own work.
  if (local) return { effect: 'send' };
  const words = `${label} ${verb.replaceAll('_', ' ')}`;
  if (WEAKENS.test(label)) return { effect: 'security_disable' };
  if (PAYS.test(words)) return { effect: 'payment' };
  if (/press/.test(verb) && KEYS.test(String(given.key ?? given.text ?? ''))) return { effect: 'read' };
  if (/select/.test(verb) && VIEWS.test(label)) return { effect: 'fetch' };
  if (/fill|type|input|press|select/.test(verb)) return typed(verb, page, given);
  if (/submit/.test(verb) && searches(page, given)) return { effect: 'fetch' };
  if (!/click|tap|check/.test(verb)) return { effect: 'send' };
  if (DESTROYS.test(label)) return { effect: 'infra_destroy' };
  if (SHARES.test(label) && (!isLink(given, page) || PUBLIC_LINK.test(label))) return { effect: 'share' };
  if (IDENTITY.test(label)) return { effect: 'identity_change' };
  if (isLink(given, page) || shows(given)) return { effect: 'fetch' };
  const talks = host !== undefined && TRACKERS.some(([site, where]) => site.test(host) && where.test(path));
  if (talks && MERGES.test(label)) return { effect: 'vcs_push' };
  if (PUBLISHES.test(label)) return { effect: 'publish' };
  if (CART.test(label)) return { effect: 'send', own: true };
  if (talks && TALKS.test(label)) return { effect: 'message' };
  return host === undefined ? { effect: 'send' } : atService(host, given);
}

function scriptEffect(given: Given, local: boolean): Effect {
  const code = [given.script, given.expression, given.function, given.code].find(
    (value) => typeof value === 'string',
  ) as string | undefined;
  if (code === undefined) return 'run_opaque';
  if (/document\s*\.\s*cookie|\b(?:localStorage|sessionStorage|indexedDB)\b/.test(code))
    return local ? 'read' : 'read_credential';
  return computesOnPage(code) ? 'read' : 'run_opaque';
}

/** What stands in a field is sent by something else, unless it ends with the key that sends it. */
function typed(verb: string, { host, label }: Page, given: Given): Told {
  const asks = SEARCHES.test(label) || (host !== undefined && ENGINES.test(host));
  if (asks && !PRIVATE_FIELD.test(label)) return { effect: 'fetch' };
  const text = [given.text, given.value, given.keys, given.key].find((value) => typeof value === 'string') ?? '';
  const goes =
    /press/.test(verb) ||
    given.submit === true ||
    given.pressEnter === true ||
    given.press_enter === true ||
    /[\r\n]$|^(?:enter|return)$/i.test(text as string);
  const several = ['fields', 'values', 'elements'].some((key) => given[key] !== undefined);
  const plain = !goes && !several && label !== '' && !PRIVATE_FIELD.test(label);
  return plain ? { effect: 'send', flags: ['unsent'] } : { effect: 'send' };
}

/** A form that only asks: its address or its one field says so. */
function searches({ host, path, label }: Page, given: Given): boolean {
  const fields = typeof given.fields === 'object' && given.fields !== null ? Object.keys(given.fields) : [];
  const asks =
    /\/(?:search|find|lookup|results)(?:\/|$)/.test(path) || SEARCHES.test(label) || /\bsearch\b/i.test(label);
  return (
    host !== undefined &&
    asks &&
    fields.every((name) => /^(?:q|query|search|s|term|keywords?|page|sort|lang|filter)$/i.test(name))
  );
}

/** The label in the words of a tool, at a service that is the tenant's own. */
function atService(host: string, given: Given): Told {
  const service = serviceOfPage(host);
  const label = [given.element, given.label, given.text, given.name].find((value) => typeof value === 'string') as
    | string
    | undefined;
  if (service === undefined || label === undefined || label.length > 80) return { effect: 'send' };
  const name = plainName(label.replace(/\b(?:button|icon|menu ?item)\b/gi, '').trim());
  const { effect, externality, flags } = understood(name, service, {});
  if (effect === 'fetch') return { effect };
  return { effect, own: externality?.destination_ownership === 'tenant', flags };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Following a link reads; one that is named for a deed may do it. */
function isLink(given: Given, { host, path }: Page): boolean {
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
  const manual = host !== undefined && serviceOfPage(host) === undefined && (MANUAL.test(host) || MANUAL.test(path));
  return link && (!deed || manual);
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
