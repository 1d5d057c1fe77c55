// More command lines of clusters and clouds: the verb decides, as in `special-clouds.ts`; some only render or check.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const BUILD: Rule = { effect: 'build', operands: 'none', directory: '-C --chdir --terragrunt-working-dir' };
const ACCOUNT: Rule = { effect: 'identity_change', operands: 'residue' };
const VERBS: Rule = {
  effect: 'unknown',
  special: 'cloud',
  scope: 'remote',
  flags: ['remote'],
  values:
    '-n --namespace --context --kubeconfig -o --output -l --selector --region --profile --project -e --env --environment --cluster -a --app --server -p -f --file -c --config --endpoint --org --space -t --target',
  options: {
    '--dry-run|--dryrun': { flags: ['dry_run'] },
    '--force|-y|--yes|--auto-approve|--no-confirm': { flags: ['force'] },
    '--password|--token|--secret': { value: 'secret' },
  },
};

export const CLUSTER_CLOUD_TOOLS: Programs = {
  ...rows(
    'argo tkn fluxctl rancher rke rke2 talosctl omnictl clusterctl crossplane okteto devspace garden telepresence vcluster kwok kwokctl kapp kubermatic kn faas-cli fission dapr porter odo ocm rosa tsh tctl teleport calicoctl kumactl meshctl glooctl ksniff werf kluctl timoni kurtosis sealos k0s k0sctl kubespray pgo cmctl kubelogin oc-mirror liqoctl spin fermyon wasmcloud wash',
    VERBS,
  ),
  ...rows(
    'kubeseal kube-linter polaris pluto popeye nova kubent ytt kbld vendir jsonnet tk cue kcl dhall helm-docs ct chart-testing kubebuilder operator-sdk controller-gen krew datree kubepug terrascan terraform-docs tfswitch cfn-lint cfn-guard cdk-nag kics opa regal cdk8s bicep former2 terraformer terracognita inframap rover blast-radius regula pike tfupdate hcledit json2hcl score-compose score-k8s zizmor pinact dockle dive container-diff container-structure-test docker-slim slim pack copacetic copa cst',
    BUILD,
  ),
  ...rows(
    'kubetail kail kubectl-tree kubectl-neat ktop kubeshark steampipe cloudquery powerpipe cloudlist prowler scout scoutsuite komiser',
    {
      ...READ,
      scope: 'remote',
    },
  ),
  kubeseal: {
    ...BUILD,
    options: { '--fetch-cert|--validate|--re-encrypt': {}, '--recovery-unseal': { effect: 'secret_fetch' } },
  },
  act: { effect: 'build', operands: 'residue', options: { '-l|--list|-n|--dryrun|-g|--graph': { effect: 'read' } } },
  ...rows('cloud-nuke aws-nuke gcp-nuke azure-nuke awsweeper', {
    effect: 'disk_destroy',
    operands: 'residue',
    scope: 'remote',
    options: { '--dry-run|--list-resource-types': { flags: ['dry_run'] } },
  }),
  driftctl: READ,
  ...rows('atlantis spacelift env0 digger terramate', VERBS),
  terramate: {
    effect: 'build',
    subcommands: {
      'list|fmt|generate|debug|version|help|experimental': BUILD,
      'run|script': { effect: 'run_unknown', special: 'wrapped', stopAtOperand: true },
    },
  },

  // Configuration management.
  ...rows('salt salt-ssh mco', {
    effect: 'infra_change',
    operands: 'residue',
    flags: ['remote', 'bulk'],
    options: { '--dry-run': { flags: ['dry_run'] } },
  }),
  'salt-call': { effect: 'system_change', operands: 'residue' },
  ...rows('salt-key puppetserver puppetca', {
    effect: 'identity_change',
    operands: 'residue',
    options: { '-L|--list': { effect: 'read' } },
  }),
  puppet: {
    effect: 'system_change',
    operands: 'residue',
    subcommands: {
      'parser|config|describe|doc|facts|help|lookup|epp|strings|node': READ,
      'apply|agent': {
        effect: 'system_change',
        operands: 'residue',
        options: { '--noop': { flags: ['dry_run'], effect: 'read' } },
      },
      '*': { effect: 'system_change', operands: 'residue' },
    },
  },
  facter: READ,
  ...rows('chef-client chef-solo chef-run cinc-client', {
    effect: 'system_change',
    operands: 'residue',
    options: { '-W|--why-run': { flags: ['dry_run'], effect: 'read' } },
  }),
  ...rows('cookstyle foodcritic inspec test-kitchen kitchen molecule goss dgoss ansible-test yamlfmt', BUILD),
  knife: VERBS,

  // Containers of other kinds, virtual machines.
  ...rows(
    'lxc lxd incus firecracker docker-machine vmrun prlctl govc ovftool virt-install virt-clone vmadm bhyve tart utmctl quickemu proxmox qm pct',
    {
      ...VERBS,
      scope: 'machine',
    },
  ),
  ...rows('crictl ctr', {
    effect: 'infra_change',
    operands: 'residue',
    scope: 'machine',
    subcommands: {
      'ps|images|img|info|inspect|inspecti|inspectp|logs|pods|stats|statsp|version|events|completion|plugins': READ,
      'pull|image|content|snapshots|namespaces|ns|containers|c|tasks|t': {
        effect: 'infra_change',
        operands: 'residue',
        scope: 'machine',
        special: 'cloud',
      },
      exec: { effect: 'run_unknown', special: 'container-exec', stopAtOperand: true, options: { '-i|-t|-it': {} } },
      'rm|rmi|rmp|stopp|stop': { effect: 'infra_change', operands: 'residue', scope: 'machine' },
    },
  }),
  ...rows('runc crun youki', { effect: 'infra_change', operands: 'residue', scope: 'machine', special: 'cloud' }),
  ...rows('crane regctl oras', {
    effect: 'unknown',
    scope: 'remote',
    subcommands: {
      'ls|list|manifest|digest|config|catalog|validate|blob|export|pull|discover|version|repo': {
        effect: 'fetch',
        operands: 'residue',
      },
      'push|copy|cp|append|mutate|tag|rebase|flatten|attach|index': { effect: 'publish', operands: 'residue' },
      delete: { effect: 'publish', operands: 'residue', flags: ['destructive'] },
      'auth|login|logout': { ...ACCOUNT, special: 'registry-login' },
    },
  }),
  ...rows('devcontainer distrobox toolbox', {
    effect: 'build',
    operands: 'residue',
    subcommands: {
      'exec|enter|run': {
        effect: 'run_unknown',
        special: 'wrapped',
        stopAtOperand: true,
        values: '-n --name --workspace-folder --container',
      },
      'list|ls|read-configuration|outdated': READ,
      '*': { effect: 'build', operands: 'residue' },
    },
  }),
  'qemu-img': {
    effect: 'write',
    operands: 'residue',
    scope: 'workspace',
    subcommands: {
      'info|check|compare|map|measure': READ,
      '*': { effect: 'write', operands: 'residue', scope: 'workspace' },
    },
  },

  // Clouds and hosts.
  ...rows(
    'awslocal ecs-cli s4cmd cbt func ovhcloud convex appwrite ntl civo upctl cf tanzu drone woodpecker woodpecker-cli jfrog jf concourse nsc koyeb scalingo clever dokku caprover kamal porter northflank zeabur cyclic qovery platform upsun pantheon terminus back4app nhost encore defang sst seed architect apex chalice zappa claudia tccli yc hcx gridscale latitude lightsail wasmer deployctl partykit liveblocks trigger inngest hasura sanity contentful strapi directus shopify ngc fal replicate baseten beam runpodctl vastai cerebrium banana honeycomb grafana grafanactl mimirtool cortextool logcli promtool amtool thanos posthog launchdarkly ldcli statsig sentry rollbar bugsnag opsgenie statuspage incident betterstack checkly',
    VERBS,
  ),
  ...rows('promtool logcli pint mimirtool', { ...READ, scope: 'remote' }),
  ...rows('surge now gh-pages', { effect: 'publish', operands: 'residue', scope: 'remote' }),
  ...rows('aws-sso saml2aws granted assume awsume aws-google-auth aws-okta gimme-aws-creds kinit', {
    effect: 'identity_change',
    operands: 'residue',
    operation: 'login',
  }),
  ...rows('kdestroy klist', READ),
};
