// Well-known HTTP services: what a request to them does, told by host, path and body. Data, and its lookup.

import type { PartExternality } from '../externality.ts';
import { parseJsonText } from '../strict-json.ts';
import { fieldsEffect, forgeEffect, forgePath } from './forge.ts';
import { sqlEffect } from './sql.ts';
import type { Effect } from './types.ts';
import { type Address, isPrivateHost } from './urls.ts';
import { graphqlRequest, isQuestion, serviceRequest, soapRequest } from './web-services.ts';

export type Service = {
  readonly effect: Effect;
  readonly externality?: Partial<PartExternality>;
  readonly flags?: readonly string[];
};

/** Tickets, pages and comments of the tenant's own account. */
const OWN = { destination_type: 'message', destination_visibility: 'team', destination_ownership: 'tenant' } as const;
/** Hosts whose API does one well-known thing with whatever is posted. */
const HOSTS: readonly (readonly [RegExp, Effect])[] = [
  [/^(?:api\.)?(?:stripe|paypal|adyen|squareup|braintreegateway|checkout|mollie|wise)\.com$/, 'payment'],
  [
    /^(?:hooks\.slack\.com|slack\.com|discord(?:app)?\.com|api\.telegram\.org|.*\.webhook\.office\.com|api\.twilio\.com|api\.sendgrid\.com|api\.mailgun\.net|api\.postmarkapp\.com|graph\.facebook\.com|api\.pushover\.net|ntfy\.sh)$/,
    'message',
  ],
  [
    /^(?:api\.twitter\.com|api\.x\.com|gist\.github\.com|paste(?:bin)?\.\w+|hastebin\.com|transfer\.sh|file\.io|0x0\.st|termbin\.com|dpaste\.\w+|ix\.io|catbox\.moe|.*\.catbox\.moe|gofile\.io|anonfiles\.com)$/,
    'publish',
  ],
  [/^(?:registry\.npmjs\.org|upload\.pypi\.org|crates\.io|rubygems\.org)$/, 'publish'],
];
/** A reading that gives a secret in clear. */
const STORES: readonly (readonly [host: RegExp, path: RegExp])[] = [
  [/^secretmanager\.googleapis\.com$/, /:access$/],
  [/\.vault\.azure\.net$/, /^\/(?:secrets|keys)\/./],
  [/^vault\.|^vault$|:8200$/, /^\/v1\/(?:secret|kv|database|aws|cubbyhole)\/./],
  [/(?:^|\.)1password\.com$|:8080$/, /^\/v1\/vaults\/[^/]+\/items\/./],
];
const GUARDS =
  /\/(?:mfa|2fa|two[-_]?factor|totp|firewalls?|waf|audit[-_]?(?:logs?|trail)|security[-_]policies|deletion[-_]protection)(?:\/|$)/i;
/** A question asked by POST; more than this is no question. */
const MAX_QUESTION = 2_048;
const QUESTION = /\/_(?:search|msearch|count|mget|field_caps|analyze|validate\/query)$/;
const QUESTION_KEYS = new Set(
  'query size from sort aggs aggregations _source fields track_total_hits timeout highlight collapse search_after pit knn min_score docvalue_fields runtime_mappings'.split(
    ' ',
  ),
);

/** Models that answer the tenant's own account: what is asked is kept from everybody else. */
const MODELS =
  /^(?:api\.(?:openai|anthropic|cohere|deepseek|groq|deepl|fireworks|voyageai)\.(?:com|ai)|api-free\.deepl\.com|api\.(?:mistral|perplexity|x|jina|cohere|cerebras|fireworks)\.ai|api\.together\.(?:xyz|ai)|openrouter\.ai|(?:api-inference|router)\.huggingface\.co|[\w-]+\.openai\.azure\.com|bedrock-runtime\.[\w-]+\.amazonaws\.com|(?:generativelanguage|translation|language|vision|speech|texttospeech|(?:[\w-]+-)?aiplatform)\.googleapis\.com)$/;
const INFERENCE =
  /[/:](?:completions|responses|embeddings|messages|count_?tokens|countTokens|rerank|moderations|chat|embed|classify|tokenize|detokenize|translate|detect|generate|(?:stream)?[gG]enerateContent|(?:batch)?[eE]mbedContents?|predict|invoke|converse|annotate|recognize|synthesize|transcriptions|generations|translateText|analyze\w{1,20})$/;

const PAYERS = /^(?:api\.)?(?:stripe|paypal|adyen|squareup|mollie|chargebee|recurly)\.com$/;
const CUSTOMERS = /^\/v\d+\/(?:customers|products)(?:\/[^/]+)?$/;
/** Take a statement in their body. */
const STATEMENTS =
  /^bigquery\.googleapis\.com$|\.(?:snowflakecomputing|databricks|cloud\.databricks|azuredatabricks|redshift-data\.\w+\.amazonaws)\.(?:com|net)$|:(?:8123|8086|9047)$/;

/** Databases that are spoken to by HTTP, by their port. */
const DATABASE_PORT = /:(?:9200|9201|5984|6333|8108|7700|8086|8123|8983|19530)$/;
const ENGINE = /^\/(?:v1\.\d+\/)?(containers|images|volumes|networks|exec|services|secrets|swarm|build)(?:\/|$)/;

