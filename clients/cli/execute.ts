// `beacon execute`: asks for a decision as an agent would. Nothing is run here.

import type { Command } from 'commander';
import { unreadKeys } from '../../core/action/context.ts';
import { readReceipt } from '../../core/receipt.ts';
import { type Route, runs } from '../../core/route.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import { findBeacon, type Json } from './beacon.ts';
import { EXIT, usage } from './failure.ts';
import { type Mood, plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import { stdinText, type World } from './world.ts';

type Tool = { name: string; arguments: unknown };
type Options = {
  agent: string;
  tenant: string;
  session?: string;
  opportunity?: string;
  plan?: string;
  code?: string;
  language?: string;
  tool?: Tool[];
  surface?: string;
  context?: Json;
  idempotencyKey?: string;
  json?: true;
};

const SHORT_DIGEST = 12;

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('execute')
    .description('ask Beacon whether an agent may do something (nothing is run here)')
    .argument('[command...]', 'the command and its arguments, after --; a single word is taken as shell text')
    .requiredOption('--agent <name>', 'who proposes')
    .requiredOption('--tenant <name>', 'for whom')
    .option('--code <text>', 'shell text (or another --language); - reads stdin')
    .option('--language <name>', 'what --code is written in')
    .option('--tool <name=json>', 'a tool call with its arguments; repeatable', addTool)
    .option('--plan <text>', 'what the agent is up to; context for people')
    .option('--session <name>')
    .option('--opportunity <name>')
    .option('--surface <name>', 'where the proposal comes from')
    .option('--context <json>', 'what the client knows: cwd, workspace, git, attended, …', parseObject)
    .option('--idempotency-key <key>', 'the same key and proposal get the first answer again')
    .option('--json', 'the whole answer, for programs')
    .action(exits((words: string[], options: Options) => execute(words, options, world)));
}

async function execute(words: string[], options: Options, world: World): Promise<number> {
  const code = await codeOf(words, options, world);
  if (code === undefined && options.tool === undefined)
    throw usage('nothing to judge: give -- COMMAND, --code or --tool');
  warnOfContext(options.context, world);
  const answer = await (await findBeacon(world)).ask('POST', '/api/execute', {
    agent_id: options.agent,
    tenant_id: options.tenant,
    ...optional('session_id', options.session),
    ...optional('opportunity_id', options.opportunity),
    ...optional('proposed_plan', options.plan),
    ...optional('code', code),
    ...optional('language', options.language),
    ...optional('surface', options.surface),
    ...optional('idempotency_key', options.idempotencyKey),
    tools: options.tool ?? [],
    context: options.context ?? { cwd: world.cwd },
  });
  const allowed = answer.decision === 'ALLOW' && runs(answer.route as Route);
  if (options.json) world.out(`${JSON.stringify(answer)}\n`);
  else show(answer, world);
  if (!allowed) world.err(`beacon: ${codesOf(answer)}\n`);
  return allowed ? EXIT.yes : EXIT.no;
}

async function codeOf(words: string[], options: Options, world: World): Promise<string | undefined> {
  if (words.length > 0 && options.code !== undefined) throw usage('give either -- COMMAND or --code');
  if (options.code === '-') return stdinText(world);
  if (words.length === 0) return options.code;
  return words.length === 1 ? words[0] : words.map(quote).join(' ');
}

/** One word of shell text that means exactly these characters. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function show(answer: Json, world: World): void {
  const { line, headline, fields, style } = terminal(world);
  const route = plain(answer.route);
  headline(moodOf(route), plain(answer.decision), route === answer.decision ? '' : style('dim', `route ${route}`));
  for (const { rule, code, message } of list(answer.reasons)) {
    line(`  ${plain(message)} ${style('dim', `(${plain(rule)}: ${plain(code)})`)}`);
  }
  const permit = answer.permit as Json | null | undefined;
  fields([
    ['receipt', answer.receipt_id],
    ['action', answer.action_id],
    ['permit', permit ? `${permit.id} until ${permit.not_after}` : undefined],
    ['constraints', list(answer.constraints).map(constraintInWords).join('; ')],
    ['approval until', answer.approval_not_after],
    ['score', `${plain(answer.score)} at ${plain(answer.level)}`],
    ['enforceability', `${plain(answer.enforceability)}, caller ${plain(answer.client_provenance)}`],
    ['policy', policyInWords(answer.policy_revision, sealedDigest(answer))],
    ['answer', answer.repeated_answer === true ? 'given before for this idempotency key' : undefined],
  ]);
}

/** `0.1.0 a9117b9c6497`: revision and as much of the digest as tells bundles apart. */
export function policyInWords(revision: unknown, digest: unknown): string {
  return `${plain(revision)} ${shortDigest(digest)}`.trim();
}

export function shortDigest(digest: unknown): string {
  return plain(digest).slice(0, SHORT_DIGEST);
}

/** Of the bundle that evaluated, as the answer's own receipt binds it. */
function sealedDigest({ receipt, receipt_id }: Json): unknown {
  if (typeof receipt !== 'object' || receipt === null) return undefined;
  try {
    const sealed = readReceipt(Buffer.from(JSON.stringify(receipt)));
    return sealed.receiptId === receipt_id ? (sealed.predicate.policy as Json | undefined)?.digest : undefined;
  } catch {
    // What cannot be read is told by `beacon verify`; the answer stands without it.
    return undefined;
  }
}

/** `sandbox (required: false)`: the kind first, then what it asks. */
export function constraintInWords({ kind, ...asks }: Json): string {
  const named = Object.entries(asks).map(([name, value]) => `${name}: ${valueInWords(value)}`);
  return named.length === 0 ? plain(kind) : `${plain(kind)} (${plain(named.join('; '))})`;
}

function valueInWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueInWords).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function moodOf(route: string): Mood {
  const moods: Record<string, Mood> = { ALLOW: 'good', WARN: 'careful', SIMULATE: 'waiting', APPROVAL: 'waiting' };
  return moods[route] ?? 'bad';
}

function codesOf(answer: Json): string {
  const codes = list(answer.reasons).map((reason) => plain(reason.code));
  return [plain(answer.route), ...new Set(codes)].join(' ');
}

export function list(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

function optional(name: string, value: string | undefined): Json {
  return value === undefined ? {} : { [name]: value };
}

function addTool(text: string, before: Tool[] = []): Tool[] {
  const at = text.indexOf('=');
  if (at < 1) throw usage('--tool is NAME=JSON');
  return [...before, { name: text.slice(0, at), arguments: parse(text.slice(at + 1), '--tool') }];
}

export function parseObject(text: string): Json {
  return readObject(text, '--context');
}

/**
 * A key that Beacon does not read is no fault: adapters tell more than it knows, and a tenant's rules may read it. But whoever
 * typed it should know that it is none of Beacon's.
 */
export function warnOfContext(context: Json | undefined, world: World): void {
  for (const { path, read } of unreadKeys(context ?? {})) {
    const why = `not a key that Beacon reads (those are ${read.join(', ')})`;
    world.err(
      `beacon: warning: ${plain(path)}: ${why}; it is passed on for your own rules, and changes nothing else\n`,
    );
  }
}

/** `what` names it in the error. */
export function readObject(text: string, what: string): Json {
  const value = parse(text, what);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usage(`${what} is a JSON object`);
  return value as Json;
}

function parse(text: string, what: string): unknown {
  try {
    return parseStrictJson(Buffer.from(text));
  } catch (thrown) {
    throw usage(`${what}: ${(thrown as Error).message}`);
  }
}
