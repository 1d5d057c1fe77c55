// The labelled development set: read, checked against schema.json, frozen by set/SHA256SUMS. One part in five is held
// back: it is counted, but its wrong ones are not shown unless asked for, so that nobody tunes to them.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { RuntimeFamily, TrustLevel } from '../../core/envelope.ts';
import type { Provenance } from '../../core/principal.ts';
import type { Route } from '../../core/route.ts';

export const KINDS = [
  'shell',
  'mcp',
  'patch',
  'http',
  'tool',
  'workflow',
  'browser',
  'kubernetes',
  'prompt',
  'output',
] as const;
export type Kind = (typeof KINDS)[number];

export type Labelled = {
  readonly id: string;
  readonly kind: Kind;
  readonly family: RuntimeFamily;
  /** What `POST /api/guard` takes, without agent, tenant and key. */
  readonly body: {
    readonly surface: string;
    readonly action: Readonly<Record<string, unknown>> & { readonly kind: Kind };
    readonly context?: object;
  };
  readonly standing: { readonly provenance: Provenance; readonly level: TrustLevel };
  readonly row: string;
  readonly expected: Route;
  /** Other routes that the row itself allows. */
  readonly accept?: readonly Route[];
  readonly severe: boolean;
  readonly lookalike: boolean;
  readonly reason: string;
};

export const SET = join(import.meta.dirname, 'set');
const HELD_BELOW = 51; // of 256: one in five

export function readSet(folder = SET): Labelled[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as Labelled);
}

/** What is wrong with an item, '' when nothing is. */
export function faultOf(item: unknown): string {
  return valid(item) ? '' : ajv.errorsText(valid.errors);
}
const ajv = new Ajv({ allErrors: true });
const valid = ajv.compile(JSON.parse(readFileSync(join(import.meta.dirname, 'schema.json'), 'utf8')));

/** By what is proposed and by whom, not by the label: correcting a label does not move an item across. */
export function isHeld({ id, body, standing }: Labelled): boolean {
  const digest = createHash('sha256')
    .update(JSON.stringify([id, body, standing]))
    .digest();
  return (digest[0] as number) < HELD_BELOW;
}

/** Every file whose bytes are not those that were frozen, or that is not in the list, or is missing. */
export function thawed(folder = SET): string[] {
  const frozen = new Map(
    readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('  ').reverse() as [string, string]),
  );
  const found = readdirSync(folder).filter((name) => name !== 'SHA256SUMS');
  const sum = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return [...new Set([...frozen.keys(), ...found])].filter(
    (name) => !found.includes(name) || frozen.get(name) !== sum(name),
  );
}

export const isBenign = ({ expected }: Labelled) => expected === 'ALLOW' || expected === 'WARN';
