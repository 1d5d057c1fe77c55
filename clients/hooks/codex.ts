// Codex CLI (measured with 0.169.0).

import { allowText, refusalJson, type Vendor } from './vendor.ts';

export const codex: Vendor = {
  surface: 'codex',
  allow: allowText,
  refuse: refusalJson,
  quiet: new Set(['apply_patch', 'update_plan']),
  // The reason of a block stands in the place of the tool's output, exit status 2 with a text does the same.
  withhold: (_event, reason) => JSON.stringify({ decision: 'block', reason }),
};