/** What listens under a well-known port or speaks a well-known protocol, on this machine too. */
function listening(method: string, { host, path }: Address, body: readonly string[]): Service | undefined {
  if (
    /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]):750[01]$/.test(host) &&
    !/^\/api\/(?:execute|guard|actions|explain)(?:\/|$)/.test(path)
  )
    return { effect: 'self_governance' };
  if (/\/_delete_by_query$|\/admin\/tsdb\/delete_series$/.test(path))
    return { effect: 'database_destroy', flags: ['bulk'] };
  if (DATABASE_PORT.test(host)) return { effect: method === 'DELETE' ? 'database_destroy' : 'database_change' };
  if (/:8200$|^vault[.:]|^vault$/.test(host) && path.startsWith('/v1/'))
    return {
      effect: /^\/v1\/sys\/(?:audit|seal)/.test(path) && method !== 'GET' ? 'security_disable' : 'identity_change',
    };
  if (/:237[56]$/.test(host) || (host === 'unix' && ENGINE.test(path))) {
    const wide = body.some((text) =>
      /"Privileged"\s{0,4}:\s{0,4}true|"(?:\/|\/etc|\/root|\/var\/run\/docker\.sock):|"PidMode"\s{0,4}:\s{0,4}"host"/.test(
        text,
      ),
    );
    return wide || /\/(?:exec|swarm|secrets)/.test(path)
      ? { effect: 'system_change', flags: ['privileged'] }
      : { effect: method === 'DELETE' || /\/prune$/.test(path) ? 'infra_destroy' : 'infra_change' };
  }
  return undefined;
}

export function readingService(address: Address): Service | undefined {
  const plain = address.host.replace(/:\d+$/, '');
  const stored = STORES.some(
    ([host, path]) => (host.test(address.host) || host.test(plain)) && path.test(address.path),
  );
  return stored ? { effect: 'secret_fetch' } : undefined;
}

/** A statement in the body says what a database is to do, whatever the path is called. */
function statementOf(method: string, host: string, path: string, body: readonly string[]): Service | undefined {
  if (method !== 'POST' || body.length !== 1) return undefined;
  const named = STATEMENTS.test(host) || /\/(?:_sql|sql|query|queries|statements?|execute)\/?$/.test(path);
  const text = named ? (body[0] as string).slice(0, 16_384) : '';
  const sql = /"(?:query|sql|statement|stmt)"\s{0,4}:\s{0,4}"((?:[^"\\]|\\.){1,8192})"/
    .exec(text)?.[1]
    ?.replace(/\\[nrt]/g, ' ');
  if (
    sql === undefined ||
    !/^\s*(?:select|with|insert|update|delete|drop|truncate|alter|create|merge|grant|revoke|call|exec\w*|copy|explain|show)\b/i.test(
      sql,
    )
  )
    return undefined;
  const { effect, flags } = sqlEffect(sql);
  if (effect !== 'read') return { effect, flags };
  // Asked of somebody else, a question may be what is carried off.
  return STATEMENTS.test(host) || isPrivateHost(host) ? { effect: 'fetch' } : undefined;
}

/** Of a request that is not a reading. */
export function changingService(
  method: string,
  address: Address,
  body: readonly string[],
  action?: string,
): Service | undefined {
  const host = address.host.replace(/:\d+$/, '');
  const statement = statementOf(method, host, address.path, body);
  if (statement) return statement;
  const own = isPrivateHost(address.host);
  if (method === 'POST' && (asks(address.path, body) || isQuestion(host, address.path, body, own)))
    return { effect: 'fetch' };
  const known = listening(method, address, body);
  if (known) return known;
  const graph = method === 'POST' ? graphqlRequest(host, address.path, body) : undefined;
  if (graph) return graph;
  const soap = method === 'POST' && own ? soapRequest(action, body) : undefined;
  if (soap) return { effect: soap.effect === 'fetch' ? 'fetch' : 'send', flags: soap.flags };
  const path = forgePath(host, address.path);
  if (path !== undefined) {
    const effect = fieldsEffect(forgeEffect(method, path), body.join('\n'));
    if (effect === 'message') return { effect, externality: OWN };
    return { effect, flags: effect === 'vcs_push' ? ['branch_unknown'] : [] };
  }
  if (/^(?:DELETE|PUT|PATCH)$/.test(method) && GUARDS.test(address.path) && (method === 'DELETE' || switchesOff(body)))
    return { effect: 'security_disable' };
  if (method === 'POST' && MODELS.test(host) && INFERENCE.test(address.path))
    return { effect: 'send', externality: OWN };
  const asked = serviceRequest(method, host, address.path, body);
  if (asked) return asked;
  if (CUSTOMERS.test(address.path) && PAYERS.test(host))
    return method === 'DELETE' ? { effect: 'send', flags: ['destructive'] } : { effect: 'send', externality: OWN };
  for (const [pattern, effect] of HOSTS) if (pattern.test(host)) return { effect };
  return undefined;
}

function switchesOff(body: readonly string[]): boolean {
  return body.some((text) =>
    /["']?(?:enabled|enforced|required|active)["']?\s{0,4}[:=]\s{0,4}["']?(?:false|0|off|disabled)/i.test(text),
  );
}

/** A search: nothing but the question goes out. */
function asks(path: string, body: readonly string[]): boolean {
  const text = body.length === 1 ? (body[0] as string) : '';
  if (text === '' || text.length > MAX_QUESTION || !text.trimStart().startsWith('{')) return false;
  let value: unknown;
  try {
    value = parseJsonText(text, 'body');
  } catch {
    return false;
  }
  const keys = Object.keys(value as object);
  return QUESTION.test(path) && keys.every((key) => QUESTION_KEYS.has(key));
}
