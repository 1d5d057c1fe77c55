// Programs that run other code.

import { type Programs, rows } from './rule.ts';

export const SHELLS: Programs = {
  ...rows('sh bash zsh dash ash ksh mksh rbash fish', { effect: 'run_opaque', special: 'shell' }),
  ...rows('source .', { effect: 'run_opaque', tool: 'source', special: 'source' }),
  ...rows(
    'python pypy node nodejs perl ruby php lua luajit osascript Rscript R julia expect tclsh wish guile sbcl clojure clj scala ghci runghc iex escript elixir octave racket swipl groovy kotlin jshell irb',
    {
      effect: 'run_opaque',
      special: 'interpreter',
    },
  ),
  ...rows('ssh-agent dircolors', { effect: 'none', special: 'prints_shell' }),
  deno: {
    effect: 'unknown',
    subcommands: {
      run: { effect: 'run_opaque', special: 'interpreter' },
      eval: { effect: 'run_opaque', special: 'inline-code' },
      'test|lint|fmt|check|bench|doc|info|task|compile|coverage|types|cache|vendor|completions|lsp': {
        effect: 'build',
        operands: 'residue',
      },
      'install|add|remove|uninstall|outdated': { effect: 'install_local', operands: 'residue', special: 'install' },
      'upgrade|jupyter': { effect: 'install_system', operands: 'residue' },
      publish: { effect: 'publish', operands: 'residue', options: { '--dry-run': { flags: ['dry_run'] } } },
    },
  },
};
