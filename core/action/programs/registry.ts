// All tables in one: program name → rule.

import { COREUTILS } from './coreutils.ts';
import { GIT } from './git.ts';
import type { Programs } from './rule.ts';
import { SHELLS } from './shells.ts';

export const PROGRAMS: Programs = { ...COREUTILS, ...GIT, ...SHELLS };
