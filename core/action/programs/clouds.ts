// Cloud and hosting command lines, code forges, payment: by table where a word decides, by verb where there are thousands of commands.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true, scope: 'remote' };
const TALK: Rule = {
  effect: 'message',
  externality: { destination_ownership: 'tenant', destination_visibility: 'team' },
  operands: 'residue',
  scope: 'remote',
  options: {
    '-b|--body|-t|--title|-F|--body-file|-m|--message|-l|--label|-a|--assignee|-r|--reviewer|-B|--base|-H|--head|-p|--project|-R|--repo':
      { value: 'content' },
  },
};
const ACCOUNT: Rule = {
  effect: 'identity_change',
  operands: 'residue',
  scope: 'remote',
  options: { '-b|--body': { value: 'secret' } },
};
const PUBLISH: Rule = {
  effect: 'publish',
  operands: 'residue',
  scope: 'remote',
  options: { '-n|--notes|-t|--title|-F|--notes-file': { value: 'content' }, '-d|--draft': { flags: ['draft'] } },
};
/** Files of others, into the folder that is named. */
const DOWNLOAD: Rule = {
  effect: 'fetch',
  operands: 'residue',
  scope: 'remote',
  values: '-n --name -p --pattern -A --archive -R --repo --tag',
  options: { '-D|--dir|-O|--output|--path': { value: 'write' } },
};
const DESTROY: Rule = {
  effect: 'infra_destroy',
  operands: 'residue',
  scope: 'remote',
  options: { '--yes|--confirm|-y': { flags: ['force'] } },
};
const CLOUD: Rule = {
  effect: 'unknown',
  special: 'cloud',
  scope: 'remote',
  flags: ['remote'],
  options: {
    '--dry-run|--dryrun': { flags: ['dry_run'] },
    '--force|-f|--yes|-y|--quiet|-q|--no-prompt|--auto-approve|--no-confirm': { flags: ['force'] },
    '--recursive': { flags: ['recursive'] },
    '--password|--secret-string|--secret|--token': { value: 'secret' },
  },
  values:
    '--profile --region --output --query --project --zone --subscription -g --resource-group --account --format -o --endpoint-url --config --env -e --app -a --org --team --scope --name -n --id --filters --filter --max-items --page-size --location -l --cluster --acl --grants --storage-class --content-type --cache-control --content-disposition --content-encoding --metadata --sse --sse-kms-key-id --source-region --expires',
};

