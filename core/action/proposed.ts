// Reads one raw proposal of any kind: checks its fields, names its texts for the detectors, and gives drafts of its parts.

import { BeaconError, invalidArgument } from '../errors.ts';
import { refuseNul } from '../nul.ts';
import { parseJsonText } from '../strict-json.ts';
import { readBrowser } from './browser.ts';
import type { Draft } from './draft.ts';
import { readHttp } from './http.ts';
import { readKubernetes } from './kubernetes.ts';
import { readPatch } from './patch.ts';
import { type Where, whereFrom } from './paths.ts';
import type { Place } from './redact.ts';
import { codeReading, commandsIn, lineIn, readShell } from './shell-action.ts';
import { readToolList } from './tool-list.ts';
import { addressedBy, readTool } from './tools.ts';
import type { ActionContext } from './types.ts';

/** UTF-16 code units of any one text. */
export const MAX_TEXT = 64 * 1024;
export const MAX_NAME = 256;
export const MAX_JSON_DEPTH = 32;
/** Digests of tools as they were first seen. */
const MAX_DIGESTS = 1_024;

/** What protobuf-es makes of `beacon.v1.ProposedAction`; plain objects of this shape serve too. */
export type ProposedLike = {
  readonly kind:
    | { readonly case: string; readonly value: object }
    | { readonly case: undefined; readonly value?: undefined };
};

export type Reading = {
  readonly drafts: readonly Draft[];
  /** Texts to look for secrets in, with their place in the proposal. */
  readonly texts: readonly { readonly text: string; readonly where: string }[];
  /** Secrets known by their place. */
  readonly secrets: readonly string[];
  readonly cwd: string | undefined;
  /** By what the other end is reached, in the call's own words. */
  readonly addressed?: readonly string[];
  /** What its texts are, where the kind alone does not say. */
  readonly place?: Place;
};

type Fields = { readonly [name: string]: unknown };

export function readProposed(proposed: ProposedLike, context: ActionContext, field: string): Reading {
  const kind = proposed?.kind;
  if (kind?.case === undefined || kind.value === undefined || kind.value === null)
    throw invalidArgument(field, 'names no kind of action');
  const reader = Object.hasOwn(READERS, kind.case) ? READERS[kind.case] : undefined;
  if (!reader) throw invalidArgument(`${field}.kind`, 'is not a kind of action');
  return reader(new Input(kind.value as Fields, field), context);
}

/** The fields of one proposal, each checked as it is read. */
export class Input {
  readonly texts: { text: string; where: string }[] = [];
  readonly #fields: Fields;
  readonly #field: string;

  constructor(fields: Fields, field: string) {
    this.#fields = fields;
    this.#field = field;
  }

  path(name: string): string {
    return `${this.#field}.${name}`;
  }

  /** Text the detectors look through. */
  text(name: string, required = false, limit = MAX_TEXT): string {
    const value = this.#fields[name] ?? '';
    const shown = name.replace(/Json$/, '');
    if (typeof value !== 'string') throw invalidArgument(this.path(shown), 'must be a string');
    if (required && value.trim() === '') throw invalidArgument(this.path(shown), 'must not be empty');
    if (value.length > limit) {
      throw new BeaconError('payload_too_large', `${this.path(shown)}: at most ${limit} characters`, {
        field: this.path(shown),
      });
    }
    if (!value.isWellFormed()) throw invalidArgument(this.path(shown), 'must be well-formed text');
    refuseNul(value, this.path(shown));
    if (value !== '') this.texts.push({ text: value, where: shown });
    return value;
  }

  name(name: string, required = true): string {
    return this.text(name, required, MAX_NAME);
  }

  /** `arguments_json`: an object, bounded in depth; empty is `{}`. */
  json(name: string): { readonly [key: string]: unknown } {
    const text = this.text(name);
    if (text === '') return {};
    const shown = this.path(name.replace(/Json$/, ''));
    const value = parseJsonText(text, shown);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalidArgument(shown, 'must be a JSON object');
    checkDepth(value, shown, 0);
    refuseNul(value, shown);
    return value as { readonly [key: string]: unknown };
  }

  /** A JSON list, whose texts its reader names; undefined when it was not given. */
  list(name: string): readonly unknown[] | undefined {
    const text = this.#fields[name] ?? '';
    if (text === '') return undefined;
    const shown = this.path(name.replace(/Json$/, ''));
    if (typeof text !== 'string') throw invalidArgument(shown, 'must be a list');
    const value = parseJsonText(text, shown);
    if (!Array.isArray(value)) throw invalidArgument(shown, 'must be a list');
    checkDepth(value, shown, 0);
    refuseNul(value, shown);
    return value;
  }

