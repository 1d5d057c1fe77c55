// Calls within a call: tools that only hand on to others (`multi_tool_use`, `use_mcp_tool`, batches) are the calls they name.

import { refuseNul } from '../nul.ts';
import { parseJsonText } from '../strict-json.ts';
import { type Given, isObject, type ToolCall, textOf } from './tool-arguments.ts';

const MAX_CALLS = 32;
const LISTS = [
  'tool_uses',
  'tool_calls',
  'toolCalls',
  'calls',
  'invocations',
  'requests',
  'operations',
  'actions',
  'steps',
  'tools',
  'commands',
];
const NAMES = 'recipient_name tool_name toolName tool function_name function name method';
const ARGUMENTS = ['parameters', 'arguments', 'args', 'params', 'input', 'tool_input', 'kwargs'];
const HANDS_ON =
  /^(?:multi_tool_use(?:_parallel)?|parallel|batch(?:_\w+)?|bulk_(?:execute|call)\w*|(?:call|use|invoke|execute|run)_(?:mcp_)?(?:tools?|functions?)|mcp_call|tool_call|execute_tool_calls|execute_action|call_action)$/;

/** Undefined when it names no other call: then it is judged as what it is called. */
export function callsWithin(call: ToolCall, name: string): ToolCall[] | undefined {
  if (!HANDS_ON.test(name)) return undefined;
  const list = LISTS.map((key) => call.given[key]).find(Array.isArray) as unknown[] | undefined;
  const items = list ?? [call.given];
  if (items.length === 0 || items.length > MAX_CALLS) return undefined;
  const calls = items.map((item) => (isObject(item) ? oneCall(item, call) : undefined));
  // One that cannot be read leaves the whole unknown.
  return calls.every((one) => one !== undefined) ? (calls as ToolCall[]) : undefined;
}

function oneCall(item: Given, outer: ToolCall): ToolCall | undefined {
  const inner = isObject(item.function) ? item.function : item;
  const said = textOf(inner, NAMES);
  const given = ARGUMENTS.map((key) => objectOf(inner[key])).find((value) => value !== undefined);
  if (said === undefined || said === '' || given === undefined) return undefined;
  const server = textOf(item, 'server_name serverName server mcp_server') ?? (list(item) ? '' : outer.server);
  return { ...outer, server, tool: said.replace(/^(?:functions|tools|default_api)\./, ''), given };
}

const list = (item: Given) => typeof item.recipient_name === 'string';

function objectOf(value: unknown): Given | undefined {
  if (isObject(value)) return value;
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return undefined;
  try {
    const parsed: unknown = parseJsonText(value, 'arguments');
    refuseNul(parsed, 'arguments');
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
