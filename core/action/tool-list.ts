// What a server says its tools are (MCP `tools/list`): text by a stranger that a model reads as if the person had written
// it. Each tool is a part that names it by the digest of its definition, so that a changed definition is another action.

import { canonicalJson, sha256Hex } from '../canonical-json.ts';
import { invalidArgument } from '../errors.ts';
import { type Draft, plainTarget } from './draft.ts';

/** Tools in one list; a longer one is sent in pieces. */
export const MAX_DESCRIBED_TOOLS = 128;
const MAX_NAME = 256;
/** Names as MCP has them; another one stands by its digest, so that no name reads as a digest. */
const PLAIN_NAME = /^[A-Za-z0-9_./-]{1,128}$/;

type Fields = { readonly [name: string]: unknown };
type Text = { readonly text: string; readonly where: string };

export type ToolList = {
  readonly drafts: readonly Draft[];
  /** Every name and text in the definitions, with its place. */
  readonly texts: readonly Text[];
};

/** `sha256:` and hex, over the RFC 8785 form of a definition without `_meta`, which servers change with every answer. */
export function toolDigest(tool: Fields): string {
  const { _meta, ...definition } = tool;
  return `sha256:${sha256Hex(canonicalJson(definition))}`;
}

/** `firstSeen`: digests by name, as they were when the session first saw the tools. Throws naming `field.N…`. */
export function readToolList(
  tools: readonly unknown[],
  server: string,
  firstSeen: { readonly [name: string]: string },
  field: string,
): ToolList {
  if (tools.length === 0) throw invalidArgument(field, 'names no tool');
  if (tools.length > MAX_DESCRIBED_TOOLS) throw invalidArgument(field, `at most ${MAX_DESCRIBED_TOOLS} at once`);
  const drafts: Draft[] = [];
  const texts: Text[] = [];
  tools.forEach((tool, index) => {
    const at = `${field}.${index}`;
    if (typeof tool !== 'object' || tool === null || Array.isArray(tool))
      throw invalidArgument(at, 'must be an object');
    const { name, description, ...rest } = tool as Fields;
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME)
      throw invalidArgument(`${at}.name`, `must be 1 to ${MAX_NAME} characters`);
    const digest = toolDigest(tool as Fields);
    const seen = Object.hasOwn(firstSeen, name) ? firstSeen[name] : undefined;
    const shown = PLAIN_NAME.test(name) ? name : `?${sha256Hex(name).slice(0, 16)}`;
    drafts.push({
      tool: server,
      operation: 'describe',
      effect: 'output',
      targets: [plainTarget(`tool:${shown}@${digest}`)],
      flags: seen !== undefined && seen !== digest ? ['description_changed'] : [],
    });
    // By number: a name is the server's text, too, and places are kept.
    if (typeof description === 'string' && description !== '')
      texts.push({ text: description, where: `tools.${index}.description` });
    const others = strings({ name, ...rest, ...(typeof description !== 'string' && { description }) }).join('\n');
    texts.push({ text: others, where: `tools.${index}` });
  });
  return { drafts, texts };
}

/** Names and texts however deep they stand; whoever calls has bounded the depth. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(strings);
  return Object.entries(value).flatMap(([name, member]) => [name, ...strings(member)]);
}
