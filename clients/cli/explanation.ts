// How an explanation looks to a person: the route and its reasons, each part with its X(a), what was found, and what would
// change the route. Everything in it may come from an agent, so all of it goes through `plain`.

import type { Json } from './beacon.ts';
import { constraintInWords, list, moodOf, policyInWords } from './execute.ts';
import { plain, type Terminal, terminal } from './terminal.ts';
import type { World } from './world.ts';

/** Effects that change nothing, and those no table can vouch for. */
const HARMLESS = ['none', 'read', 'fetch', 'build'];
const UNSEEN = ['unknown', 'run_unknown', 'run_opaque'];
const COLOURS = { ALLOW: 'green', WARN: 'yellow', SIMULATE: 'cyan', APPROVAL: 'cyan', DENY: 'red' } as const;
/** Fields that come from caller and surface: the same for every part. */
const SHARED = ['tenant_provenance', 'account_provenance', 'client_provenance', 'enforceability'];

/** `answer` is what `POST /api/explain` answers. */
export async function showExplanation(answer: Json, world: World): Promise<void> {
  const { line, headline, fields, table, style } = terminal(world);
  headline(moodOf(plain(answer.route)), plain(answer.route), answer.would_run === true ? 'would run' : 'would not run');
  for (const { rule, code, message } of list(answer.reasons)) {
    line(`  ${plain(message)} ${style('dim', `(${plain(rule)}: ${plain(code)})`)}`);
  }
  for (const constraint of list(answer.constraints)) {
    line(`  ${style('yellow', `with ${constraintInWords(constraint)}`)}`);
  }
  showParts(answer, terminal(world));
  const found = list(answer.findings);
  if (found.length > 0) {
    section('Found in it', terminal(world));
    const rows = found.map(({ kind, class: of, where, confidence }) => [kind, of, where, confidence]);
    await table(['kind', 'class', 'where', 'confidence'], rows);
  }
  showChanges(answer, terminal(world));
  const facts = (answer.facts ?? {}) as Json;
  section('Decided upon', terminal(world));
  fields([
    ['score', `${plain(facts.score)} at ${plain(facts.level)}`],
    ['approval', facts.approved === true ? 'a person allowed exactly this, once' : undefined],
    ['not answered', words(facts.missing)],
    ['policy', policyInWords(answer.policy_revision, answer.policy_digest)],
    ['fingerprint', answer.fingerprint],
  ]);
}

function section(name: string, { line, style }: Terminal): void {
  line(`\n${style('bold', name)}`);
}

/** Of a compound action each part with its own fields first; what all parts share stands once, with the whole. */
function showParts(answer: Json, shown: Terminal): void {
  const { line, fields, style } = shown;
  const parts = list(answer.parts);
  section('Understood as', shown);
  for (const [index, part] of parts.entries()) {
    const what = part.tool === part.operation ? plain(part.tool) : `${plain(part.tool)} ${plain(part.operation)}`;
    const effect = style(effectColour(plain(part.effect)), plain(part.effect));
    const alone = parts.length > 1 && part.route ? `  ${style('dim', 'alone')} ${route(part.route, shown)}` : '';
    line(`  ${style('dim', `${index + 1}.`)} ${what}  ${effect}${alone}`);
    fields([
      ['   targets', words(part.targets)],
      ['   systems', words(part.systems)],
      ['   where', part.scope],
      ['   undo', part.reversible],
      ['   flags', words(part.flags)],
    ]);
    if (parts.length > 1 && part.externality)
      showExternality(part, shown, { indent: '   ', shared: false, numbered: false });
  }
  section(parts.length > 1 ? 'Externality X(a) of all together: field by field the worst' : 'Externality X(a)', shown);
  showExternality(answer, shown, { indent: '', shared: true, numbered: parts.length > 1 });
}

function showExternality(
  of: Json,
  { line, style }: Terminal,
  how: { indent: string; shared: boolean; numbered: boolean },
): void {
  const from = (of.derived_from ?? {}) as Record<string, Json>;
  const rows = Object.entries((of.externality ?? {}) as Json).filter(([name]) => how.shared || !SHARED.includes(name));
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => plain(row[column]).length)));
  for (const [name, value] of rows) {
    const text = plain(value).padEnd(widths[1] as number);
    const mark = value === 'unknown' ? style('magenta', text) : text;
    const source = Object.hasOwn(from, name) ? `  ${style('dim', sourceOf(from[name] as Json, how.numbered))}` : '';
    line(`  ${how.indent}${style('dim', name.padEnd(widths[0] as number))}  ${mark}${source}`.trimEnd());
  }
}

/** `effect vcs_push, part 2`. What is said in words needs no name of its source. */
function sourceOf({ source, detail, part }: Json, numbered: boolean): string {
  const said = ['caller', 'surface', 'nobody', 'contents'].includes(plain(source));
  const text = said ? plain(detail) : `${plain(source)} ${plain(detail)}`;
  return `← ${text}${numbered && part ? `, part ${plain(part)}` : ''}`;
}

/** Milder ones first: that is what whoever was stopped looks for. */
function showChanges(answer: Json, shown: Terminal): void {
  const { line, style } = shown;
  const changes = list(answer.changes);
  const same = list(answer.unchanged);
  if (changes.length + same.length === 0) return;
  section('What would change the route', shown);
  const width = Math.max(0, ...changes.map((change) => plain(change.route).length));
  for (const direction of ['milder', 'stricter']) {
    for (const change of changes.filter((one) => one.direction === direction)) {
      const padding = ' '.repeat(width - plain(change.route).length);
      line(
        `  ${direction === 'milder' ? '↓' : '↑'} ${route(change.route, shown)}${padding}  if ${plain(change.suppose)}`,
      );
    }
  }
  if (changes.length === 0) line(`  ${style('dim', 'nothing that was tried')}`);
  for (const one of same.filter(({ kind }) => kind === 'approval' || kind === 'form')) {
    line(`  ${style('dim', `= ${plain(one.route)}  even if ${plain(one.suppose)}`)}`);
  }
  if (answer.changes_complete === false) line(`  ${style('dim', 'not everything was tried: it is too long for that')}`);
}

function route(name: unknown, { style }: Terminal): string {
  const text = plain(name);
  return Object.hasOwn(COLOURS, text) ? style(COLOURS[text as keyof typeof COLOURS], text) : text;
}

function effectColour(effect: string): 'green' | 'yellow' | 'magenta' {
  if (HARMLESS.includes(effect)) return 'green';
  return UNSEEN.includes(effect) ? 'magenta' : 'yellow';
}

function words(value: unknown): string {
  return Array.isArray(value) ? value.map(plain).join(', ') : '';
}
