// Data residency: in which region a tenant's receipts, evidence, messages and traces may lie. One table; what it does not
// allow has no place to go, so nothing is decided.

import { BeaconError, invalidArgument } from './errors.ts';
import { requireName } from './ids.ts';
import { parseStrictJson } from './strict-json.ts';

export type Residency = {
  /** Region → where its traces go; undefined where it has no collector. */
  readonly regions: ReadonlyMap<string, { readonly otlpEndpoint: string | undefined }>;
  /** Tenant → its regions, the first being the one it is in unless a call wishes otherwise. */
  readonly tenants: ReadonlyMap<string, readonly string[]>;
  /** Regions of tenants that are not named; empty: they are refused. */
  readonly others: readonly string[];
};

/** Also a part of a NATS subject and of a stream's name. */
const REGION = /^[a-z][a-z0-9-]{0,31}$/;
const MAX_FILE_BYTES = 4 * 1_048_576;
const MAX_BAGGAGE_CHARACTERS = 8_192;
/** The W3C baggage member, and the name in a proposal's context, that a call's wish stands under. */
export const REGION_BAGGAGE = 'beacon.region';

type Json = Readonly<Record<string, unknown>>;

/** `{regions: {NAME: {otlp_endpoint?}}, tenants: {TENANT: [NAME, …]}, others?: [NAME, …]}`. Throws `invalid_argument`. */
export function parseResidency(bytes: Uint8Array): Residency {
  const table = object('residency', parseStrictJson(bytes, { maxBytes: MAX_FILE_BYTES }), [
    'regions',
    'tenants',
    'others',
  ]);
  const regions = new Map(
    Object.entries(object('regions', table.regions)).map(([name, value]) => {
      if (!isRegion(name)) throw invalidArgument(`regions.${name}`, 'must be 1 to 32 of a-z 0-9 - after a letter');
      const { otlp_endpoint: endpoint } = object(`regions.${name}`, value, ['otlp_endpoint']);
      return [name, { otlpEndpoint: endpoint === undefined ? undefined : url(`regions.${name}`, endpoint) }] as const;
    }),
  );
  if (regions.size === 0) throw invalidArgument('regions', 'names none');
  const known = (field: string, value: unknown): readonly string[] => {
    const list = Array.isArray(value) ? value : [];
    if (list.length === 0 || new Set(list).size !== list.length || !list.every((name) => regions.has(name))) {
      throw invalidArgument(field, 'must be a list of regions of this table, each once');
    }
    return list;
  };
  const tenants = new Map(
    Object.entries(object('tenants', table.tenants ?? {})).map(([tenant, value]) => [
      requireName(`tenants.${tenant}`, tenant),
      known(`tenants.${tenant}`, value),
    ]),
  );
  return { regions, tenants, others: table.others === undefined ? [] : known('others', table.others) };
}

export function isRegion(text: unknown): text is string {
  return typeof text === 'string' && REGION.test(text);
}

/** Every region this tenant's data may lie in; empty when it may lie nowhere. */
export function regionsOf({ tenants, others }: Residency, tenantId: string): readonly string[] {
  return tenants.get(tenantId) ?? others;
}

/**
 * The one region for this call: the tenant's first, or the one wished if it is the tenant's too. Throws `invalid_argument`
 * for any other wish, and `unavailable` for a tenant without a region: no decision.
 */
export function chooseRegion(residency: Residency, tenantId: string, wish: string | undefined): string {
  const allowed = regionsOf(residency, tenantId);
  const [first] = allowed;
  if (first === undefined) throw new BeaconError('unavailable', 'no region is named for this tenant');
  if (wish === undefined) return first;
  if (allowed.includes(wish)) return wish;
  throw invalidArgument('context.region', 'is not a region of this tenant');
}

/** The wish in a `baggage` header. What cannot be a region's name is none of its tenant's either. */
export function wishInBaggage(header: unknown): string | undefined {
  if (typeof header !== 'string' || header.length > MAX_BAGGAGE_CHARACTERS) return undefined;
  for (const member of header.split(',')) {
    // Cut by hand: a pattern that trims both ends tries every blank of a long header as the last one.
    const [pair = ''] = member.split(';', 1);
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === REGION_BAGGAGE) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** The wish in a proposal's context: `region`. */
export function wishInContext(context: unknown): string | undefined {
  if (context === null || typeof context !== 'object') return undefined;
  const { region } = context as Json;
  if (region === undefined) return undefined;
  // Anything but a name is a wish that cannot be met.
  return typeof region === 'string' ? region : '';
}

/** The same, out of a context that is still text; what cannot be read is refused by who reads all of it. */
export function wishInContextJson(contextJson: string): string | undefined {
  if (!contextJson.includes('"region"')) return undefined;
  try {
    return wishInContext(JSON.parse(contextJson));
  } catch {
    return undefined;
  }
}

function object(field: string, value: unknown, names?: readonly string[]): Json {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalidArgument(field, 'must be an object');
  const unknown = names && Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalidArgument(`${field}.${unknown}`, 'is not known');
  return value as Json;
}

function url(field: string, value: unknown): string {
  if (typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw invalidArgument(`${field}.otlp_endpoint`, 'must be an http or https URL');
}
