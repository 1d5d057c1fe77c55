// Infrastructure as code, stage by stage: what only plans, what is applied with or without a plan somebody could read, and
// what takes away. Which environment it is for is told by special-provision.ts.

import { override, type Programs, type Rule, rows } from './rule.ts';

const NONE: Rule = { effect: 'read', operands: 'none' };
const SHOWS: Rule = { effect: 'secret_fetch', operands: 'none', flags: ['printed'] };
const CHANGE: Rule = { effect: 'infra_change', operands: 'residue', special: 'provision' };
/** Nothing tells where it is safe: a lock somebody may hold, a record nobody else keeps. */
const GRAVE: Rule = { ...CHANGE, special: 'provision-lasting' };
/** What a saved plan can show beforehand. */
const APPLY: Rule = { ...CHANGE, special: 'provision-apply' };
const DESTROY: Rule = { effect: 'infra_destroy', operands: 'residue', special: 'provision' };
const LOCAL: Rule = { effect: 'write', operands: 'residue', scope: 'workspace' };
const FORCED = { flags: ['force'] } as const;
const DRY = { flags: ['dry_run'] } as const;

const STATE: Rule = {
  effect: 'unknown',
  options: { '-dry-run|--dry-run': DRY },
  subcommands: {
    'list|show|identities': NONE,
    // In clear: the state holds what resources were made with.
    pull: { ...NONE, flags: ['dotenv'] },
    'rm|push': DESTROY,
    'mv|replace-provider': GRAVE,
  },
};

const WORKSPACE: Rule = {
  effect: 'unknown',
  subcommands: {
    'list|show': NONE,
    'select|new': { ...LOCAL, special: 'provision-select' },
    delete: DESTROY,
  },
};

const TERRAFORM: Rule = {
  effect: 'unknown',
  systems: ['terraform'],
  longSingleDash: true,
  directory: '-chdir',
  values:
    '-var-file -target -exclude -replace -state -state-out -backup -lock-timeout -parallelism -config -plugin-dir',
  options: { '-var': { value: 'content' } },
  subcommands: {
    plan: { ...NONE, options: { '-out|-generate-config-out': { value: 'write' } } },
    // A name among them may be a secret's.
    output: { ...NONE, special: 'named-secret' },
    'validate|show|graph|version|console|metadata|query|modules': NONE,
    providers: {
      ...NONE,
      subcommands: { schema: NONE, lock: LOCAL, mirror: { effect: 'write', operands: 'files' } },
    },
    fmt: { effect: 'build', operands: 'none' },
    get: { effect: 'install_local', operation: 'get', operands: 'none', flags: ['pinned'] },
    init: {
      effect: 'install_local',
      operation: 'init',
      operands: 'none',
      flags: ['pinned'],
      values: '-from-module',
      options: { '-migrate-state|-force-copy': { effect: 'infra_change' }, '-backend-config': { value: 'content' } },
    },
    'apply|up': {
      ...APPLY,
      operation: 'apply',
      options: {
        '-auto-approve|--auto-approve': FORCED,
        '-destroy|--destroy': { effect: 'infra_destroy', operation: 'destroy', flags: ['bulk'] },
      },
    },
    destroy: {
      ...DESTROY,
      operation: 'destroy',
      flags: ['bulk'],
      options: { '-auto-approve|--auto-approve': FORCED },
    },
    // Its runs make real things and take them away again.
    test: CHANGE,
    'refresh|taint|untaint|import': CHANGE,
    'force-unlock': { ...GRAVE, options: { '-force': FORCED } },
    state: STATE,
    'workspace|env': WORKSPACE,
    'login|logout': { effect: 'identity_change', operands: 'residue' },
  },
};

const IN_ALL: Rule = {
  effect: 'unknown',
  flags: ['bulk'],
  subcommands: TERRAFORM.subcommands as NonNullable<Rule['subcommands']>,
};

