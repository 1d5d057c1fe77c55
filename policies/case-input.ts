// Writes test inputs compactly: a fragment laid over cases/base.json, and the committed bundle with the cases' tenants.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluatedInput } from '../core/envelope.ts';
import { loadBundle } from '../ports/policy-engine/bundle-folder.ts';
import type { PolicyBundle } from '../ports/policy-engine/port.ts';

export type Fragment = {
  readonly parts: readonly Record<string, unknown>[];
  readonly identity?: object;
  readonly facts?: object;
  readonly context?: object;
  readonly externality?: object;
  readonly findings?: readonly object[];
};
export type Case = Fragment & {
  readonly name: string;
  /** `codes`: each must be among the reasons'; `obligations`: exactly these kinds, where stated. */
  readonly expect: {
    readonly route: string;
    readonly codes: readonly string[];
    readonly obligations?: readonly string[];
  };
};

const CASES = join(import.meta.dirname, 'cases');
export const BUNDLE = join(import.meta.dirname, 'bundle');
const base = readJson('base.json') as {
  input: EvaluatedInput;
  part: Record<string, unknown>;
  to: Record<string, object>;
};

export function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(CASES, name), 'utf8'));
}

/** A part's `to` names a destination of base.json; its `externality` goes on top. */
export function caseInput(fragment: Fragment): EvaluatedInput {
  const { input } = base;
  const parts = fragment.parts.map(({ to, externality, ...rest }) => ({
    ...base.part,
    ...rest,
    externality: { ...(base.part.externality as object), ...base.to[String(to)], ...(externality as object) },
  }));
  return {
    ...input,
    identity: { ...input.identity, ...fragment.identity },
    action: { parts },
    externality: { ...input.externality, ...fragment.externality },
    findings: fragment.findings ?? [],
    facts: { ...input.facts, ...fragment.facts },
    context: { ...input.context, ...fragment.context },
  } as unknown as EvaluatedInput;
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
