// How firmly Beacon stands before an action, stated by the issuer; a verifier derives it again from evidence.

import type { RuntimeFamily } from './envelope.ts';
import type { Enforceability } from './externality.ts';

/** Ours, for the surfaces we know; a surface not listed is an SDK that may ignore the answer. */
const FAMILIES: ReadonlyMap<string, RuntimeFamily> = new Map([
  ['api', 'framework_sdk'],
  ['sdk', 'framework_sdk'],
  ['cli', 'framework_sdk'],
  ['codex', 'tool_hook'],
  ['claude-code', 'tool_hook'],
  ['gemini', 'tool_hook'],
  ['mcp', 'gateway'],
  ['exec', 'gateway'],
  ['gateway', 'gateway'],
  ['kubernetes', 'managed_platform'],
  ['observer', 'observer'],
]);

const CLASSES: Readonly<Record<RuntimeFamily, Enforceability>> = {
  tool_hook: 'delegated_runtime_control',
  framework_sdk: 'runtime_controlled',
  gateway: 'pre_execution_gate',
  managed_platform: 'pre_execution_gate',
  observer: 'observe_only',
};

/** Weakest first. */
const ORDER: readonly Enforceability[] = [
  'unknown',
  'observe_only',
  'runtime_controlled',
  'delegated_runtime_control',
  'pre_execution_gate',
];

export type Isolation = 'same_user' | 'own_user';

export function runtimeFamily(surface: string): RuntimeFamily {
  return FAMILIES.get(surface) ?? 'framework_sdk';
}

/** An agent that runs as Beacon's own operating-system user could read its keys: that is never a pre-execution gate. */
export function enforceabilityOf(family: RuntimeFamily, isolation: Isolation): Enforceability {
  const stated = CLASSES[family];
  return isolation === 'own_user' ? stated : weaker(stated, 'delegated_runtime_control');
}

export function weaker(a: Enforceability, b: Enforceability): Enforceability {
  return ORDER.indexOf(a) <= ORDER.indexOf(b) ? a : b;
}
