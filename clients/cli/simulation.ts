// What a simulation of a policy looks like to a person: the milder changes first and loud.

import { type Change, NOT_REPLAYED, type NotReplayed, type PolicyDiff } from '../../core/policy-diff.ts';
import { ROUTES, type Route } from '../../core/route.ts';
import { moodOf } from './execute.ts';
import { type Mood, many, plain, type Terminal, terminal } from './terminal.ts';
import type { World } from './world.ts';

export type Simulated = PolicyDiff & {
  readonly bundle: { readonly name: string; readonly revision: string; readonly digest: string };
  readonly asked: {
    readonly since: string | null;
    readonly agent: string | null;
    readonly tenant: string | null;
    readonly limit: number;
  };
  /** Decisions that fit what was asked. */
  readonly found: number;
  readonly oldest: string | null;
  readonly newest: string | null;
  /** False when older decisions were left out by the limit, or a person interrupted. */
  readonly complete: boolean;
  readonly interrupted_by_person: boolean;
  /** By NotReplayed. */
  readonly not_replayed: Readonly<Record<string, number>>;
  /** By the revision of the policy that decided. */
  readonly recorded_by: Readonly<Record<string, unknown>>;
};

const COLOURS: Record<Mood, 'green' | 'yellow' | 'cyan' | 'red'> = {
  good: 'green',
  careful: 'yellow',
  waiting: 'cyan',
  bad: 'red',
};

export async function showSimulation(simulated: Simulated, world: World): Promise<void> {
  const view = terminal(world);
  const { headline, fields, line, style } = view;
  const { bundle, replayed, milder, stricter, unchanged } = simulated;
  const told = `${plain(bundle.name)} ${plain(bundle.revision)} on ${many(replayed, 'recorded decision')}`;
  if (replayed === 0) headline('careful', 'nothing to compare', told);
  else if (milder > 0) headline('bad', `${milder} milder`, `${stricter} stricter, ${unchanged} unchanged: ${told}`);
  else headline('good', 'none milder', `${stricter} stricter, ${unchanged} unchanged: ${told}`);
  const share = (count: number) => `${count} (${replayed === 0 ? 0 : Math.round((100 * count) / replayed)} %)`;
  const { was, is } = simulated.interrupted;
  fields([
    ['recorded', simulated.oldest === null ? 'none found' : `${simulated.oldest} to ${simulated.newest}`],
    ['decided by', listed(simulated.recorded_by)],
    ['interrupted', replayed === 0 ? undefined : `${share(was)}, would be ${share(is)}`],
    ['digest', bundle.digest],
  ]);
  if (replayed > 0) await showRoutes(simulated, view);
  showChanges(
    'Milder than decided',
    simulated.changes.filter((change) => change.milder),
    view,
  );
  showChanges(
    'Stricter than decided',
    simulated.changes.filter((change) => !change.milder),
    view,
  );
  showLimits(simulated, view);
  if (milder > 0)
    line(`\n${style(['bold', 'red'], `✖ ${many(milder, 'decision')} would be milder: look at each group above`)}`);
}

async function showRoutes({ routes }: Simulated, { line, style, table }: Terminal): Promise<void> {
  line(`\n${style('bold', 'Routes')}`);
  const rows = ROUTES.filter((route) => routes.was[route] + routes.is[route] > 0).map((route) => {
    const change = routes.is[route] - routes.was[route];
    return [
      route,
      String(routes.was[route]),
      String(routes.is[route]),
      change > 0 ? `+${change}` : String(change || ''),
    ];
  });
  await table(['route', 'was', 'would be', 'change'], rows);
}

function showChanges(title: string, changes: readonly Change[], { line, style }: Terminal): void {
  if (changes.length === 0) return;
  const { milder } = changes[0] as Change;
  const sum = changes.reduce((total, { count }) => total + count, 0);
  line(`\n${style(milder ? ['bold', 'red'] : 'bold', `${title}  ${sum}`)}`);
  const colour = (route: Route) => style(COLOURS[moodOf(route)], route);
  for (const { was, is, because, count, agents, examples } of changes) {
    const why = milder ? `no longer ${plain(because.code)}` : plain(because.code);
    const of = `${count} of ${many(agents, 'agent')}`;
    line(`  ${colour(was)} → ${colour(is)}  ${style('bold', of)}  ${why} ${style('dim', `(${plain(because.rule)})`)}`);
    for (const { receiptId, tenantId, agentId, summary, effects } of examples.slice(0, 2)) {
      const what = plain(summary || effects.join(', ')).slice(0, 90);
      line(`      ${what}  ${style('dim', `${plain(tenantId)}/${plain(agentId)} ${receiptId}`)}`);
    }
  }
}

function showLimits(simulated: Simulated, { line, style }: Terminal): void {
  const missing = Object.entries(simulated.not_replayed);
  const lines = [
    ...missing.map(([reason, count]) => `${count} not asked again: ${NOT_REPLAYED[reason as NotReplayed] ?? reason}`),
    ...(simulated.held > 0
      ? [
          `${simulated.held} ${simulated.held === 1 ? 'was' : 'were'} stopped by Beacon itself (kill switch, limits): no policy changes that`,
        ]
      : []),
    ...(simulated.interrupted_by_person ? ['it was interrupted: this is what was asked until then'] : []),
    ...(simulated.complete || simulated.interrupted_by_person ? [] : ['older decisions were left out: raise --limit']),
    'each stands as it was understood then, with the score, level and approvals of then; what an agent had done next is not known',
  ];
  line(`\n${style('bold', 'Limits')}`);
  for (const text of lines) line(`  ${style('dim', text)}`);
}

function listed(counts: Readonly<Record<string, unknown>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name || 'an unnamed policy'} (${count})`)
    .join(', ');
}
