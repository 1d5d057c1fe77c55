// Claude Code (measured with 2.1.329).

import { allowText, refusalJson, type Vendor } from './vendor.ts';

export const claudeCode: Vendor = { surface: 'claude-code', allow: allowText, refuse: refusalJson };
