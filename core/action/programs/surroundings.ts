// What an action depends on and does not name: variables handed to it, as whom and where it runs.
// It enters by digest, so that an approval of one covers no other.

import type { Frame, Invocation } from '../../shell/frame.ts';
import { forkState, type ShellState } from '../../shell/values.ts';
import { resolvePath, scopeOf, under, type Where } from '../paths.ts';
import type { Effect } from '../types.ts';

/** What these act on is told by the directory they run in. */
const PLACED = new Set<Effect>([
  'build',
  'run_unknown',
  'run_opaque',
  'unknown',
  'vcs_local',
  'vcs_push',
  'vcs_force_push',
  'history_rewrite',
  'discard_work',
  'publish',
  'install_local',
]);
/** These name their system themselves. */
const ELSEWHERE = /^(?:kubernetes|kubectl|aws|gcloud|az|oci|doctl|s3cmd|gsutil)$/;
const INFRASTRUCTURE = new Set<Effect>(['infra_change', 'infra_destroy']);
/** Tools that find the project, and with it the account or the database, in the directory. */
const PROJECT_TOOLS =
  /^(?:make|gmake|bmake|go|cargo|gh|glab|prisma|alembic|flyway|liquibase|dbmate|knex|sequelize(?:-cli)?|typeorm|drizzle-kit|goose|atlas|migrate|sqitch|rails|bin\/rails|django-admin|vercel|netlify|wrangler|heroku|fly|flyctl|firebase|serverless|sls|sam|cdk)$/;
const FILES = new Set<Effect>(['write', 'overwrite', 'delete', 'delete_many', 'permission_change']);
/** How something is shown, not what is done. */
const SHOWN = /^(?:LANG|LANGUAGE|LC_\w+|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CLICOLOR(?:_FORCE)?|COLUMNS|LINES)$/;

export type Acting = { readonly effect: Effect; readonly tool: string; readonly targets: number };

export function surroundings(invocation: Invocation, where: Where, acting: Acting): string[] {
  const { frame, state, assignments } = invocation;
  const variables = new Map(state.exported);
  for (const { name, value } of assignments) variables.set(name, value.text);
  const set = [...variables].filter(([name]) => !SHOWN.test(name)).map(([name, value]) => `${name}=${value}`);
  const out = set.length === 0 ? [] : [set.sort().join('\0')];
  if (frame.bound && frame.bound.length > 0) out.push(boundText(frame));
  if (placed(acting)) {
    const folder = directoryOf(invocation, where);
    if (folder !== undefined) out.push(`in ${folder}`);
  }
  return out;
}

/** What runs inside gets the variables that were set for what runs it. */
export function inherited({ assignments, state }: Invocation): ShellState {
  if (assignments.length === 0) return state;
  const inner = forkState(state);
  for (const { name, value } of assignments) inner.exported.set(name, value.text);
  return inner;
}

export function boundText(frame: Frame): string {
  return frame.bound === undefined || frame.bound.length === 0 ? '' : `as ${frame.bound.join('\0')}`;
}

function placed({ effect, tool, targets }: Acting): boolean {
  if (PLACED.has(effect)) return true;
  if (INFRASTRUCTURE.has(effect)) return !ELSEWHERE.test(tool);
  return PROJECT_TOOLS.test(tool) || (targets === 0 && FILES.has(effect));
}

/** Resolved; `?` when a `cd` made it unknown, undefined when nobody told it. */
function directoryOf({ frame, state }: Invocation, where: Where): string | undefined {
  if (state.cwd !== undefined) return resolvePath(state.cwd, undefined, where.home);
  return where.cwd === undefined || frame.remote !== undefined ? undefined : '?';
}

/** Where files lie that nobody keeps: what runs from there is nobody's work. */
export function passing({ state, frame }: Invocation, where: Where, file: string): boolean {
  return frame.remote === undefined && scopeOf(resolvePath(file, state.cwd, where.home), where) === 'temporary';
}

/** True when it is known to run in a directory that is not of the workspace. */
export function outsideWorkspace(invocation: Invocation, where: Where): boolean {
  if (where.workspace === undefined || invocation.frame.remote !== undefined) return false;
  const folder = directoryOf(invocation, where);
  return folder !== undefined && folder !== '?' && !folder.startsWith('.') && !under(folder, where.workspace);
}
