// The figures as people and as programs read them.

import { cpus, release } from 'node:os';
import Table from 'cli-table3';
import { median, percentile } from './load.ts';

export type Measured = {
  readonly name: string;
  readonly inFlight: number;
  /** One entry for each round. */
  readonly perSecond: number[];
  readonly serverCpuSeconds: number[];
  readonly latenciesMs: number[];
};

/** Ends the name of what was measured one call of each after the other. */
export const IN_TURN = ', in turn';

export type Row = {
  readonly name: string;
  readonly in_flight: number;
  readonly calls: number;
  /** Milliseconds over all rounds together. */
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  /** Median of the rounds; NaN for what was called in turn. */
  readonly per_second: number;
  /** Microseconds of the server's CPU for each call; null for what runs in this process. */
  readonly server_cpu_us: number | null;
};

export function rowOf(measured: Measured): Row {
  const sorted = Float64Array.from(measured.latenciesMs).sort();
  const cpu = measured.serverCpuSeconds.reduce((sum, seconds) => sum + seconds, 0);
  return {
    name: measured.name,
    in_flight: measured.inFlight,
    calls: sorted.length,
    p50_ms: percentile(sorted, 0.5),
    p95_ms: percentile(sorted, 0.95),
    p99_ms: percentile(sorted, 0.99),
    per_second: median(measured.perSecond),
    server_cpu_us: measured.serverCpuSeconds.length === 0 ? null : (cpu / sorted.length) * 1e6,
  };
}

export type Ratio = { readonly name: string; readonly value: number };

function finder(rows: readonly Row[]): (name: string, inFlight: number) => Row {
  return (name, inFlight) => {
    const row = rows.find((candidate) => candidate.name === name && candidate.in_flight === inFlight);
    if (!row) throw new Error(`${name} was not measured`);
    return row;
  };
}

/** The steps one after another: Redis flies while nothing else is done, since the policy reads what it answers. */
export function separateRatiosOf(rows: readonly Row[]): Ratio[] {
  const find = finder(rows);
  const strict = ['gRPC stream echo', 'Redis PING', 'bare opa_eval', 'gRPC stream echo'];
  const sealing = ['Ed25519 sign', 'Ed25519 sign', 'append + fdatasync'];
  const floors = { 'strict path': [...strict, ...sealing], 'gRPC stream': [...strict, ...sealing, 'gRPC stream echo'] };
  const echo = find('gRPC stream echo', 64);
  return Object.entries(floors).flatMap(([way, stages]) => {
    const over = (quantile: 'p50_ms' | 'p99_ms', how = '') =>
      find(`Beacon, ${way}${how}`, 1)[quantile] / stages.reduce((sum, name) => sum + find(name + how, 1)[quantile], 0);
    const full = find(`Beacon, ${way}`, 64);
    const cpu = (full.server_cpu_us ?? Number.NaN) / (echo.server_cpu_us ?? Number.NaN);
    return [
      { name: `${way}: p50 ÷ sum of floors' p50`, value: over('p50_ms') },
      { name: `${way}: p99 ÷ sum of floors' p99`, value: over('p99_ms') },
      { name: `${way}: p50 ÷ sum of floors' p50, all in turn`, value: over('p50_ms', IN_TURN) },
      { name: `${way}: p99 ÷ sum of floors' p99, all in turn`, value: over('p99_ms', IN_TURN) },
      { name: `${way}: decisions/s ÷ stream echoes/s at 64 in flight`, value: full.per_second / echo.per_second },
      { name: `${way}: CPU per decision ÷ CPU per stream echo at 64 in flight`, value: cpu },
    ];
  });
}

export function ratiosOf(rows: readonly Row[]): Ratio[] {
  const find = finder(rows);
  const stages = ['append + fdatasync', 'bare opa_eval', 'Ed25519 sign', 'Ed25519 sign'].map((name) => find(name, 1));
  const floor = (echo: string, quantile: 'p50_ms' | 'p99_ms') =>
    find(echo, 1)[quantile] + stages.reduce((sum, stage) => sum + stage[quantile], 0);
  return ['HTTP', 'gRPC stream'].flatMap((way) => [
    {
      name: `${way}: p50 ÷ sum of floors' p50`,
      value: find(`Beacon, ${way}`, 1).p50_ms / floor(`${way} echo`, 'p50_ms'),
    },
    {
      name: `${way}: p99 ÷ sum of floors' p99`,
      value: find(`Beacon, ${way}`, 1).p99_ms / floor(`${way} echo`, 'p99_ms'),
    },
    {
      name: `${way}: decisions/s ÷ echoes/s at 64 in flight`,
      value: find(`Beacon, ${way}`, 64).per_second / find(`${way} echo`, 64).per_second,
    },
  ]);
}

function machine(): Record<string, string | number> {
  return { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, kernel: release() };
}

export function toJson(result: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ machine: machine(), ...result }, null, 2);
}

export function printTable(rows: readonly Row[], ratios: readonly Ratio[], notes: readonly string[]): void {
  const table = new Table({
    head: ['', 'in flight', 'p50 µs', 'p95 µs', 'p99 µs', 'per second', 'server CPU µs'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const micros = (ms: number) => (ms < 0.1 ? (ms * 1000).toFixed(1) : Math.round(ms * 1000).toLocaleString('en'));
  for (const row of rows) {
    table.push([
      row.name,
      row.in_flight,
      micros(row.p50_ms),
      micros(row.p95_ms),
      micros(row.p99_ms),
      Number.isNaN(row.per_second) ? '' : Math.round(row.per_second).toLocaleString('en'),
      row.server_cpu_us === null ? '' : Math.round(row.server_cpu_us),
    ]);
  }
  const { cpu, cores, node, kernel } = machine();
  console.log(`${cpu}, ${cores} cores shared by load and server, Node ${node}, Linux ${kernel}`);
  console.log(table.toString());
  console.log(`${notes.join('\n')}\n`);
  for (const { name, value } of ratios) console.log(`  ${value.toFixed(2).padStart(6)}  ${name}`);
}
