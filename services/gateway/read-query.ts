// Query strings, as strictly as bodies: a filter somebody misspelt would otherwise answer with more than was asked for.

import { invalidArgument } from '../../core/errors.ts';
import { type Fields, openObject, optionalName, raw, text } from './fields.ts';

type Query = Readonly<Record<string, unknown>>;

export function openQuery(query: Query, known: readonly string[]): Fields {
  const fields = openObject({ ...query }, '', known);
  for (const name of Object.keys(fields.values)) {
    if (Array.isArray(fields.values[name])) throw invalidArgument(name, 'is given twice');
  }
  return fields;
}

export function queryInteger(fields: Fields, name: string, max: number): number | undefined {
  const value = raw(fields, name);
  if (value === undefined) return undefined;
  const number = /^(0|[1-9][0-9]{0,15})$/.test(String(value)) ? Number(value) : Number.NaN;
  if (number <= max) return number;
  throw invalidArgument(name, `must be a whole number from 0 to ${max}`);
}

/** `?wait=` seconds, decimals allowed, as milliseconds. */
export function queryWaitMs(fields: Fields, maxMs: number): number {
  const value = raw(fields, 'wait');
  if (value === undefined) return 0;
  const ms = /^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(String(value)) ? Number(value) * 1000 : Number.NaN;
  if (ms <= maxMs) return Math.round(ms);
  throw invalidArgument('wait', `must be seconds from 0 to ${maxMs / 1000}`);
}

function queryFlag(fields: Fields, name: string): boolean {
  const value = text(fields, name);
  if (value === '' || value === 'true' || value === 'false') return value === 'true';
  throw invalidArgument(name, 'must be true or false');
}

const KINDS = /^[a-z]{1,32}$/;
const LOG_ID = /^[0-9a-f]{12}$/;

export function readReceiptsQuery(query: Query) {
  const fields = openQuery(query, ['tenant_id', 'agent_id', 'kind', 'log', 'start', 'limit', 'reverse']);
  return {
    tenantId: optionalName(fields, 'tenant_id'),
    agentId: optionalName(fields, 'agent_id'),
    kind: text(fields, 'kind', { pattern: KINDS }),
    logId: text(fields, 'log', { pattern: LOG_ID }),
    start: queryInteger(fields, 'start', Number.MAX_SAFE_INTEGER) ?? 0,
    limit: queryInteger(fields, 'limit', 1000) ?? 100,
    reverse: queryFlag(fields, 'reverse'),
  };
}

const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

export function readScoreQuery(query: Query): { tenantId: string; asOf: string } {
  const fields = openQuery(query, ['tenant_id', 'as_of']);
  return { tenantId: optionalName(fields, 'tenant_id'), asOf: text(fields, 'as_of', { pattern: DAY }) };
}

export function readPageQuery(query: Query): { tenantId: string; limit: number; after: string } {
  const fields = openQuery(query, ['tenant_id', 'limit', 'after']);
  return {
    tenantId: optionalName(fields, 'tenant_id'),
    limit: queryInteger(fields, 'limit', 1000) ?? 100,
    after: optionalName(fields, 'after'),
  };
}
