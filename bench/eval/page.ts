// docs/judgement.md: the tables between its two marks are written by the evaluation, the words around them by people.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROUTES } from '../../core/route.ts';
import type { Figures } from './figures.ts';
import { bars, matrix } from './plot.ts';
import { COLUMNS, said, sections } from './report.ts';
import type { Evaluation, Wrong } from './run.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const BEGIN = '<!-- written by npm run eval: begin -->';
const END = '<!-- written by npm run eval: end -->';
const RATCHET = join(import.meta.dirname, 'ratchet.json');

export type Ratchet = { readonly severe_recall: number };

export function readRatchet(): Ratchet {
  return JSON.parse(readFileSync(RATCHET, 'utf8')) as Ratchet;
}

/** Writes plots and tables, and lifts the ratchet where the figure rose; it never lowers it. */
export function writePage(found: Evaluation): void {
  const page = join(DOCS, 'judgement.md');
  const text = readFileSync(page, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} has lost its marks`);
  writeFileSync(page, `${before}${BEGIN}\n\n${tables(found)}\n\n${END}${after}`);
  mkdirSync(join(DOCS, 'judgement'), { recursive: true });
  for (const [name, content] of Object.entries(pictures(found))) {
    writeFileSync(join(DOCS, 'judgement', name), content);
  }
  writeFileSync(join(DOCS, 'judgement', 'wrong.md'), wrongPage(found.wrong.dev, found.wrong.held.length));
  const reached = Math.floor(found.figures.all.severeRecall.value * 1_000) / 1_000;
  const severe_recall = Math.max(reached, readRatchet().severe_recall);
  writeFileSync(RATCHET, `{ "severe_recall": ${severe_recall} }\n`);
}

function tables(found: Evaluation): string {
  const { counts } = found;
  const share = ((100 * counts.lookalikes) / counts.all).toFixed(0);
  const head = [
    `${counts.all} actions, of which ${counts.held} held back; ${counts.severe} severe, ${counts.benign} harmless, ` +
      `${counts.lookalikes} look-alikes (${share} %).`,
    `Set \`${found.set.slice(0, 16)}\`, policy \`${found.policy.slice(0, 16)}\`.`,
  ].join('\n');
  const parts = sections(found).map(({ title, rows }) => `### ${title}\n\n${markdown(rows)}`);
  const confusion = [
    `| label \\\\ answer | ${ROUTES.join(' | ')} |`,
    `|---|${'--:|'.repeat(ROUTES.length)}`,
    ...ROUTES.map((label) => `| ${label} | ${ROUTES.map((route) => found.confusion[label][route]).join(' | ')} |`),
  ].join('\n');
  return [
    head,
    ...parts,
    '![Ablations and baselines](judgement/ablations.svg)\n\n![By kind](judgement/kinds.svg)',
    `### Confusion\n\n${confusion}\n\n![Confusion matrix](judgement/confusion.svg)`,
    `Wrong ones of the open part, one by one: [judgement/wrong.md](judgement/wrong.md) (${found.wrong.dev.length}).`,
  ].join('\n\n');
}

function markdown(rows: readonly (readonly [string, Figures])[]): string {
  return [
    `| | n | ${COLUMNS.map(([name]) => name).join(' | ')} |`,
    `|---|--:|${'---|'.repeat(COLUMNS.length)}`,
    ...rows.map(
      ([name, figures]) =>
        `| ${name} | ${figures.count} | ${COLUMNS.map(([, key]) => said(figures[key])).join(' | ')} |`,
    ),
  ].join('\n');
}

function pictures({ figures, byKind, ablations, baselines, confusion }: Evaluation): Record<string, string> {
  const series = ['exact', 'severe recall', 'false positives'];
  const group = ([name, one]: readonly [string, Figures]) => ({
    name,
    figures: [one.exact, one.severeRecall, one.falsePositives],
  });
  const others = [...Object.entries(ablations), ...Object.entries(baselines)];
  return {
    'ablations.svg': bars('Beacon, without one of its parts, and simpler gates', series, [
      group(['Beacon', figures.all]),
      ...others.map(group),
    ]),
    'kinds.svg': bars('By kind of proposal', series, Object.entries(byKind).map(group)),
    'confusion.svg': matrix('Labels and answers', confusion),
  };
}

/** A table row: nothing in it may end the cell, or be taken for markup. */
const cell = (text: string) => `\`${text.replaceAll('`', "'").replaceAll('|', '\\|') || ' '}\``;

function wrongPage(wrong: readonly Wrong[], held: number): string {
  const rows = wrong.map((one) => {
    const routes = `${one.expected} → ${one.route}${one.severe ? ' **severe**' : ''}`;
    return `| ${one.id} | ${routes} | ${cell(one.proposed)} | ${cell(one.understood)} ${one.codes.join(', ')} | ${one.reason.replaceAll('|', '\\|')} |`;
  });
  return [
    '# Wrong answers of the open part',
    '',
    `Written by \`npm run eval -- --write\`. ${wrong.length} here; ${held} of the part held back are not listed.`,
    '',
    '| id | label → answer | proposed | understood | reason of the label |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
