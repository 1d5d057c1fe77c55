// `beacon`: the command people and scripts use. Loads only the verb that is asked for.
// Exit status: 0 yes, 1 no (the code is printed), 2 wrong usage, 3 Beacon unreachable or no answer.

import { BeaconError } from '../../core/errors.ts';
import { VerifyError } from '../../core/verify-error.ts';
import { CliFailure, EXIT, refusedByBeacon } from './failure.ts';
import { plain } from './terminal.ts';
import type { DefineVerb, Exits } from './verb.ts';
import { processWorld, type World } from './world.ts';

const VERBS: Record<string, () => Promise<{ define: DefineVerb }>> = {
  execute: () => import('./execute.ts'),
  explain: () => import('./explain.ts'),
  verify: () => import('./verify.ts'),
  receipts: () => import('./receipts.ts'),
  tail: () => import('./tail.ts'),
  score: () => import('./score.ts'),
  revoke: () => import('./revoke.ts'),
  reinstate: () => import('./reinstate.ts'),
  'prove-kill': () => import('./prove-kill.ts'),
  approvals: () => import('./approvals.ts'),
  token: () => import('./token.ts'),
  'revoke-token': () => import('./revoke-token.ts'),
  'rotate-key': () => import('./rotate-key.ts'),
  policy: () => import('./policy.ts'),
  status: () => import('./status.ts'),
};

const ABOUT = `
Also: beacon hook codex|claude-code [--client-file <file>], the pre-tool hook (docs/hooks.md).

Beacon is found at BEACON_URL, asked with BEACON_TOKEN. Without BEACON_URL the one running
on the data folder (BEACON_DATA_DIR, as for beacond) is asked, with its admin token.
Over https, which it must be beyond loopback: BEACON_CA_FILE names authorities in place of the machine's own (PEM);
BEACON_CERT_FILE and BEACON_KEY_FILE a certificate to show.

Exit status: 0 yes, 1 no (the code is printed), 2 wrong usage, 3 no answer from Beacon.`;

/** Runs one command line (without node and script) and resolves to its exit status. Never throws. */
export async function run(argv: readonly string[], given?: World): Promise<number> {
  if (argv[0] === 'hook') return hook(argv.slice(1));
  const world = given ?? processWorld();
  try {
    return await runVerb(argv, world);
  } catch (thrown) {
    return report(thrown, argv, world);
  }
}

/** A hook's start-up is felt at every tool call: nothing else is loaded for it. */
async function hook(argv: readonly string[]): Promise<number> {
  try {
    const { runHook } = await import('../hooks/main.ts');
    return await runHook(argv);
  } catch {
    // Agents read status 2 as "blocked" and most others as "never mind": a hook that breaks must not let the call pass.
    process.stderr.write('beacon: the hook failed, so this call is refused\n');
    return EXIT.usage;
  }
}

async function runVerb(argv: readonly string[], world: World): Promise<number> {
  const { Command } = await import('commander');
  const program = new Command('beacon')
    .description('The gate between AI agents and everything they can change.')
    .exitOverride()
    .configureOutput({ writeOut: world.out, writeErr: world.err, getOutHasColors: () => world.colour })
    .addHelpText('after', ABOUT)
    .showHelpAfterError('(add --help for what is understood)');
  let status: number = EXIT.yes;
  const exits: Exits =
    (action) =>
    async (...args) => {
      status = await action(...args);
    };
  const named = VERBS[argv[0] ?? ''];
  for (const load of named ? [named] : Object.values(VERBS)) (await load()).define(program, world, exits);
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT.usage;
  }
  await program.parseAsync([...argv], { from: 'user' });
  return status;
}

function report(thrown: unknown, argv: readonly string[], world: World): number {
  if (isCommanderError(thrown)) return thrown.exitCode === 0 ? EXIT.yes : EXIT.usage;
  const failure = asFailure(thrown);
  if (argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json')) {
    world.out(`${JSON.stringify({ error: { code: failure.code, message: failure.message } })}\n`);
  }
  world.err(`beacon: ${failure.code}: ${plain(failure.message)}\n`);
  return failure.exit;
}

function asFailure(thrown: unknown): CliFailure {
  if (thrown instanceof CliFailure) return thrown;
  if (thrown instanceof VerifyError) return new CliFailure(EXIT.no, thrown.code, thrown.message);
  if (thrown instanceof BeaconError) return refusedByBeacon(thrown.code, thrown.message);
  return new CliFailure(EXIT.noAnswer, 'internal', thrown instanceof Error ? thrown.message : 'unexpected failure');
}

function isCommanderError(thrown: unknown): thrown is { exitCode: number } {
  return thrown instanceof Error && thrown.name === 'CommanderError';
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2));
