// Package managers of the whole machine.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const ASK: Rule = { effect: 'fetch', operands: 'none' };
const SYSTEM: Rule = {
  effect: 'install_system',
  special: 'machine-packages',
  operands: 'name:package',
  options: { '-y|--yes|--assume-yes': {}, '--dry-run|--simulate|-s|--just-print': { flags: ['dry_run'] } },
};

export const SYSTEM_PACKAGES: Programs = {
  ...rows('brew port', {
    effect: 'unknown',
    systems: ['homebrew'],
    subcommands: {
      'install|upgrade|uninstall|remove|reinstall|link|unlink|tap|untap|pin|unpin|cleanup|autoremove|bundle': SYSTEM,
      services: {
        effect: 'system_change',
        operands: 'residue',
        subcommands: { 'list|info': READ, '*': { effect: 'system_change', operands: 'residue' } },
      },
      'list|ls|info|search|outdated|deps|uses|doctor|config|leaves|desc|home|log|cat|formulae|casks|shellenv': READ,
      '--prefix|--version|--cellar': READ,
      update: ASK,
    },
  }),
  ...rows('apt apt-get aptitude', {
    effect: 'unknown',
    systems: ['apt'],
    values: '-o -c -t',
    options: { '-y|--yes|-q|-qq': {}, '-s|--simulate|--dry-run|--just-print': { flags: ['dry_run'] } },
    subcommands: {
      'install|remove|purge|upgrade|dist-upgrade|full-upgrade|autoremove|autoclean|clean|reinstall|build-dep|edit-sources|satisfy':
        SYSTEM,
      update: { effect: 'install_system', operation: 'update', operands: 'none', flags: ['index_only'] },
      'list|show|search|policy|depends|rdepends|changelog|download|source|help|moo': READ,
    },
  }),
  ...rows('apt-cache apt-file apt-mark-show dpkg-query rpm-query', READ),
  ...rows('add-apt-repository apt-key apt-mark dpkg-reconfigure update-alternatives', {
    effect: 'install_system',
    operands: 'residue',
  }),
  ...rows('dnf yum zypper tdnf microdnf', {
    effect: 'unknown',
    systems: ['rpm'],
    options: { '-y|--assumeyes|-q|-n|--non-interactive': {}, '--assumeno': { flags: ['dry_run'] } },
    subcommands: {
      'install|remove|erase|update|upgrade|downgrade|autoremove|clean|groupinstall|localinstall|swap|module|in|rm|up|dup|config-manager|addrepo|distro-sync':
        SYSTEM,
      'list|info|search|repolist|provides|check-update|history|repoquery|se|if|lr|makecache': READ,
    },
  }),
  ...rows('pacman yay paru', { effect: 'install_system', operands: 'residue', special: 'pacman' }),
  apk: {
    effect: 'unknown',
    systems: ['apk'],
    subcommands: { 'add|del|upgrade|fix|cache': SYSTEM, 'info|list|search|policy|version|stats': READ, update: ASK },
  },
  ...rows('snap flatpak', {
    effect: 'unknown',
    subcommands: {
      'install|remove|uninstall|refresh|update|revert|enable|disable|connect|disconnect|set|override|remote-add|remote-delete':
        SYSTEM,
      'list|info|find|search|version|changes|remotes|connections': READ,
      run: { effect: 'run_unknown', operands: 'residue' },
    },
  }),
  ...rows('choco winget scoop', {
    effect: 'unknown',
    subcommands: {
      'install|uninstall|upgrade|update|pin|import|bucket': SYSTEM,
      'list|search|info|show|outdated|export': READ,
    },
  }),
  dpkg: {
    effect: 'install_system',
    special: 'machine-packages',
    operands: 'residue',
    options: {
      '-l|--list|-L|--listfiles|-s|--status|-S|--search|--get-selections|--print-architecture|-c|--contents|-I|--info|-V|--verify':
        { effect: 'read', operation: 'query' },
    },
  },
  rpm: { effect: 'install_system', operands: 'residue', special: 'rpm' },
  ...rows('nix nix-env nix-shell nix-build nix-store nixos-rebuild guix', {
    effect: 'install_system',
    operands: 'residue',
    subcommands: {
      'run|shell|develop': {
        effect: 'build',
        operands: 'residue',
        special: 'flake',
        stopAtOperand: true,
        values: '--profile',
      },
      'build|flake|eval|fmt|log|repl|search|show-derivation|path-info|hash': {
        effect: 'build',
        operands: 'residue',
      },
      '*': { effect: 'install_system', operands: 'residue' },
    },
  }),
};
