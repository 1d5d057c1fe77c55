// Version control other than git, and git's companions.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const LOCAL: Rule = {
  effect: 'vcs_local',
  operands: 'residue',
  options: { '-m|--message': { value: 'content' }, '-n|--dry-run': { flags: ['dry_run'] } },
};
const DISCARD: Rule = {
  effect: 'discard_work',
  operands: 'residue',
  options: { '-n|--dry-run': { flags: ['dry_run'] } },
};
const REWRITE: Rule = { effect: 'history_rewrite', operands: 'residue' };
const ASK: Rule = { effect: 'fetch', operands: 'residue' };
/** Where it lands is what the repository is set to: nobody said. */
const PUSH: Rule = { effect: 'vcs_push', operands: 'residue', flags: ['branch_unknown'] };

export const VERSION_CONTROL: Programs = {
  hg: {
    effect: 'unknown',
    systems: ['hg'],
    directory: '-R --repository --cwd',
    values: '--config',
    subcommands: {
      'status|st|diff|log|history|cat|annotate|blame|branches|branch|heads|tip|parents|paths|root|summary|sum|files|manifest|identify|id|grep|help|version|verify|tags|bookmarks|incoming|in|outgoing|out|showconfig|config|export|archive|glog':
        READ,
      'add|addremove|commit|ci|update|up|checkout|co|merge|tag|bookmark|init|clone|shelve|unshelve|move|mv|rename|copy|cp|graft|resolve|import|forget|backout|phase':
        { ...LOCAL, options: { ...LOCAL.options, '-C|--clean': { effect: 'discard_work' } } },
      pull: ASK,
      'revert|purge|clean': DISCARD,
      'strip|rollback|histedit|rebase|amend|uncommit|fold|split|convert|evolve|prune|obsolete': REWRITE,
      push: { ...PUSH, options: { '-f|--force': { effect: 'vcs_force_push', flags: ['force'] } } },
      'remove|rm': { effect: 'delete', operands: 'files' },
      'serve|email': { effect: 'share', operands: 'residue' },
    },
  },
  svn: {
    effect: 'unknown',
    systems: ['svn'],
    scope: 'remote',
    values: '-r --revision --username --depth --config-option',
    options: { '--password': { value: 'secret' } },
    subcommands: {
      'status|st|diff|di|log|info|list|ls|cat|blame|annotate|ann|praise|propget|pg|proplist|pl|help|mergeinfo': READ,
      'checkout|co|export|update|up': ASK,
      'add|cleanup|resolve|resolved|merge|switch|sw|changelist|patch|upgrade|relocate|propset|ps|propdel|pd|propedit|pe':
        { ...LOCAL, scope: 'workspace' },
      'commit|ci|import|copy|cp|move|mv|mkdir|lock|unlock': {
        ...PUSH,
        options: { '-m|--message': { value: 'content' } },
      },
      revert: { ...DISCARD, scope: 'workspace' },
      'delete|del|remove|rm': { effect: 'delete', operands: 'files', scope: 'workspace' },
    },
  },
  jj: {
    effect: 'unknown',
    systems: ['jj'],
    directory: '-R --repository',
    subcommands: {
      'status|st|log|diff|show|obslog|evolog|op|operation|root|help|version|interdiff|cat|file': READ,
      'new|describe|desc|commit|ci|edit|bookmark|branch|duplicate|init|next|prev|workspace|resolve|fix|sparse|tag|config':
        LOCAL,
      'squash|split|rebase|move|unsquash|diffedit|parallelize|backout|undo|absorb|simplify-parents': LOCAL,
      'abandon|restore': DISCARD,
      git: { effect: 'unknown', subcommands: { 'fetch|clone|init|import|export|remote': ASK, push: PUSH } },
    },
  },
  ...rows('bzr fossil cvs darcs pijul sl p4', {
    effect: 'unknown',
    subcommands: {
      'status|st|diff|log|info|annotate|blame|ls|list|timeline|extras|changes|help|version|opened|describe|filelog|fstat|files|where|print|changelists|clients|users|depots|rlog|finfo|whatsnew|show|smartlog|ssl':
        READ,
      'add|commit|ci|record|init|update|up|checkout|co|open|edit|sync|get|branch|merge|mkdir|tag|shelve|unshelve|reconcile|integrate|goto|pull|clone':
        LOCAL,
      'revert|clean|clean-tree|unrecord|obliterate|rollback|hide|uncommit|strip|undo': DISCARD,
      'push|submit|send|pr': PUSH,
    },
  }),
  'git-lfs': {
    effect: 'vcs_local',
    operands: 'residue',
    subcommands: {
      'ls-files|status|env|version|logs|pointer|help|fsck|locks': READ,
      'fetch|pull|install|track|untrack|checkout|clone|update': LOCAL,
      push: PUSH,
      'prune|uninstall': LOCAL,
      migrate: REWRITE,
    },
  },
  ...rows('git-filter-repo bfg', { effect: 'history_rewrite', operands: 'residue' }),
  ...rows('git-crypt git-secret transcrypt blackbox', {
    effect: 'vcs_local',
    operands: 'residue',
    subcommands: {
      'status|whoknows|list|ls|help|version': READ,
      'unlock|reveal|cat|export-key|decrypt': { effect: 'secret_fetch', operands: 'residue' },
      'add-gpg-user|tell|killperson|removeperson': { effect: 'identity_change', operands: 'residue' },
    },
  }),
  ...rows('git-absorb git-branchless git-town git-flow git-extras gt graphite spr ghstack', {
    effect: 'vcs_push',
    operands: 'residue',
    flags: ['branch_unknown'],
  }),
  'git-absorb': LOCAL,
  ...rows('tig gitk lazygit gitui git-cola git-gui ungit gitmoji', READ),
  ...rows('gitlint git-cliff git-sizer git-quick-stats onefetch gitversion git-chglog svu', {
    effect: 'build',
    operands: 'none',
  }),
};
