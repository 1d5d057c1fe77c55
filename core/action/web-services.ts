// Web APIs of well-known services: which service an address belongs to, and the deed that method, path and body name, in the
// words tools are named with. One reading for tools, REST paths, methods in the path, GraphQL and SOAP.

import type { PartExternality } from '../externality.ts';
import { parseJsonText } from '../strict-json.ts';
import { graver } from './effects.ts';
import { type Given, isObject } from './tool-arguments.ts';
import { plainName } from './tool-names.ts';
import { reachOf } from './tool-reach.ts';
import type { ServiceKind } from './tool-services.ts';
import { isVerb, namedEffect, removes } from './tool-words.ts';
import type { Effect } from './types.ts';

export type Understood = {
  readonly effect: Effect;
  readonly externality?: Partial<PartExternality>;
  readonly flags: readonly string[];
};

const HOSTS: readonly (readonly [host: RegExp, kind: ServiceKind, path?: RegExp])[] = [
  [/^slack\.com$/, 'chat', /^\/api\//],
  [/^graph\.microsoft\.com$/, 'mail', /\/(?:sendMail|messages|mailFolders)(?:\/|$)/],
  [/^graph\.microsoft\.com$/, 'chat', /\/(?:chats|teams|channels)(?:\/|$)/],
  [/^graph\.microsoft\.com$/, 'work', /\/(?:events|calendars?|todo|planner|onenote)(?:\/|$)/],
  [/^graph\.microsoft\.com$/, 'store', /\/(?:drives?|sites)(?:\/|$)/],
  [/^gmail\.googleapis\.com$/, 'mail'],
  [/^www\.googleapis\.com$/, 'work', /^\/calendar\//],
  [/^www\.googleapis\.com$/, 'store', /^\/(?:upload\/)?drive\//],
  [/^(?:sheets|docs|slides|tasks|calendar-json)\.googleapis\.com$/, 'work'],
  [/^chat\.googleapis\.com$/, 'chat'],
  [
    /\.atlassian\.net$|^api\.(?:atlassian|linear|notion|trello|clickup|monday|airtable|hubapi|pagerduty|opsgenie|newrelic|rollbar|figma|miro|todoist|ticktick|pipedrive|calendly|honeycomb|contentful|mixpanel)\.(?:com|app|io)$|^api\.app\.shortcut\.com$|^app\.asana\.com$/,
    'work',
  ],
  [
    /\.(?:my\.salesforce|lightning\.force|service-now|pipedrive|grafana|bamboohr|smartsheet|basecampapi|wrike|zohoapis|youtrack|crm\d*\.dynamics)\.(?:com|net|cloud)$|^(?:\w+\.)?sentry\.io$|^api\.datadoghq\.(?:com|eu)$/,
    'work',
  ],
  [
    /\.(?:zendesk|freshdesk|kustomerapp|gorgias|helpscout)\.(?:com|net)$|^api\.(?:intercom|helpscout)\.(?:io|net)$/,
    'desk',
  ],
  [/^(?:api|content)\.dropboxapi\.com$|^api\.box\.com$/, 'store'],
  [/\.(?:pinecone\.io|qdrant\.io|weaviate\.(?:cloud|network)|zillizcloud\.com)$/, 'mind'],
  [/^api\.telegram\.org$/, 'reach'],
  [/\.(?:mattermost|zulipchat|rocket)\.(?:com|chat)$/, 'chat'],
];
/** The same services as people see them. */
const PAGES: readonly (readonly [host: RegExp, kind: ServiceKind])[] = [
  [/^mail\.google\.com$|^outlook\.(?:office|live|office365)\.com$|^app\.fastmail\.com$|^mail\.proton\.me$/, 'mail'],
  [
    /^app\.slack\.com$|^teams\.(?:microsoft|live)\.com$|^chat\.google\.com$|\.mattermost\.com$|\.zulipchat\.com$/,
    'chat',
  ],
  [/\.zendesk\.com$|^app\.intercom\.com$|\.freshdesk\.com$|^app\.frontapp\.com$|^secure\.helpscout\.net$/, 'desk'],
  [/^drive\.google\.com$|^(?:www\.)?dropbox\.com$|^app\.box\.com$|^onedrive\.live\.com$/, 'store'],
  [
    /^(?:calendar|docs|sheets|slides|keep|tasks)\.google\.com$|^(?:www\.)?(?:notion\.so|trello\.com|airtable\.com|figma\.com|miro\.com|todoist\.com|canva\.com)$|^(?:linear|coda)\.(?:app|io)$|^app\.(?:asana|clickup|hubspot|todoist|shortcut|pipedrive|productboard|calendly|datadoghq|segment|amplitude)\.com$|\.(?:atlassian\.net|monday\.com|lightning\.force\.com|salesforce\.com|service-now\.com|pagerduty\.com|opsgenie\.com|sentry\.io|grafana\.net|bamboohr\.com|pipedrive\.com|smartsheet\.com)$/,
    'work',
  ],
];
/** They answer questions and do nothing else. */
const SEARCHERS =
  /^(?:api\.(?:tavily\.com|exa\.ai|search\.brave\.com|perplexity\.ai)|google\.serper\.dev|serpapi\.com|[\w-]+\.algolia\.net|[\w-]+-dsn\.algolia\.net)$/;
const METHODS: ReadonlyMap<string, string> = new Map([
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'update'],
  ['DELETE', 'delete'],
]);
/** Segments that say nothing of what is done. */
const FRAME =
  /^(?:api|apis|rest|v\d+[\w.-]*|\d[\d.]*|me|services|data|admin|crm|objects|sobjects|gmail|calendar|drive|upload|rpc|batch|json|public|internal|organizations|projects|\{.*\})$/i;
const AN_ID = /\d{3,}|^\d|^[0-9a-f-]{16,}$|[@%:$]|^[A-Za-z0-9=-]{28,}$|^[A-Za-z]+[-_]\d+$|^[a-z]{1,3}\d+$/;
/** A last word by which a body is a question, whoever is asked. */
const ASKED =
  /^_?(?:m?search|query|query_range|query_exemplars|series|lookup|count|aggregate|filter|find|export|preview|explain|estimate|diff|validate|read|batch_?get|batch_?read|get_?by_?\w+|list|field_caps|mget|analyze|msearch|jql|sparql|run_?query|stats)$/i;
/** Clouds of the tenant, and what they answer by POST: an export of them would be no question. */
const CLOUDS = /\.googleapis\.com$|^management\.azure\.com$|^api\.loganalytics\.(?:io|azure\.com)$/;
const LISTS = /[/:](?:list|search\w{0,20}|query|runQuery|batchGet|aggregate|lookup|count)$/;
const MAX_QUESTION = 2_048;
const MAX_FIELDS = 16;

export function serviceAt(host: string, path: string): ServiceKind | undefined {
  return HOSTS.find(([name, , where]) => name.test(host) && (where === undefined || where.test(path)))?.[1];
}

export function serviceOfPage(host: string): ServiceKind | undefined {
  return PAGES.find(([name]) => name.test(host))?.[1];
}

function short(body: readonly string[]): boolean {
  return body.reduce((sum, text) => sum + text.length, 0) <= MAX_QUESTION;
}

/** Nothing but a question goes out. `own`: to a system of the tenant. */
export function isQuestion(host: string, path: string, body: readonly string[], own: boolean): boolean {
  if (!short(body)) return false;
  if (SEARCHERS.test(host)) return !/\.algolia/.test(host) || /\/(?:query|queries|search)$/.test(path);
  if (!own && serviceAt(host, path) === undefined && !(CLOUDS.test(host) && LISTS.test(path))) return false;
  const last = path.replace(/\/+$/, '').split(/[/:]/).at(-1) as string;
  const plain = last.replace(/\.json$/, '').replace(/([a-z])([A-Z])/g, '$1_$2');
  return ASKED.test(plain) || (/\/search\/\w+$/.test(path) && short(body));
}

/** What a request to a known service does; undefined where the service is not known. */
export function serviceRequest(
  method: string,
  host: string,
  path: string,
  body: readonly string[],
): Understood | undefined {
  const service = serviceAt(host, path);
  const verb = METHODS.get(method);
  if (service === undefined || verb === undefined) return undefined;
  return understood(deedOf(verb, path), service, objectOf(body));
}

/** `/tickets/41/comments` posted creates comments; `/messages/x/trash` trashes messages; `/chat.postMessage` says it itself. */
function deedOf(verb: string, path: string): string {
  const parts = path
    .split(/[/:]/)
    .filter((part) => part !== '' && !FRAME.test(part))
    .map((part) => part.replace(/\.json$/, ''))
    .filter((part) => !AN_ID.test(part))
    .slice(-2)
    .map(plainName);
  const last = parts.at(-1) ?? '';
  const before = parts.length > 1 ? (parts[0] as string) : '';
  const named = (text: string) => text.split('_').some(isVerb);
  if (named(last)) return [last, before].join('_').replace(/_$/, '');
  if (named(before)) return `${before}_${last}`;
  return `${verb}_${last}`;
}

/** A deed in the words of a tool, at a service. */
export function understood(name: string, service: ServiceKind | undefined, given: Given): Understood {
  const asker = { server: '', service, given };
  const named = namedEffect(name, asker);
  const effect = named.effect === 'read' ? 'fetch' : named.effect === 'unknown' ? 'send' : named.effect;
  const externality = reachOf({ ...named, effect }, name, asker);
  const flags = [
    ...(removes(name, given) ? ['destructive'] : []),
    ...(effect === 'vcs_push' ? ['branch_unknown'] : []),
  ];
  return { effect, flags, ...(externality && { externality }) };
}

function objectOf(body: readonly string[]): Given {
  const text = body.length === 1 ? (body[0] as string) : '';
  if (!text.trimStart().startsWith('{') || text.length > 64 * 1024) return {};
  try {
    const value: unknown = parseJsonText(text, 'body');
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** GraphQL by the fields it asks for: a query reads, each field of a mutation is a deed. */
export function graphqlRequest(host: string, path: string, body: readonly string[]): Understood | undefined {
  if (!/\/graphql(?:\.json)?$/.test(path) && !(host === 'api.monday.com' && /^\/v2\/?$/.test(path))) return undefined;
  const { query, ...rest } = objectOf(body);
  if (typeof query !== 'string') return undefined;
  const text = query.replace(/#[^\n]*/g, ' ');
  if (/^\s*(?:query\b|\{|fragment\b)/.test(text) && !/\b(?:mutation|subscription)\b/.test(text)) {
    const plain = Object.keys(rest).every((key) => /^(?:variables|operationName|extensions)$/.test(key));
    return plain && short(body) ? { effect: 'fetch', flags: [] } : undefined;
  }
  const fields = fieldsOf(text);
  if (fields.length === 0) return undefined;
  const service = serviceAt(host, path) ?? (host === 'api.github.com' ? 'forge' : undefined);
  const variables = isObject(rest.variables) ? rest.variables : {};
  return fields
    .map((field) => understood(plainName(field), service, variables))
    .reduce((left, right) => ({
      effect: graver(left.effect, right.effect),
      flags: [...new Set([...left.flags, ...right.flags])],
      // Of several deeds one reach is known only when all of them have it.
      ...(left.externality && right.externality && { externality: right.externality }),
    }));
}

/** Names of the fields right inside the outermost braces, without their aliases. */
function fieldsOf(query: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let brackets = 0;
  for (const match of query.slice(0, 16_384).matchAll(/"(?:\\.|[^"\\])*"|[{}()]|[A-Za-z_]\w*(\s{0,8}:)?/g)) {
    const [token, alias] = match;
    if (token === '(') brackets += 1;
    else if (token === ')') brackets -= 1;
    else if (token === '{' && brackets === 0) depth += 1;
    else if (token === '}' && brackets === 0) depth -= 1;
    else if (depth === 1 && brackets === 0 && alias === undefined && /^[A-Za-z_]/.test(token)) names.push(token);
    if (names.length >= MAX_FIELDS) break;
  }
  return names;
}

/** What a SOAP call names: by its header, or by the first element of its body. */
export function soapRequest(action: string | undefined, body: readonly string[]): Understood | undefined {
  const text = body[0] ?? '';
  const said = action
    ?.replace(/^["'\s]+|["'\s]+$/g, '')
    .split(/[/#:]/)
    .at(-1);
  const inside = /<(?:[\w-]{1,40}:)?Body[^>]{0,400}>\s{0,200}<(?:[\w-]{1,40}:)?([\w-]{1,100})/.exec(
    text.slice(0, 16_384),
  )?.[1];
  if (inside === undefined) return undefined;
  // Two names that do not agree: what is in the body is what runs, and the header may be what is looked at.
  const each = [inside, ...(said === undefined || said === '' ? [] : [said])].map((name) =>
    understood(plainName(name), undefined, {}),
  );
  const worst = each.reduce((left, right) => (graver(left.effect, right.effect) === left.effect ? left : right));
  if (worst.effect === 'fetch' && !short(body)) return undefined;
  return { ...worst, flags: [...new Set(each.flatMap(({ flags }) => flags))] };
}