  /** SHA-256 digests by name. */
  digests(name: string): { readonly [key: string]: string } {
    const value = this.#fields[name] ?? {};
    const shown = this.path('first_seen');
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalidArgument(shown, 'must be an object');
    const entries = Object.entries(value);
    if (entries.length > MAX_DIGESTS) throw invalidArgument(shown, `at most ${MAX_DIGESTS} names`);
    if (!entries.every(([, digest]) => typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)))
      throw invalidArgument(shown, 'must map names to digests, `sha256:` and 64 hex digits each');
    return value as { readonly [key: string]: string };
  }

  map(name: string): { readonly [key: string]: string } {
    const value = this.#fields[name] ?? {};
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalidArgument(this.path(name), 'must be an object');
    refuseNul(value, this.path(name));
    Object.entries(value).forEach(([key, item], index) => {
      if (typeof item !== 'string' || key.length > MAX_NAME || item.length > MAX_TEXT)
        throw invalidArgument(this.path(name), 'must map names to text');
      // By number: a name is the caller's text, too, and places are kept.
      this.texts.push({ text: `${key}: ${item}`, where: `${name}.${index}` });
    });
    return value as { readonly [key: string]: string };
  }
}

function checkDepth(value: unknown, field: string, depth: number): void {
  if (depth > MAX_JSON_DEPTH) throw invalidArgument(field, `nested deeper than ${MAX_JSON_DEPTH}`);
  if (typeof value !== 'object' || value === null) return;
  for (const item of Object.values(value)) checkDepth(item, field, depth + 1);
}

type Reader = (input: Input, context: ActionContext) => Reading;

function plain(input: Input, drafts: readonly Draft[], secrets: readonly string[] = [], cwd?: string): Reading {
  return { drafts, texts: input.texts, secrets, cwd };
}

const shell: Reader = (input, context) => {
  const command = input.text('command', true);
  const cwd = directory(input);
  const { drafts, secrets } = readShell(command, whereFrom(context, cwd));
  return plain(input, drafts, secrets, cwd);
};

function directory(input: Input): string | undefined {
  const cwd = input.text('cwd', false, 4_096);
  return cwd === '' ? undefined : cwd;
}

const READERS: { readonly [kind: string]: Reader } = {
  shell,
  mcp: (input, context) => {
    const server = input.name('server', false);
    const tool = input.name('tool');
    const given = input.json('argumentsJson');
    return withTool(input, context, server, tool, given);
  },
  tool: (input, context) => {
    const name = input.name('name');
    return withTool(input, context, '', name, input.json('argumentsJson'));
  },
  workflow: (input, context) => {
    const system = input.name('system', false);
    const step = input.text('step', true);
    return withTool(input, context, system, step, input.json('argumentsJson'), true);
  },
  patch: (input, context) => {
    const cwd = directory(input);
    const where = whereFrom(context, cwd);
    return plain(input, readPatch(input.text('patch', true), where, input.path('patch'), lineIn(where)), [], cwd);
  },
  http: (input, context) => {
    const method = input.name('method', false);
    const url = input.text('url', true, 8_192);
    return plain(
      input,
      readHttp(method, url, input.map('headers'), input.text('body'), input.path('url'), whereFrom(context)),
    );
  },
  browser: (input, context) => {
    const action = input.name('action');
    const url = input.text('url', false, 8_192);
    return plain(input, readBrowser(action, url, input.json('argumentsJson'), whereFrom(context)));
  },
  kubernetes: (input, context) => {
    const verb = input.name('verb');
    return plain(input, readKubernetes(verb, input.json('objectJson'), commandsIn(whereFrom(context))));
  },
  prompt: (input) => {
    const text = input.text('text', true);
    return plain(input, [
      { tool: 'model', operation: 'prompt', effect: 'prompt', targets: [], flags: [], residue: [text] },
    ]);
  },
  output: (input) => {
    const tool = input.name('tool', false) || 'tool';
    const tools = input.list('toolsJson');
    const text = input.text('text', tools === undefined);
    if (tools !== undefined) {
      if (text !== '') throw invalidArgument(input.path('tools'), 'stands in place of text, not beside it');
      const { drafts, texts } = readToolList(tools, tool, input.digests('firstSeen'), input.path('tools'));
      return { ...plain(input, drafts), texts: [...input.texts, ...texts], place: 'description' };
    }
    return plain(input, [{ tool, operation: 'output', effect: 'output', targets: [], flags: [], residue: [text] }]);
  },
  code: (input, context) => {
    const language = (input.name('language', false) || 'shell').toLowerCase();
    const text = input.text('text', true);
    const cwd = directory(input);
    const { drafts, secrets } = codeReading(language, text, whereFrom(context, cwd));
    return plain(input, drafts, secrets, cwd);
  },
};

function withTool(
  input: Input,
  context: ActionContext,
  server: string,
  tool: string,
  given: Fields,
  workflow = false,
): Reading {
  const cwd = [given.cwd, given.workdir, given.working_directory, given.dir].find(
    (value) => typeof value === 'string',
  ) as string | undefined;
  const where: Where = whereFrom(context, cwd);
  const { drafts, secrets } = readTool({ server, tool, given, where, workflow, field: input.path('arguments') });
  const addressed = addressedBy(given);
  return { ...plain(input, drafts, secrets, cwd), ...(addressed.length > 0 && { addressed }) };
}
