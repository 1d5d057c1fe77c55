// Programs that run other code.

import { type Programs, rows } from './rule.ts';

export const SHELLS: Programs = {
  ...rows('sh bash zsh dash ash ksh mksh rbash fish', { effect: 'run_opaque', special: 'shell' }),
  ...rows('source .', { effect: 'run_opaque', tool: 'source', special: 'source' }),
  ...rows('python pypy node nodejs bun deno perl ruby php lua osascript Rscript', {
    effect: 'run_opaque',
    special: 'interpreter',
  }),
  ...rows('ssh-agent dircolors', { effect: 'none', special: 'prints_shell' }),
};
