// Build tools that also publish, deploy, migrate or empty something: their other subcommands are work inside the project.

import { type Programs, type Rule, rows } from './rule.ts';

const BUILD: Rule = { effect: 'build', operands: 'residue' };
const PUBLISH: Rule = { effect: 'publish', operands: 'residue', options: { '--dry-run|-n': { flags: ['dry_run'] } } };
const ADD: Rule = { effect: 'install_local', operands: 'residue' };
const ACCOUNT: Rule = { effect: 'identity_change', operands: 'residue' };
const DEPLOY: Rule = { effect: 'infra_change', operands: 'residue' };
const EMPTIES: Rule = { effect: 'database_destroy', operands: 'residue' };
const MIGRATES: Rule = { effect: 'database_change', operands: 'residue' };

export const BUILD_TOOLS: Programs = {
  ...rows('dart flutter', {
    ...BUILD,
    subcommands: {
      pub: {
        ...BUILD,
        subcommands: { 'publish|lish': PUBLISH, 'token|login|logout|uploader': ACCOUNT, global: ADD, '*': BUILD },
      },
      '*': BUILD,
    },
  }),
  ...rows('cabal stack', {
    ...BUILD,
    subcommands: { upload: { ...PUBLISH, options: { '--candidate': {} } }, '*': BUILD },
  }),
  jsr: { ...BUILD, subcommands: { publish: PUBLISH, 'add|install|i|remove|uninstall': ADD, '*': BUILD } },
  elm: { ...BUILD, subcommands: { 'publish|bump': PUBLISH, install: ADD, '*': BUILD } },
  gleam: {
    ...BUILD,
    subcommands: {
      publish: PUBLISH,
      hex: { ...ACCOUNT, subcommands: { '*': PUBLISH } },
      'add|update': ADD,
      '*': BUILD,
    },
  },
  rebar3: {
    ...BUILD,
    subcommands: { hex: { ...BUILD, subcommands: { 'publish|retire': PUBLISH, '*': BUILD } }, '*': BUILD },
  },
  expo: {
    ...BUILD,
    subcommands: {
      'publish|update|submit|deploy|upload|channel:delete|branch:delete': PUBLISH,
      'login|logout|register|credentials': ACCOUNT,
      '*': BUILD,
    },
  },
  // Capistrano: the stage comes before the task.
  cap: {
    effect: 'infra_change',
    operands: 'residue',
    options: { '-T|--tasks|-n|--dry-run|-V|--version': { flags: ['dry_run'] } },
    subcommands: { install: BUILD, '*': DEPLOY },
  },
  ...rows('hardhat truffle', {
    effect: 'build',
    operands: 'residue',
    values: '--network',
    subcommands: {
      'run|deploy|migrate|ignition|send': { effect: 'payment', operands: 'residue', special: 'chain' },
      '*': BUILD,
    },
  }),
  celery: {
    ...BUILD,
    values: '-A --app -b --broker -Q --queues -l --loglevel --workdir',
    subcommands: {
      'purge|amqp': { effect: 'infra_destroy', operands: 'residue', flags: ['bulk'] },
      control: { effect: 'process_many', operands: 'residue' },
      '*': BUILD,
    },
  },
  flask: {
    ...BUILD,
    values: '-A --app -e --env-file',
    subcommands: {
      db: {
        ...MIGRATES,
        subcommands: {
          'history|current|heads|branches|show|check|revision|migrate|init|merge|list-templates|edit': BUILD,
          downgrade: EMPTIES,
          '*': MIGRATES,
        },
      },
      'drop-db|dropdb|reset-db|db-drop|db-reset|drop_all': EMPTIES,
      shell: { effect: 'run_opaque', operands: 'residue' },
      '*': BUILD,
    },
  },
  ...rows('sqlx cargo-sqlx', {
    ...MIGRATES,
    systems: ['database'],
    values: '-D --database-url -u --source -d --migration-dir',
    subcommands: {
      'database|db': { ...MIGRATES, subcommands: { create: MIGRATES, 'drop|reset': EMPTIES, setup: MIGRATES } },
      'migrate|mig|migration': {
        ...MIGRATES,
        subcommands: {
          'info|add|build-script|status|generate|init': BUILD,
          'revert|down|fresh|refresh|reset': EMPTIES,
          '*': MIGRATES,
        },
      },
      'prepare|completions|generate': BUILD,
    },
  }),
  ...rows('vsce ovsx', {
    ...BUILD,
    subcommands: {
      'publish|unpublish': PUBLISH,
      'login|logout|create-namespace|verify-pat': ACCOUNT,
      'ls|show|search|ls-publishers|generate-manifest|help|version|get': { effect: 'read', operands: 'none' },
      '*': BUILD,
    },
  }),
};
