// The bodies of /api/execute, /api/guard and /api/explain as one Proposal. What is free for the caller to fill (context, arguments,
// plan) is kept as JSON text; everything else is read strictly.

import { create } from '@bufbuild/protobuf';
import { invalidArgument } from '../../core/errors.ts';
import { type ProposedAction, ProposedActionSchema } from '../../gen/beacon/v1/action_pb.js';
import { type Proposal, ProposalSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import {
  at,
  type Fields,
  flag,
  has,
  list,
  objectJson,
  openObject,
  optionalName,
  raw,
  requiredName,
  text,
} from './fields.ts';
import { readAction } from './read-action.ts';

const COMMON = ['agent_id', 'tenant_id', 'session_id', 'opportunity_id', 'surface', 'context', 'idempotency_key'];
const EXECUTE = [...COMMON, 'proposed_plan', 'tools', 'code', 'language'];
const GUARD = [...COMMON, 'proposed_plan', 'action'];
const SHELL_LANGUAGES = new Set(['', 'shell', 'sh', 'bash', 'dash', 'ksh', 'zsh']);
const SURFACE = /^[a-z][a-z0-9_-]{0,31}$/;
const LANGUAGE = /^[A-Za-z0-9+#._-]{1,32}$/;
const MCP_TOOL = /^mcp__(.+?)__(.+)$/s;
export const MAX_PARTS = 64;
export const MAX_TEXT_CHARACTERS = 524_288;
const MAX_TRACKED = 100_000;

/** `{agent_id, tenant_id, …, tools[], code, language}` */
export function readExecute(body: unknown): Proposal {
  const fields = openObject(body, '', EXECUTE);
  const proposal = readCommon(fields);
  const { cwd } = readContext(fields);
  const tools = list(fields, 'tools', MAX_PARTS - 1);
  proposal.actions = tools.map((tool, index) => readTool(tool, `tools.${index}`));
  const code = readCode(fields, cwd);
  if (code !== undefined) proposal.actions.push(code);
  if (proposal.actions.length === 0) throw invalidArgument('tools', 'nothing to judge: give tools, code or both');
  return proposal;
}

/** `{agent_id, tenant_id, …, action: {kind, …}}` */
export function readGuard(body: unknown): Proposal {
  const fields = openObject(body, '', GUARD);
  const proposal = readCommon(fields);
  const { cwd } = readContext(fields);
  if (!has(fields, 'action')) throw invalidArgument('action', 'is required');
  proposal.actions = [readAction(raw(fields, 'action'), 'action', cwd)];
  return proposal;
}

/** Either of them: with `action` it is guard's. */
export function readExplain(body: unknown): Proposal {
  return has(openObject(body, ''), 'action') ? readGuard(body) : readExecute(body);
}

function readCommon(fields: Fields): Proposal {
  const plan = raw(fields, 'proposed_plan');
  return create(ProposalSchema, {
    agentId: requiredName(fields, 'agent_id'),
    tenantId: requiredName(fields, 'tenant_id'),
    sessionId: optionalName(fields, 'session_id'),
    opportunityId: optionalName(fields, 'opportunity_id'),
    surface: text(fields, 'surface', { pattern: SURFACE, max: 32 }) || 'api',
    contextJson: objectJson(fields, 'context'),
    proposedPlanJson: plan === undefined ? '' : JSON.stringify(plan),
    idempotencyKey: has(fields, 'idempotency_key') ? text(fields, 'idempotency_key', { required: true, max: 255 }) : '',
  });
}

/** What we know how to read of the context has its type; the rest is the adapter's. */
function readContext(fields: Fields): { cwd: string } {
  if (!has(fields, 'context')) return { cwd: '' };
  const context = openObject(raw(fields, 'context'), 'context');
  for (const name of ['workspace', 'parent_action_id', 'traceparent']) text(context, name);
  flag(context, 'attended');
  if (has(context, 'git')) {
    const git = openObject(raw(context, 'git'), 'context.git');
    for (const name of ['branch', 'head']) text(git, name);
    flag(git, 'dirty');
    for (const [index, path] of list(git, 'tracked', MAX_TRACKED).entries()) {
      if (typeof path !== 'string') throw invalidArgument(`context.git.tracked.${index}`, 'must be a string');
    }
  }
  return { cwd: text(context, 'cwd') };
}

function readTool(value: unknown, path: string): ProposedAction {
  const fields = openObject(value, path, ['name', 'arguments']);
  const name = text(fields, 'name', { required: true, max: 256 });
  const argumentsJson = objectJson(fields, 'arguments');
  const mcp = MCP_TOOL.exec(name);
  return create(ProposedActionSchema, {
    kind:
      mcp === null
        ? { case: 'tool', value: { name, argumentsJson } }
        : { case: 'mcp', value: { server: mcp[1] as string, tool: mcp[2] as string, argumentsJson } },
  });
}

function readCode(fields: Fields, cwd: string): ProposedAction | undefined {
  const code = text(fields, 'code', { max: MAX_TEXT_CHARACTERS });
  const language = text(fields, 'language', { pattern: LANGUAGE, max: 32 });
  if (code === '') {
    if (language !== '' && !has(fields, 'code')) throw invalidArgument(at(fields, 'language'), 'is given without code');
    return undefined;
  }
  return create(ProposedActionSchema, {
    kind: SHELL_LANGUAGES.has(language.toLowerCase())
      ? { case: 'shell', value: { command: code, cwd } }
      : { case: 'code', value: { language, text: code, cwd } },
  });
}
