// What the tests of this room share: a workspace, a keyed digest, real detectors' shape without the detectors.

import { createHmac } from 'node:crypto';
import { type Admitted, admitProposal } from './admit.ts';
import { gravity } from './effects.ts';
import type { LocatedFinding } from './redact.ts';
import type { ActionContext, ActionPart, Effect } from './types.ts';

export const CONTEXT: ActionContext = {
  cwd: '/home/ada/work',
  workspace: '/home/ada/work',
  git: { branch: 'feature/x' },
};

export const digest = (text: string): string => createHmac('sha256', 'tenant').update(text).digest('hex');

/** Finds `CANARY…` words. */
export function detect(text: string, where: string): LocatedFinding[] {
  return [...text.matchAll(/CANARY[A-Za-z0-9]{4,}/g)].map((match) => ({
    kind: 'canary',
    class: 'secret',
    where,
    confidence: 'high',
    digest: digest(match[0]),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

export function admit(kind: string, value: object, context: ActionContext = CONTEXT): Admitted {
  return admitProposal({ actions: [{ kind: { case: kind, value } }], context, detect, digest });
}

export function admitShell(command: string, context: ActionContext = CONTEXT): Admitted {
  return admit('shell', { command, cwd: '' }, context);
}

export function tool(name: string, given: object): Admitted {
  return admit('tool', { name, argumentsJson: JSON.stringify(given) });
}

export function gravest(admitted: Admitted): ActionPart {
  return [...admitted.action.parts].sort(
    (left, right) => gravity(right.effect) - gravity(left.effect),
  )[0] as ActionPart;
}

export function effects(admitted: Admitted): Effect[] {
  return admitted.action.parts.map((part) => part.effect);
}
