// `beacon policy explain`: beacon explain, and with --bundle by a bundle that is not installed: understood on this machine,
// with the facts of the running Beacon where one answers and as stated where none does.

import type { Command } from 'commander';
import { findBeacon, type Json } from './beacon.ts';
import { policyInWords } from './execute.ts';
import { bodyOf, type ExplainOptions, explain, explainCommand, tell } from './explain.ts';
import { usage } from './failure.ts';
import { bundleFolder, toolsOf } from './policy-bundle.ts';
import type { OpenBundle, Standing } from './policy-tools.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = ExplainOptions & {
  bundle?: string;
  as?: string;
  score?: string;
  receipts?: string;
  approved?: true;
};
type Provenance = NonNullable<Standing['provenance']>;
const PROVENANCES: readonly string[] = ['asserted', 'authenticated', 'attested'] satisfies Provenance[];

export function definePolicyExplain(policy: Command, world: World, exits: Exits): void {
  explainCommand(policy)
    .description('beacon explain; with --bundle, by a bundle that is not installed')
    .option('--bundle <dir>', 'a bundle, signed or not, or a package that was built')
    .option('--as <provenance>', `with --bundle: ${PROVENANCES.join(', ')}`)
    .option('--score <n>', 'with --bundle: the agent’s score, 300 to 850')
    .option('--receipts <n>', 'with --bundle: its valid receipts')
    .option('--approved', 'with --bundle: a person approved exactly this')
    .action(exits((words: string[], options: Options) => policyExplain(words, options, world)));
}

async function policyExplain(words: string[], options: Options, world: World): Promise<number> {
  if (options.bundle === undefined) {
    const odd = (['as', 'score', 'receipts', 'approved'] as const).find((name) => options[name] !== undefined);
    if (odd !== undefined) throw usage(`--${odd}: needs --bundle`);
    return explain(words, options, world);
  }
  const stated = standingOf(options);
  const bundle = await (await toolsOf(world)).open(bundleFolder(options.bundle, world));
  const body = await bodyOf(words, options, world);
  const { answer: running, why = '' } = await runningOne(body, world);
  const answer = await bundle.explain(body, { ...factsOf(running), ...stated });
  const compared = {
    bundle: { name: bundle.name, revision: bundle.revision, digest: bundle.digest },
    running: running
      ? { route: running.route, policy_revision: running.policy_revision, policy_digest: running.policy_digest }
      : null,
  };
  if (!options.json) headOf(bundle, { running, why }, world);
  return tell({ ...answer, ...compared }, options, world);
}

function standingOf(options: Options): Standing {
  const { as, score, receipts, approved } = options;
  if (as !== undefined && !PROVENANCES.includes(as)) throw usage(`--as is one of ${PROVENANCES.join(', ')}`);
  return {
    ...(as === undefined ? {} : { provenance: as as Provenance }),
    ...(score === undefined ? {} : { score: whole('--score', score, 300, 850) }),
    ...(receipts === undefined ? {} : { valid_receipts: whole('--receipts', receipts, 0, 1e9) }),
    ...(approved === undefined ? {} : { approved }),
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw usage(`${name} is a whole number from ${least} to ${most}`);
  return value;
}

/** What the running Beacon says, or why it says nothing: the bundle can be asked without it. */
async function runningOne(body: Json, world: World): Promise<{ answer?: Json; why?: string }> {
  try {
    return { answer: await (await findBeacon(world)).ask('POST', '/api/explain', body) };
  } catch (thrown) {
    return { why: (thrown as Error).message };
  }
}

function factsOf(running: Json | undefined): Standing {
  const { score, valid_receipts, approved } = (running?.facts ?? {}) as Json;
  const { client_provenance } = (running?.externality ?? {}) as Json;
  return {
    ...(PROVENANCES.includes(String(client_provenance)) ? { provenance: client_provenance as Provenance } : {}),
    ...(typeof score === 'number' ? { score } : {}),
    ...(typeof valid_receipts === 'number' ? { valid_receipts } : {}),
    ...(typeof approved === 'boolean' ? { approved } : {}),
  };
}

function headOf(
  { name, revision, digest }: OpenBundle,
  { running, why }: { running: Json | undefined; why: string },
  world: World,
): void {
  const { fields, line, style } = terminal(world);
  line(style('bold', `By ${plain(name)} ${plain(revision)}, which is not installed`));
  const active = policyInWords(running?.policy_revision, running?.policy_digest);
  const same = running?.policy_digest === digest ? ' (the same bundle)' : '';
  fields([['running', running ? `${plain(running.route)} by ${active}${same}` : `facts are as stated: ${plain(why)}`]]);
  line();
}
