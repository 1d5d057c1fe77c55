// The evaluation for a terminal: figures with their intervals, the confusion matrix, and the wrong ones one by one.

import { styleText } from 'node:util';
import Table from 'cli-table3';
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

/** `0.831 (0.81-0.85)`; a dash where nothing was counted. */
export function said({ value, low, high, of }: Figure): string {
  return of === 0 ? '-' : `${value.toFixed(3)} (${low.toFixed(2)}-${high.toFixed(2)})`;
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

export function printed(found: Evaluation, listHeld: boolean): string {
  const tables = sections(found).map(({ title, rows }) => {
    const table = new Table({ head: [title, 'n', ...COLUMNS.map(([name]) => name)], style: { head: [], border: [] } });
    for (const [name, figures] of rows) {
      table.push([name, figures.count, ...COLUMNS.map(([, key]) => said(figures[key]))]);
    }
    return table.toString();
  });
  const matrix = new Table({ head: ['label \\ answer', ...ROUTES], style: { head: [], border: [] } });
  for (const label of ROUTES) matrix.push([label, ...ROUTES.map((route) => found.confusion[label][route])]);
  const { counts, wrong } = found;
  const share = ((100 * counts.lookalikes) / counts.all).toFixed(0);
  return [
    `${counts.all} actions (${counts.held} held back), ${counts.severe} severe, ${counts.lookalikes} look-alikes (${share} %)`,
    `set ${found.set.slice(0, 16)}, policy ${found.policy.slice(0, 16)}; 95 % intervals: Wilson, macro-F1 bootstrap`,
    ...tables,
    matrix.toString(),
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
