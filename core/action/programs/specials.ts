// Readings that no table can hold, by the name a rule gives them.

import type { Special } from './call.ts';
import { environment, printenv } from './special-environment.ts';
import { FILE_SPECIALS } from './special-files.ts';
import { GIT_SPECIALS } from './special-git.ts';
import { SHELL_SPECIALS } from './special-shells.ts';

export const SPECIALS: { readonly [name: string]: Special } = {
  ...FILE_SPECIALS,
  ...GIT_SPECIALS,
  ...SHELL_SPECIALS,
  environment,
  printenv,
};
