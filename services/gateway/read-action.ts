// `action: {kind, …}` of /api/guard: one reader for each kind of surface.

import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { MAX_DESCRIBED_TOOLS } from '../../core/action/tool-list.ts';
import { invalidArgument } from '../../core/errors.ts';
import { type ProposedAction, ProposedActionSchema } from '../../gen/beacon/v1/action_pb.js';
import { at, type Fields, has, list, objectJson, openObject, raw, text } from './fields.ts';

type Kind = MessageInitShape<typeof ProposedActionSchema>['kind'];
type Reader = { readonly fields: readonly string[] | undefined; read(fields: Fields, cwd: string): Kind };

const MAX_TEXT_CHARACTERS = 524_288;
const MAX_ENTRIES: Readonly<Record<string, number>> = { headers: 128, first_seen: 1_024 };
const long = { required: true, max: MAX_TEXT_CHARACTERS };
const short = { required: true, max: 256 };
const METHOD = /^[A-Za-z]{1,32}$/;

const READERS: Readonly<Record<string, Reader>> = {
  shell: {
    fields: ['kind', 'command', 'cwd'],
    read: (f, cwd) => ({ case: 'shell', value: { command: text(f, 'command', long), cwd: text(f, 'cwd') || cwd } }),
  },
  mcp: {
    fields: ['kind', 'server', 'tool', 'arguments'],
    read: (f) => ({
      case: 'mcp',
      value: {
        server: text(f, 'server', short),
        tool: text(f, 'tool', short),
        argumentsJson: objectJson(f, 'arguments'),
      },
    }),
  },
  patch: {
    fields: ['kind', 'patch', 'cwd'],
    read: (f, cwd) => ({ case: 'patch', value: { patch: text(f, 'patch', long), cwd: text(f, 'cwd') || cwd } }),
  },
  http: {
    fields: ['kind', 'method', 'url', 'headers', 'body'],
    read: (f) => ({
      case: 'http',
      value: {
        method: text(f, 'method', { required: true, max: 32, pattern: METHOD }),
        url: text(f, 'url', { required: true, max: 16_384 }),
        headers: texts(f, 'headers'),
        body: text(f, 'body', { max: MAX_TEXT_CHARACTERS }),
      },
    }),
  },
  tool: {
    fields: ['kind', 'name', 'arguments'],
    read: (f) => ({ case: 'tool', value: { name: text(f, 'name', short), argumentsJson: objectJson(f, 'arguments') } }),
  },
  workflow: {
    fields: ['kind', 'system', 'step', 'arguments'],
    read: (f) => ({
      case: 'workflow',
      value: {
        system: text(f, 'system', short),
        step: text(f, 'step', short),
        argumentsJson: objectJson(f, 'arguments'),
      },
    }),
  },
  browser: {
    // Drivers differ in what they send beside these two, so the rest is kept as arguments.
    fields: undefined,
    read: (f) => {
      const { kind: _kind, action: _action, url: _url, ...rest } = f.values;
      return {
        case: 'browser',
        value: {
          action: text(f, 'action', short),
          url: text(f, 'url', { max: 16_384 }),
          argumentsJson: Object.keys(rest).length === 0 ? '' : JSON.stringify(rest),
        },
      };
    },
  },
  kubernetes: {
    fields: ['kind', 'verb', 'object'],
    read: (f) => ({ case: 'kubernetes', value: { verb: text(f, 'verb', short), objectJson: required(f, 'object') } }),
  },
  prompt: {
    fields: ['kind', 'text'],
    read: (f) => ({ case: 'prompt', value: { text: text(f, 'text', long) } }),
  },
  output: {
    fields: ['kind', 'text', 'tool', 'tools', 'first_seen'],
    read: (f) => ({
      case: 'output',
      value: {
        text: text(f, 'text', { ...long, required: !has(f, 'tools') }),
        tool: text(f, 'tool', { max: 256 }),
        toolsJson: has(f, 'tools') ? JSON.stringify(list(f, 'tools', MAX_DESCRIBED_TOOLS)) : '',
        firstSeen: texts(f, 'first_seen'),
      },
    }),
  },
  code: {
    fields: ['kind', 'language', 'text', 'cwd'],
    read: (f, cwd) => ({
      case: 'code',
      value: { language: text(f, 'language', short), text: text(f, 'text', long), cwd: text(f, 'cwd') || cwd },
    }),
  },
};

/** `cwd` is the context's, for kinds that name none of their own. */
export function readAction(value: unknown, path: string, cwd: string): ProposedAction {
  const kind = raw(openObject(value, path), 'kind');
  const reader = typeof kind === 'string' && Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  if (reader === undefined) throw invalidArgument(`${path}.kind`, `must be one of ${Object.keys(READERS).join(', ')}`);
  return create(ProposedActionSchema, { kind: reader.read(openObject(value, path, reader.fields), cwd) });
}

function required(fields: Fields, name: string): string {
  if (!has(fields, name)) throw invalidArgument(at(fields, name), 'is required');
  return objectJson(fields, name);
}

/** An object whose values are texts. */
function texts(fields: Fields, name: string): Record<string, string> {
  if (!has(fields, name)) return {};
  const found = openObject(raw(fields, name), at(fields, name));
  const names = Object.keys(found.values);
  const max = MAX_ENTRIES[name] ?? 0;
  if (names.length > max) throw invalidArgument(found.path, `must have at most ${max} entries`);
  return Object.fromEntries(names.map((key) => [key, entry(found, key)]));
}

function entry(fields: Fields, name: string): string {
  const value = raw(fields, name);
  if (typeof value !== 'string') throw invalidArgument(fields.path, 'every value must be a string');
  return value;
}