const TERRAGRUNT: Rule = {
  ...override(TERRAFORM, {
    'run-all': IN_ALL,
    graph: { ...NONE, flags: ['bulk'], subcommands: { plan: NONE, apply: APPLY, destroy: DESTROY } },
    'run|exec': { effect: 'unknown', special: 'terragrunt-run' },
    stack: {
      effect: 'unknown',
      subcommands: {
        output: NONE,
        generate: { effect: 'build', operands: 'none' },
        clean: { effect: 'delete_many', operands: 'none', scope: 'workspace', flags: ['regenerable'] },
        run: IN_ALL,
      },
    },
    'plan-all|output-all|validate-all|graph-dependencies|validate-inputs|hclvalidate|list|find|info|terragrunt-info|output-module-groups|dag|render|render-json|catalog':
      NONE,
    hclfmt: { effect: 'build', operands: 'none' },
    hcl: { effect: 'read', subcommands: { validate: NONE, 'fmt|format': { effect: 'build', operands: 'none' } } },
    scaffold: LOCAL,
    'apply-all': { ...APPLY, operation: 'apply', flags: ['bulk'] },
    'destroy-all': { ...DESTROY, operation: 'destroy', flags: ['bulk'] },
    backend: {
      effect: 'unknown',
      subcommands: { bootstrap: CHANGE, migrate: GRAVE, delete: { ...DESTROY, flags: ['bulk'] } },
    },
  }),
  directory: '-chdir --working-dir --terragrunt-working-dir',
  values: `${TERRAFORM.values} --config --terragrunt-config --queue-include-dir --queue-exclude-dir --terragrunt-include-dir --terragrunt-exclude-dir --source --download-dir --iam-assume-role`,
  options: {
    ...TERRAFORM.options,
    '--non-interactive|--terragrunt-non-interactive': FORCED,
    '--all': { flags: ['bulk'] },
  },
};

const PULUMI_UPDATE: Rule = {
  ...CHANGE,
  values: '-m --message -c --config --config-file --target --replace --target-replace --exclude --plan --policy-pack',
  options: { '-y|--yes|-f|--skip-preview': FORCED, '--preview-only': DRY },
};
const SHOWN_SECRETS = { '--show-secrets': { effect: 'secret_fetch', flags: ['printed'] } } as const;

const PULUMI: Rule = {
  effect: 'unknown',
  systems: ['pulumi'],
  values: '-s --stack --color --logtostderr',
  directory: '-C --cwd',
  subcommands: {
    preview: { ...NONE, values: '--target --config -c', options: { '--save-plan': { value: 'write' } } },
    'about|whoami|version|logs|console|query|schema|view-trace|gen-completion|convert-trace': NONE,
    'up|update': { ...PULUMI_UPDATE, operation: 'up', special: 'provision-apply' },
    watch: { ...PULUMI_UPDATE, special: 'provision-apply', flags: ['force'] },
    'refresh|import': PULUMI_UPDATE,
    cancel: GRAVE,
    'destroy|down|dn': { ...PULUMI_UPDATE, effect: 'infra_destroy', operation: 'destroy', flags: ['bulk'] },
    state: {
      effect: 'unknown',
      options: { '-y|--yes|-f|--force': FORCED },
      subcommands: { 'delete|unprotect|repair|edit': DESTROY, 'rename|move|upgrade|protect|taint|untaint': GRAVE },
    },
    stack: {
      ...NONE,
      options: SHOWN_SECRETS,
      subcommands: {
        'rm|remove': { ...DESTROY, options: { '-y|--yes|-f|--force': FORCED } },
        'init|rename|import|change-secrets-provider': CHANGE,
        tag: { ...CHANGE, subcommands: { 'ls|get': NONE, 'set|rm': CHANGE } },
        'select|unselect': { ...LOCAL, special: 'provision-select' },
        'ls|output|history': NONE,
        'graph|export': { ...NONE, options: { ...SHOWN_SECRETS, '--file': { value: 'write' } } },
      },
    },
    config: {
      ...NONE,
      options: SHOWN_SECRETS,
      subcommands: {
        get: NONE,
        set: { ...LOCAL, special: 'provision-secret' },
        'set-all|rm|rm-all|cp|refresh|env': LOCAL,
      },
    },
    env: {
      effect: 'unknown',
      subcommands: {
        'ls|version|diff|tag': NONE,
        'open|get': SHOWS,
        run: { effect: 'secret_fetch', operands: 'none', flags: ['to_process'], special: 'wrapped-secret' },
        'init|edit|set|clone|rotate': CHANGE,
        rm: DESTROY,
      },
    },
    policy: {
      effect: 'unknown',
      subcommands: {
        ls: NONE,
        'new|install': { effect: 'install_local', operands: 'residue' },
        'enable|publish|validate-config': CHANGE,
        'disable|rm': { effect: 'security_disable', operands: 'residue' },
      },
    },
    plugin: { effect: 'install_local', operands: 'residue', subcommands: { ls: NONE } },
    deployment: { ...CHANGE, subcommands: { run: CHANGE, settings: CHANGE } },
    'login|logout|org': { effect: 'identity_change', operands: 'residue' },
    'new|install|package|convert': { effect: 'install_local', operands: 'residue' },
  },
};

