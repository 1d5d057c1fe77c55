// Writes test inputs compactly: a fragment laid over cases/base.json, and the committed bundle with the cases' tenants.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluatedInput } from '../core/envelope.ts';
import { type CaseBase, type Fragment, caseInput as inputOver } from '../core/policy-cases.ts';
import { loadBundle } from '../ports/policy-engine/bundle-folder.ts';
import type { PolicyBundle } from '../ports/policy-engine/port.ts';

const CASES = join(import.meta.dirname, 'cases');
export const BUNDLE = join(import.meta.dirname, 'bundle');
const base = readJson('base.json') as CaseBase;

export function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(CASES, name), 'utf8'));
}

/** A part's `to` names a destination of base.json; its `externality` goes on top. */
export function caseInput(fragment: Fragment): EvaluatedInput {
  return inputOver(base, fragment);
}

export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The committed bundle, with cases/overlays.json as the tenants' overlays. */
export async function bundleWithTenants(): Promise<PolicyBundle> {
  const bundle = await loadBundle(BUNDLE);
  const data = JSON.parse(new TextDecoder().decode(bundle.data));
  return { ...bundle, data: encode({ ...data, tenants: readJson('overlays.json') }) };
}