const forge: Rule = {
  effect: 'unknown',
  systems: ['forge'],
  scope: 'remote',
  flags: ['remote'],
  values: '-R --repo --hostname',
  subcommands: {
    'status|search|browse|ruleset|completion|version|help|org|cache-list|licenses|accessibility': READ,
    'pr|mr': {
      effect: 'read',
      subcommands: {
        'view|list|ls|diff|checks|status|show|issues|approvers': READ,
        checkout: { effect: 'fetch', operation: 'checkout', operands: 'residue' },
        'create|comment|review|edit|ready|close|reopen|note|approve|update|subscribe|todo|lock|unlock|new|revoke|rebase|update-branch|revert':
          TALK,
        merge: {
          effect: 'vcs_push',
          operation: 'merge',
          operands: 'residue',
          flags: ['protected_branch'],
          options: {
            '--admin': { effect: 'security_disable', flags: ['force'] },
            '-d|--delete-branch|-m|--merge|-s|--squash|-r|--rebase|--auto': {},
          },
        },
      },
    },
    issue: {
      effect: 'read',
      subcommands: {
        'view|list|ls|status|show|board': READ,
        'create|comment|edit|close|reopen|note|pin|unpin|lock|unlock|transfer|develop|update|subscribe|new': TALK,
        delete: DESTROY,
      },
    },
    repo: {
      effect: 'read',
      subcommands: {
        'view|list|ls|search|contributors|mirror-read|license|gitignore': READ,
        clone: { effect: 'fetch', operation: 'clone', special: 'forge-clone' },
        'fork|create': {
          effect: 'infra_change',
          operands: 'residue',
          options: { '--public': { effect: 'publish', flags: ['public'] }, '--private|--clone': {} },
        },
        'sync|set-default|rename|archive|unarchive|autolink|transfer|mirror': {
          effect: 'infra_change',
          operands: 'residue',
        },
        edit: {
          effect: 'infra_change',
          operands: 'residue',
          options: { '--visibility': { effect: 'share', flags: ['visibility'] } },
        },
        delete: DESTROY,
        'deploy-key': ACCOUNT,
      },
    },
    release: {
      effect: 'read',
      subcommands: {
        'view|list|ls|verify': READ,
        download: DOWNLOAD,
        'create|upload|edit': PUBLISH,
        'delete|delete-asset': { ...PUBLISH, flags: ['destructive'] },
      },
    },
    'gist|snippet': {
      effect: 'read',
      subcommands: {
        'view|list|clone': READ,
        create: {
          effect: 'publish',
          special: 'hands-out',
          values: '-d --desc -f --filename -t --title -R --repo',
          options: { '-p|--public|-w|--web': {} },
        },
        'edit|rename': { effect: 'publish', operands: 'residue', options: { '-a|--add': { value: 'read' } } },
        delete: DESTROY,
      },
    },
    'workflow|ci|pipeline|run|job|schedule': {
      effect: 'read',
      subcommands: {
        'view|list|ls|watch|status|trace|get|lint': READ,
        'download|artifact': DOWNLOAD,
        // Once more what ran before, or no longer.
        'rerun|retry|cancel': { effect: 'infra_change', operands: 'residue', flags: ['non_production'] },
        'run|trigger|enable|disable|play|delete|create': { effect: 'infra_change', operands: 'residue' },
      },
    },
    'secret|ssh-key|gpg-key|deploy-key|token|securefile': {
      effect: 'read',
      subcommands: { 'list|ls|get|view': READ, '*': ACCOUNT },
    },
    variable: {
      effect: 'read',
      subcommands: { 'list|ls|get|export': READ, '*': { effect: 'infra_change', operands: 'residue' } },
    },
    auth: {
      effect: 'identity_change',
      operands: 'none',
      subcommands: {
        status: READ,
        token: { effect: 'secret_fetch', operands: 'none' },
        login: { ...ACCOUNT, special: 'registry-login' },
        'logout|refresh|switch|setup-git': ACCOUNT,
      },
    },
    api: {
      effect: 'fetch',
      special: 'forge-api',
      values: '-H --header --jq -q -t --template --cache --hostname -p --preview',
      options: {
        '-X|--method': { value: 'content' },
        '-f|--raw-field|-F|--field': { value: 'content' },
        '--input': { value: 'read' },
      },
    },
    'label|milestone|project|incident|iteration': {
      effect: 'read',
      subcommands: { 'list|ls|view|get|item-list|field-list': READ, '*': TALK },
    },
    'extension|alias|config|preview': {
      effect: 'install_local',
      operands: 'residue',
      subcommands: { 'list|search|browse|get': READ },
    },
    'codespace|cs': { effect: 'infra_change', operands: 'residue', special: 'cloud' },
    cache: { effect: 'read', subcommands: { list: READ, delete: { effect: 'infra_change', operands: 'residue' } } },
    attestation: READ,
  },
};

export const CLOUDS: Programs = {
  ...rows('gh hub', { ...forge, systems: ['github.com'] }),
  ...rows('glab tea', { ...forge, systems: ['forge'] }),
  ...rows(
    'aws gcloud az gsutil bq oci ibmcloud aliyun doctl linode-cli hcloud scw exo openstack heroku vercel netlify fly flyctl wrangler firebase railway render supabase amplify eb sam serverless sls azd ionos vultr-cli s3cmd s5cmd mc b2 azcopy confluent databricks snow snowsql dbt-cloud mongocli atlas-cli planetscale pscale turso neonctl auth0 okta datadog datadog-ci newrelic sentry-cli pd pagerduty circleci buildkite-agent jenkins-cli travis spacectl infracost consul nomad boundary waypoint etcdctl zookeeper-shell rabbitmqadmin nats temporal airflow prefect dagster',
    CLOUD,
  ),
  stripe: {
    effect: 'unknown',
    systems: ['stripe'],
    scope: 'remote',
    flags: ['remote'],
    subcommands: {
      'listen|logs|version|status|samples|open|help': READ,
      'login|logout|config': ACCOUNT,
      'trigger|fixtures': { effect: 'send', operands: 'residue', flags: ['test_mode'] },
      get: { effect: 'read', operands: 'none' },
      'post|delete': { effect: 'payment', operands: 'residue' },
      '*': { effect: 'payment', operands: 'residue', special: 'resource-verb' },
    },
  },
  ...rows('huggingface-cli hf', {
    effect: 'unknown',
    scope: 'remote',
    subcommands: {
      download: { effect: 'fetch', operands: 'residue' },
      'upload|upload-large-folder|repo|repo-files': { effect: 'publish', operands: 'residue' },
      'login|logout|auth': ACCOUNT,
      'whoami|scan-cache|env|version|cache': READ,
      'delete-cache': { effect: 'write', scope: 'home', flags: ['regenerable'], operands: 'none' },
    },
  }),
  ...rows('kaggle wandb', { effect: 'send', operands: 'residue', special: 'cloud' }),
  ...rows('jira acli linear notion trello asana', {
    effect: 'message',
    externality: { destination_ownership: 'tenant', destination_visibility: 'team' },
    operands: 'residue',
    special: 'resource-verb',
    scope: 'remote',
  }),
};
