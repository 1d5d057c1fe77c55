// Servers of key stores that take a command of the store as text, which is no command of a shell.

import type { Draft } from './draft.ts';
import { redisEffect } from './programs/special-databases.ts';
import { snakeCase, stringsOf, type ToolCall, textOf } from './tool-arguments.ts';

const STORES = /(?:^|_)(?:redis|valkey|dragonfly|keydb|upstash)(?:_|$)/;
const RUNS = /(?:^|_)(?:execute|run|exec|send|call|raw|command|cmd|pipeline)(?:_|$)/;
const MAX_COMMANDS = 64;

/** Undefined where it is no such server, or no command is given. */
export function storeCommands(call: ToolCall, name: string): Draft[] | undefined {
  const { given } = call;
  if (!STORES.test(snakeCase(call.server)) || !RUNS.test(name)) return undefined;
  const said = textOf(given, 'command cmd query');
  const lines = said === undefined ? stringsOf(given.commands) : said.split('\n');
  const commands = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (commands.length === 0 || commands.length > MAX_COMMANDS) return undefined;
  const rest = stringsOf(given.args ?? given.arguments);
  return commands.map((line) => {
    const words = [...line.split(/\s+/), ...rest];
    const { effect, flags } = redisEffect(words);
    return {
      tool: call.server,
      operation: (words[0] as string).toLowerCase().slice(0, 32),
      effect,
      targets: [],
      flags: [...flags, 'remote'],
      residue: effect === 'read' ? [] : [words.join('\0')],
      systems: ['redis'],
      scope: 'remote',
    };
  });
}
