// Small plots as SVG text: bars with their intervals, and a matrix. No scripts, no fonts from elsewhere.

import { ROUTES, type Route } from '../../core/route.ts';
import type { Figure } from './figures.ts';

const FONT = 'font-family="ui-sans-serif, system-ui, sans-serif" font-size="12"';
const INK = '#1f2328';
const FAINT = '#d0d7de';
const COLOURS = ['#0969da', '#1a7f37', '#cf222e'];
const LABEL_WIDTH = 270;
const BAR_WIDTH = 420;
const BAR_HEIGHT = 12;
const CELL = 76;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x: number, y: number, words: string, more = '') =>
  `<text x="${x}" y="${y}" fill="${INK}" ${more}>${escaped(words)}</text>`;
const rect = (x: number, y: number, width: number, height: number, fill: string) =>
  `<rect x="${x}" y="${y}" width="${round(width)}" height="${height}" fill="${fill}"/>`;
const line = (x1: number, y1: number, x2: number, y2: number, stroke: string) =>
  `<line x1="${round(x1)}" y1="${y1}" x2="${round(x2)}" y2="${y2}" stroke="${stroke}"/>`;
const round = (value: number) => Math.round(value * 10) / 10;

function page(width: number, height: number, title: string, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT} role="img">`;
  return [head, `<title>${escaped(title)}</title>`, rect(0, 0, width, height, '#ffffff'), ...parts, '</svg>', ''].join(
    '\n',
  );
}

export type Bars = { readonly name: string; readonly figures: readonly Figure[] };

/** One group of bars for each name, from 0 to 1, with whiskers for the intervals. */
export function bars(title: string, series: readonly string[], groups: readonly Bars[]): string {
  const groupHeight = series.length * (BAR_HEIGHT + 2) + 12;
  const top = 52;
  const height = top + groups.length * groupHeight + 28;
  const at = (value: number) => LABEL_WIDTH + value * BAR_WIDTH;
  const legend = series.flatMap((name, index) => [
    rect(LABEL_WIDTH + index * 140, 30, 10, 10, COLOURS[index] as string),
    text(LABEL_WIDTH + index * 140 + 14, 39, name),
  ]);
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
    line(at(value), top - 4, at(value), height - 24, FAINT),
    text(at(value), height - 8, String(value), 'text-anchor="middle"'),
  ]);
  const drawn = groups.flatMap(({ name, figures }, group) => {
    const y = top + group * groupHeight;
    const label = text(LABEL_WIDTH - 8, y + (figures.length * (BAR_HEIGHT + 2)) / 2 + 4, name, 'text-anchor="end"');
    return [label, ...figures.flatMap((figure, index) => bar(figure, y + index * (BAR_HEIGHT + 2), index, at))];
  });
  return page(LABEL_WIDTH + BAR_WIDTH + 70, height, title, [
    text(12, 18, title, 'font-weight="600"'),
    ...legend,
    ...grid,
    ...drawn,
  ]);
}

function bar(figure: Figure, y: number, index: number, at: (value: number) => number): string[] {
  if (figure.of === 0) return [text(at(0) + 4, y + BAR_HEIGHT - 2, 'none')];
  const middle = y + BAR_HEIGHT / 2;
  return [
    rect(at(0), y, at(figure.value) - at(0), BAR_HEIGHT, COLOURS[index] as string),
    line(at(figure.low), middle, at(figure.high), middle, INK),
    line(at(figure.low), middle - 3, at(figure.low), middle + 3, INK),
    line(at(figure.high), middle - 3, at(figure.high), middle + 3, INK),
    text(at(1) + 8, y + BAR_HEIGHT - 2, figure.value.toFixed(3)),
  ];
}

/** Rows are labels, columns answers; darker is more of the row. Left of the diagonal is milder than the label. */
export function matrix(title: string, table: Readonly<Record<Route, Readonly<Record<Route, number>>>>): string {
  const left = 110;
  const top = 70;
  const heads = ROUTES.map((route, index) =>
    text(left + index * CELL + CELL / 2, top - 8, route, 'text-anchor="middle"'),
  );
  const cells = ROUTES.flatMap((label, row) => {
    const total = ROUTES.reduce((sum, route) => sum + table[label][route], 0);
    const y = top + row * CELL;
    const name = text(left - 8, y + CELL / 2 + 4, label, 'text-anchor="end"');
    return [
      name,
      ...ROUTES.flatMap((route, column) => {
        const count = table[label][route];
        const share = total === 0 ? 0 : count / total;
        const hue = row === column ? '9, 105, 218' : column < row ? '207, 34, 46' : '191, 135, 0';
        const ink = share > 0.55 ? '#ffffff' : INK;
        const x = left + column * CELL;
        return [
          `<rect x="${x}" y="${y}" width="${CELL}" height="${CELL}" fill="rgba(${hue}, ${round(share * 10) / 10})" stroke="${FAINT}"/>`,
          `<text x="${x + CELL / 2}" y="${y + CELL / 2 + 4}" fill="${ink}" text-anchor="middle">${count}</text>`,
        ];
      }),
    ];
  });
  const size = ROUTES.length * CELL;
  const legend = 'rows: label, columns: answer; blue: as labelled, red: milder, yellow: stricter';
  return page(Math.max(left + size + 20, 500), top + size + 20, title, [
    text(12, 18, title, 'font-weight="600"'),
    text(12, 38, legend),
    ...heads,
    ...cells,
  ]);
}
