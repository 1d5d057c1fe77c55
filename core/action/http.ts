// HTTP requests, whoever makes them: what method, host and body say.

import { invalidArgument } from '../errors.ts';
import { cloudAction } from './cloud-actions.ts';
import { type Draft, fileTarget, plainTarget } from './draft.ts';
import { kubernetesRequest } from './kubernetes-http.ts';
import type { Where } from './paths.ts';
import { changingService, readingService, type Service } from './services.ts';
import { sqlEffect } from './sql.ts';
import { isPersonal } from './tool-handed.ts';
import type { Effect } from './types.ts';
import { type Address, isMetadataHost, isPrivateHost, ownerOf, readUrl, urlTarget } from './urls.ts';

const MAX_QUERY = 2_048;
const READS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
export type Request = {
  readonly method: string;
  readonly url: { readonly text: string; readonly known: boolean };
  readonly body: readonly string[];
  readonly tool?: string;
  readonly flags?: readonly string[];
  /** The deed that a header names, of SOAP and of clouds. */
  readonly action?: string | undefined;
};

/** A file behind an address is a file. */
export function fileRequest(text: string, tool: string, where: Where, cwd = where.cwd): Draft | undefined {
  // One slash does as well as three.
  const address = text.replace(/^file:\/(?!\/)/i, 'file:///');
  if (!/^file:\/\//i.test(address)) return undefined;
  return {
    tool,
    operation: 'read',
    effect: 'read',
    targets: [fileTarget({ text: address, known: true, glob: false }, cwd, where)],
    flags: [],
    residue: [],
  };
}

/** The draft of one request; `undefined` when there is no address in it. */
export function requestDraft(request: Request): Draft | undefined {
  const address = readUrl(request.url.text);
  if (!address) return undefined;
  const method = request.method.toUpperCase();
  const cluster = kubernetesRequest(method, address, request.body)?.[0];
  if (cluster) return { ...cluster, flags: [...(request.flags ?? []), ...cluster.flags] };
  const told = serviceOf(method, address, request);
  const service =
    askedOfDatabase(method, address) ?? (removesMany(method, address) ? { ...told, effect: 'send' as const } : told);
  const { effect } = service;
  const owner = ownerOf(address.host);
  const many = removesMany(method, address);
  const removes = (method === 'DELETE' || many) && effect === 'send' && owner.destination_ownership !== 'self';
  const flags = [...(request.flags ?? []), ...(service.flags ?? []), ...(removes ? ['destructive'] : []), 'remote'];
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
    residue: [...query, ...request.body],
    systems: [host],
    scope: owner.destination_ownership === 'self' ? 'machine' : 'remote',
    externality: {
      ...owner,
      ...service.externality,
      ...(effect === 'send' && {
        external_write: owner.destination_ownership !== 'self',
        ...(request.body.length === 0 && { sensitive_payload: 'none' as const }),
      }),
    },
  };
}

/** Paths that name the removal of many things, whatever the method; a page about one is no call of one's own system. */
const REMOVES_MANY =
  /\/(?:[\w-]{0,40}(?:bulk|batch|mass)[-_]?(?:delete|remove|destroy|purge)|(?:delete|remove|purge|wipe|erase|destroy|truncate|drop|flush)[-_]?(?:all|everything|many))(?:\/|$)/i;
const REMOVES = /\/(?:purge|wipe|truncate|flushall|factory[-_]reset)\/?$/i;

function removesMany(method: string, address: Address): boolean {
  if (READS.has(method)) return method === 'GET' && isPrivateHost(address.host) && REMOVES_MANY.test(address.path);
  return REMOVES_MANY.test(address.path) || REMOVES.test(address.path);
}

/** A statement in the address itself, as some databases take it. */
function askedOfDatabase(method: string, address: Address): Service | undefined {
  if (READS.has(method) && !isPrivateHost(address.host)) return undefined;
  const text = /(?:^|&)(?:query|sql|q|statement)=([^&]{1,4000})/i.exec(address.query)?.[1];
  if (text === undefined) return undefined;
  let plain: string;
  try {
    plain = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return { effect: 'unknown' };
  }
  if (!/^\s*(?:drop|truncate|delete|alter|update|insert|create|grant|revoke)\s+\w/i.test(plain)) return undefined;
  const { effect, flags } = sqlEffect(plain);
  return effect === 'database_destroy' ? { effect, flags } : undefined;
}

function serviceOf(method: string, address: Address, { body, action }: Request): Service {
  if (isMetadataHost(address.host)) return { effect: 'read_credential' };
  const named = cloudAction(method, address, body, action);
  if (named) return named;
  if (READS.has(method)) return readingService(address) ?? { effect: 'fetch' };
  return changingService(method, address, body, action) ?? { effect: 'send' };
}

export function readHttp(
  method: string,
  url: string,
  headers: { readonly [name: string]: string },
  body: string,
  field: string,
  where: Where,
): Draft[] {
  const file = fileRequest(url, 'http', where);
  if (file) return [file];
  if (method !== '' && !/^[A-Za-z]{1,16}$/.test(method))
    throw invalidArgument(field.replace(/url$/, 'method'), 'is not an HTTP method');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url)) throw invalidArgument(field, 'must be an absolute address');
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const verb = overridden(Object.entries(headers)) ?? (method === '' ? (body === '' ? 'GET' : 'POST') : method);
  const draft = requestDraft({
    method: verb,
    url: { text: url, known: true },
    body: body === '' ? [] : [body],
    flags: [
      ...(names.includes('authorization') ? ['authenticated'] : []),
      ...(names.some((name) => FOR_ANOTHER.test(name)) ? ['acts_for_another'] : []),
      ...(isPersonal(headers) || isPersonal(asked(url)) ? ['personal_account'] : []),
    ],
    action: Object.entries(headers).find(([name]) => /^(?:soapaction|x-amz-target)$/i.test(name.trim()))?.[1],
  });
  if (!draft) throw invalidArgument(field, 'has no host');
  const tenant = Object.entries(headers)
    .find(([name]) => TENANT.test(name.trim()))?.[1]
    .trim();
  const targets = tenant ? [...draft.targets, plainTarget(`tenant:${tenant.slice(0, 128)}`)] : draft.targets;
  return [{ ...draft, targets, residue: [...(draft.residue ?? []), ...headersText(Object.entries(headers))] }];
}

/** What the address asks for by name. */
function asked(url: string): { readonly [name: string]: string } {
  const at = url.indexOf('?');
  return at < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(at + 1, at + 1 + MAX_QUERY)));
}

/** Whose data is meant, and in whose name, as gateways are told. */
const TENANT = /^(?:x-)?tenant(?:-?id)?$|^x-scope-orgid$/i;
const FOR_ANOTHER = /^(?:x-)?(?:on-behalf-of|impersonate-user|act-as|sudo|run-as)$/;

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