const CDK: Rule = {
  effect: 'unknown',
  systems: ['aws'],
  values:
    '-a --app -c --context --profile -p --plugin -r --role-arn --require-approval --parameters --outputs-file -O -o --output --toolkit-stack-name --tags -t --change-set-name --method --notification-arns --concurrency --progress --trace',
  subcommands: {
    'list|ls|diff|metadata|doctor|docs|doc|notices|drift|flags|version': NONE,
    // The project's own program, run here.
    'synth|synthesize': { effect: 'build', operands: 'none' },
    context: { ...NONE, options: { '--clear|--reset|-e': { effect: 'write' } } },
    'acknowledge|ack': LOCAL,
    'init|migrate': { effect: 'install_local', operands: 'residue' },
    deploy: {
      ...CHANGE,
      options: {
        '--all': { flags: ['bulk'] },
        '-f|--force|--hotswap|--hotswap-fallback': FORCED,
        '-y|--yes': FORCED,
        '--no-execute': DRY,
      },
    },
    watch: { ...CHANGE, flags: ['force'] },
    'import|rollback|refactor|publish-assets': CHANGE,
    bootstrap: { effect: 'identity_change', operands: 'residue' },
    destroy: { ...DESTROY, flags: ['bulk'], options: { '-f|--force|--all': FORCED } },
    gc: { ...DESTROY, flags: ['bulk'] },
  },
};

const PLAYBOOK: Rule = {
  effect: 'infra_change',
  operands: 'residue',
  special: 'ansible',
  flags: ['remote', 'bulk'],
  values:
    '-i --inventory -l --limit -e --extra-vars -t --tags --skip-tags -u --user -m --module-name -a --args -f --forks -c --connection --start-at-task --vault-password-file --vault-id --private-key -M --module-path -T --timeout --become-user --become-method',
  options: {
    '-C|--check': DRY,
    '--syntax-check|--list-hosts|--list-tasks|--list-tags': { effect: 'read' },
    '-b|--become': { flags: ['via_sudo'] },
  },
};

export const PROVISION: Programs = {
  ...rows('terraform tofu', TERRAFORM),
  terragrunt: TERRAGRUNT,
  pulumi: PULUMI,
  ...rows('cdk aws-cdk', { ...CDK, tool: 'cdk' }),
  cdktf: {
    effect: 'unknown',
    systems: ['terraform'],
    subcommands: {
      'plan|diff|list|output|watch-plan|debug|version': NONE,
      'synth|get|convert': { effect: 'build', operands: 'none' },
      'init|provider': { effect: 'install_local', operands: 'residue' },
      'deploy|apply|watch': { ...CHANGE, options: { '--auto-approve': FORCED } },
      destroy: { ...DESTROY, flags: ['bulk'], options: { '--auto-approve': FORCED } },
      'login|logout': { effect: 'identity_change', operands: 'residue' },
    },
  },
  ...rows('ansible-playbook ansible', PLAYBOOK),
  'ansible-galaxy': {
    effect: 'install_local',
    operands: 'residue',
    subcommands: {
      'list|search|info|verify': NONE,
      'install|download': { effect: 'install_local', operands: 'residue' },
      'init|build|remove': LOCAL,
      publish: { effect: 'publish', operands: 'residue' },
      'role|collection': {
        effect: 'install_local',
        subcommands: {
          'list|search|info|verify': NONE,
          'install|download': { effect: 'install_local', operands: 'residue' },
          'init|build|remove': LOCAL,
          publish: { effect: 'publish', operands: 'residue' },
          'import|setup|delete': { effect: 'send', operands: 'residue' },
        },
      },
    },
  },
  'ansible-vault': {
    effect: 'write',
    operands: 'residue',
    subcommands: {
      'view|decrypt': { effect: 'secret_fetch', operands: 'files' },
      'encrypt|create|edit|rekey|encrypt_string': { effect: 'write', operands: 'files' },
    },
  },
  ...rows('ansible-inventory ansible-doc ansible-config', NONE),
  // Fetches a repository and runs what it holds.
  'ansible-pull': { effect: 'download_execute', operands: 'residue', values: '-U --url -d -i -C --checkout' },
  'ansible-console': { effect: 'run_opaque', operands: 'residue', flags: ['remote'] },
};
