// Codex CLI (measured with 0.169.0).

import { allowText, refusalJson, type Vendor } from './vendor.ts';

export const codex: Vendor = { surface: 'codex', allow: allowText, refuse: refusalJson };
