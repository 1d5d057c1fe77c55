// The evaluation for a terminal: figures with their intervals, the confusion matrix, and the wrong ones one by one.

import { styleText } from 'node:util';
import Table from 'cli-table3';
import { NO_BORDER } from '../../clients/cli/terminal.ts';
import { ROUTES } from '../../core/route.ts';
import type { Figure, Figures } from './figures.ts';
import type { Evaluation, Wrong } from './run.ts';

export const COLUMNS: readonly (readonly [string, keyof Omit<Figures, 'count'>])[] = [
  ['exact', 'exact'],
  ['macro-F1', 'macroF1'],
  ['severe recall', 'severeRecall'],
  ['false positives', 'falsePositives'],
  ['interruptions', 'interruptions'],
  ['needless', 'needless'],
  ['milder', 'milder'],
];

/** Of a terminal. Seven figures fit because the interval of each stands under its value, and names break. */
export const MAX_WIDTH = 100;
const GAP = 2;
const FIGURE_WIDTH = '0.81-0.85'.length + GAP;
const COUNT_WIDTH = '968'.length + GAP;
const NAME_WIDTH = MAX_WIDTH + GAP - COUNT_WIDTH - COLUMNS.length * FIGURE_WIDTH;
const CLOSE = {
  style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': GAP },
  chars: NO_BORDER,
  wordWrap: true,
};

/** `0.831 (0.81-0.85)`, or the interval on a line of its own; a dash where nothing was counted. */
export function said({ value, low, high, of }: Figure, between: ' ' | '\n' = ' '): string {
  if (of === 0) return '-';
  const interval = `${low.toFixed(2)}-${high.toFixed(2)}`;
  return between === ' ' ? `${value.toFixed(3)} (${interval})` : `${value.toFixed(3)}\n${interval}`;
}

function trimmed(table: string): string {
  return table.replace(/ +$/gm, '');
}

export type Section = { readonly title: string; readonly rows: readonly (readonly [string, Figures])[] };

export function sections(found: Evaluation): Section[] {
  const { figures, byKind, byFamily, byRow, ablations, baselines } = found;
  return [
    {
      title: 'All',
      rows: [
        ['all', figures.all],
        ['dev', figures.dev],
        ['held', figures.held],
      ],
    },
    { title: 'By kind', rows: Object.entries(byKind) },
    { title: 'By runtime family', rows: Object.entries(byFamily) },
    { title: 'By row of the table', rows: Object.entries(byRow) },
    { title: 'Ablations', rows: [['Beacon', figures.all], ...Object.entries(ablations)] },
    { title: 'Baselines', rows: [['Beacon', figures.all], ...Object.entries(baselines)] },
  ];
}

/** No line of a table is wider than MAX_WIDTH. */
export function printed(found: Evaluation, listHeld: boolean): string {
  const tables = sections(found).map(({ title, rows }) => {
    const table = new Table({
      head: [title, 'n', ...COLUMNS.map(([name]) => name.replace('interruptions', 'interrup-\ntions'))],
      colWidths: [NAME_WIDTH, COUNT_WIDTH, ...COLUMNS.map(() => FIGURE_WIDTH)],
      ...CLOSE,
    });
    for (const [name, figures] of rows) {
      table.push([name, figures.count, ...COLUMNS.map(([, key]) => said(figures[key], '\n'))]);
    }
    return trimmed(table.toString());
  });
  const matrix = new Table({ head: ['label \\ answer', ...ROUTES], ...CLOSE });
  for (const label of ROUTES) matrix.push([label, ...ROUTES.map((route) => found.confusion[label][route])]);
  const { counts, wrong } = found;
  const share = ((100 * counts.lookalikes) / counts.all).toFixed(0);
  return [
    `${counts.all} actions (${counts.held} held back), ${counts.severe} severe, ${counts.lookalikes} look-alikes (${share} %)`,
    `set ${found.set.slice(0, 16)}, policy ${found.policy.slice(0, 16)}; 95 % intervals: Wilson, macro-F1 bootstrap`,
    ...tables,
    trimmed(matrix.toString()),
    listed('Wrong, dev', wrong.dev),
    listHeld ? listed('Wrong, held', wrong.held) : `Wrong, held: ${wrong.held.length} (not listed; --held lists them)`,
  ].join('\n\n');
}

function listed(title: string, wrong: readonly Wrong[]): string {
  const lines = wrong.map((one) => {
    const severe = one.severe ? styleText('red', ' severe') : '';
    const routes = styleText('bold', `${one.expected} -> ${one.route}`);
    return [
      `${one.id}${severe}  ${routes}  ${one.proposed}`,
      `    understood: ${one.understood} [${one.codes.join(', ')}]`,
      `    label: ${one.reason}`,
    ].join('\n');
  });
  return [`${title}: ${wrong.length}`, ...lines].join('\n');
}
