// `beacon explain`: what Beacon makes of a command and what it would decide. Nothing is run, recorded or counted.

import { type Command, Option } from 'commander';
import { type Route, runs } from '../../core/route.ts';
import { surroundings } from '../hooks/surroundings.ts';
import { findBeacon, type Json } from './beacon.ts';
import { parseObject, quote, readObject, shortDigest, warnOfContext } from './execute.ts';
import { showExplanation } from './explanation.ts';
import { EXIT, usage } from './failure.ts';
import { statedDigest } from './policy-bundle.ts';
import { terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import { stdinText, type World } from './world.ts';

export type ExplainOptions = {
  agent: string;
  tenant: string;
  kind: string;
  surface?: string;
  context?: Json;
  json?: true;
};

/** Kinds that are one text, and the field it stands in; of the others the fields are given as JSON. */
const TEXT_OF: Readonly<Record<string, string>> = { shell: 'command', patch: 'patch', prompt: 'text', output: 'text' };
const FIELDS_OF = ['code', 'mcp', 'http', 'tool', 'workflow', 'browser', 'kubernetes', 'tools'];
/** Asks a bundle in place of the running policy. */
const BY_BUNDLE = 'beacon policy explain --bundle';

export function define(program: Command, world: World, exits: Exits): void {
  explainCommand(program)
    .addOption(new Option('--bundle <dir>').hideHelp())
    .addHelpText('after', `\nBy a bundle that is not the running one: ${BY_BUNDLE} <dir> -- COMMAND`)
    .action(
      exits((words: string[], { bundle, ...options }: ExplainOptions & { bundle?: string }) => {
        if (bundle !== undefined)
          throw usage(`--bundle: the running policy answers here; try ${BY_BUNDLE} ${quote(bundle)}`);
        return explain(words, options, world);
      }),
    );
}

/** With its options, for whoever has more of them. */
export function explainCommand(parent: Command): Command {
  return parent
    .command('explain')
    .description('what Beacon makes of a command and what it would decide (nothing is run or recorded)')
    .argument(
      '[command...]',
      'the command and its arguments, after --; a single word is taken as shell text, - reads stdin',
    )
    .option(
      '--kind <kind>',
      `${[...Object.keys(TEXT_OF), ...FIELDS_OF].join(', ')}; from code on its fields as JSON`,
      'shell',
    )
    .option('--agent <name>', 'as whom', 'explain')
    .option('--tenant <name>', 'for whom', 'local')
    .option('--surface <name>', 'where the proposal would come from')
    .option('--context <json>', 'what the client knows: cwd, workspace, git, attended, …', parseObject)
    .option('--json', 'the whole answer, for programs');
}

export async function explain(words: string[], options: ExplainOptions, world: World): Promise<number> {
  const body = await bodyOf(words, options, world);
  const answer = await (await findBeacon(world)).ask('POST', '/api/explain', body);
  const status = await tell(answer, options, world);
  if (!options.json) await hintAtBundle(answer, world);
  return status;
}

/** Whoever stands in a package may take its rules for those that decided. */
async function hintAtBundle({ policy_digest: running }: Json, world: World): Promise<void> {
  const here = await statedDigest('.', world);
  if (here === undefined || here === running) return;
  const { line, style } = terminal(world);
  const which = `the bundle of this folder (${shortDigest(here)}) is not the one that runs`;
  line(`\n${style('yellow', `${which}: ${BY_BUNDLE} . asks it`)}`);
}

/** What is asked, as for POST /api/explain. */
export async function bodyOf(words: string[], options: ExplainOptions, world: World): Promise<Json> {
  warnOfContext(options.context, world);
  return {
    agent_id: options.agent,
    tenant_id: options.tenant,
    ...(options.surface === undefined ? {} : { surface: options.surface }),
    action: actionOf(options.kind, await textOf(words, options.kind, world)),
    // As the hook of an agent that works here would tell it.
    context: options.context ?? (await surroundings({ cwd: world.cwd, attended: undefined }, undefined)),
  };
}

export async function tell(answer: Json, options: ExplainOptions, world: World): Promise<number> {
  if (options.json) world.out(`${JSON.stringify(answer)}\n`);
  else await showExplanation(answer, world);
  return answer.would_run === true && runs(answer.route as Route) ? EXIT.yes : EXIT.no;
}

async function textOf(words: string[], kind: string, world: World): Promise<string> {
  const [only] = words;
  if (only === undefined) throw usage('nothing to explain: give -- COMMAND');
  if (words.length > 1) return (kind === 'shell' ? words.map(quote) : words).join(' ');
  return only === '-' ? stdinText(world) : only;
}

function actionOf(kind: string, text: string): Json {
  const field = Object.hasOwn(TEXT_OF, kind) ? TEXT_OF[kind] : undefined;
  if (field !== undefined) return { kind, [field]: text };
  if (kind === 'tools') return toolList(readObject(text, TOOL_LIST));
  if (FIELDS_OF.includes(kind)) return { ...readObject(text, 'COMMAND'), kind };
  throw usage(`--kind is one of ${[...Object.keys(TEXT_OF), ...FIELDS_OF].join(', ')}`);
}

const TOOL_LIST = 'COMMAND, as tools/list answers, {"tool": SERVER, "tools": […]},';

/** What MCP `tools/list` answers, with `tool` naming the server: the pages and other fields of that answer are left out. */
function toolList({ tool, tools, first_seen: seen }: Json): Json {
  return { kind: 'output', tool, tools, ...(seen === undefined ? {} : { first_seen: seen }) };
}
