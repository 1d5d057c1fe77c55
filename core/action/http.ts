// HTTP requests, whoever makes them: what method, host and body say.

import { invalidArgument } from '../errors.ts';
import type { Draft } from './draft.ts';
import type { Effect } from './types.ts';
import { type Address, isMetadataHost, ownerOf, readUrl, urlTarget } from './urls.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
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

export type Request = {
  readonly method: string;
  readonly url: { readonly text: string; readonly known: boolean };
  readonly body: readonly string[];
  readonly tool?: string;
  readonly flags?: readonly string[];
};

/** The draft of one request; `undefined` when there is no address in it. */
export function requestDraft(request: Request): Draft | undefined {
  const address = readUrl(request.url.text);
  if (!address) return undefined;
  const method = request.method.toUpperCase();
  const effect = effectOf(method, address);
  const owner = ownerOf(address.host);
  const flags = [...(request.flags ?? []), 'remote'];
  if (!request.url.known && /\$/.test(address.query + address.path)) flags.push('data_in_url');
  if (address.query.length > 256) flags.push('long_query');
  if (address.credentials) flags.push('credentials_in_url');
  const host = address.host.replace(/:\d+$/, '');
  const query = address.query === '' ? [] : [address.query];
  return {
    tool: request.tool ?? 'http',
    operation: method.slice(0, 16),
    effect,
    targets: [urlTarget(request.url)],
    flags,
    residue: effect === 'fetch' ? query : [...query, ...request.body],
    systems: [host],
    scope: owner.destination_ownership === 'self' ? 'machine' : 'remote',
    externality: {
      ...owner,
      ...(effect === 'send' && {
        external_write: owner.destination_ownership !== 'self',
        ...(request.body.length === 0 && { sensitive_payload: 'none' as const }),
      }),
    },
  };
}

function effectOf(method: string, address: Address): Effect {
  if (isMetadataHost(address.host)) return 'read_credential';
  if (READS.has(method)) return 'fetch';
  const host = address.host.replace(/:\d+$/, '');
  for (const [pattern, effect] of HOSTS) if (pattern.test(host)) return effect;
  return 'send';
}

export function readHttp(
  method: string,
  url: string,
  headers: { readonly [name: string]: string },
  body: string,
  field: string,
): Draft[] {
  if (method !== '' && !/^[A-Za-z]{1,16}$/.test(method))
    throw invalidArgument(field.replace(/url$/, 'method'), 'is not an HTTP method');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url)) throw invalidArgument(field, 'must be an absolute address');
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const verb = overridden(Object.entries(headers)) ?? (method === '' ? (body === '' ? 'GET' : 'POST') : method);
  const draft = requestDraft({
    method: verb,
    url: { text: url, known: true },
    body: body === '' ? [] : [body],
    flags: names.includes('authorization') ? ['authenticated'] : [],
  });
  if (!draft) throw invalidArgument(field, 'has no host');
  return [{ ...draft, residue: [...(draft.residue ?? []), ...headersText(Object.entries(headers))] }];
}

/** What a header can make of the method, whatever the method itself says. */
export function overridden(headers: readonly (readonly [string, string])[]): string | undefined {
  const found = headers.find(([name]) => /^x-(?:http-)?method(?:-override)?$/i.test(name.trim()));
  const value = found?.[1].trim();
  return value !== undefined && /^[A-Za-z]{1,16}$/.test(value) ? value : undefined;
}

/** Headers that change with every request and nothing about what it does. */
const PASSING =
  /^(?:user-agent|accept-encoding|connection|content-length|date|host|traceparent|tracestate|baggage|x-request-id|x-correlation-id|x-amzn-trace-id)$/;

export function headersText(headers: readonly (readonly [string, string])[]): string[] {
  const kept = headers
    .map(([name, value]) => [name.trim().toLowerCase(), value.trim()] as const)
    .filter(([name]) => !PASSING.test(name))
    .map(([name, value]) => `${name}: ${value}`);
  return kept.length === 0 ? [] : [`headers ${kept.sort().join('\0')}`];
}

/** Without a host to tell more. */
export function effectOfRequest(method: string): Effect {
  return READS.has(method.toUpperCase()) ? 'fetch' : 'send';
}
