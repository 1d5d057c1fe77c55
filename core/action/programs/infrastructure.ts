// Clusters and infrastructure as code.

import { type Programs, type Rule, rows } from './rule.ts';

const MANIFEST = { '-f|--filename|-k|--kustomize': { value: 'content' } } as const;
const K8S_DRY = { '--dry-run': { flags: ['dry_run'] } } as const;
const KUBE: Rule = {
  effect: 'unknown',
  special: 'kubectl',
  options: {
    ...MANIFEST,
    ...K8S_DRY,
    '--force': { flags: ['force'] },
    '--all': { flags: ['bulk'] },
    '-A|--all-namespaces': { flags: ['all_namespaces'] },
    '--now': {},
    '-R|--recursive': {},
    '-w|--watch': {},
    '--overwrite': {},
  },
  values:
    '--grace-period --timeout --field-selector -o --output -p --patch --type --replicas --image --from-literal --from-file --from-env-file --port --target-port --env --limits --sort-by --tail --since -c --container --cascade --field-manager --duration --clusterrole --role --serviceaccount --user --group --verb --resource',
};

const TERRAFORM: Rule = {
  effect: 'unknown',
  systems: ['terraform'],
  longSingleDash: true,
  directory: '-chdir',
  subcommands: {
    output: {
      effect: 'read',
      operands: 'none',
      special: 'named-secret',
    },
    'plan|validate|show|graph|providers|version|console|metadata|get|test|state-list|refresh-only': {
      effect: 'read',
      operands: 'none',
      values: '-var -var-file -target -out',
      options: { '-out': { value: 'write' }, '-var': { value: 'content' } },
    },
    fmt: { effect: 'build', operands: 'none' },
    init: {
      effect: 'install_local',
      operation: 'init',
      operands: 'none',
      flags: ['pinned'],
      values: '-backend-config',
      options: { '-migrate-state|-force-copy': { effect: 'infra_change' }, '-backend-config': { value: 'content' } },
    },
    'apply|up|run-all|stack': {
      effect: 'infra_change',
      operation: 'apply',
      operands: 'residue',
      values: '-target -var-file -replace',
      options: {
        '-var': { value: 'content' },
        '-auto-approve|--auto-approve': { flags: ['force'] },
        '-destroy|--destroy': { effect: 'infra_destroy', operation: 'destroy', flags: ['bulk'] },
      },
    },
    destroy: {
      effect: 'infra_destroy',
      operation: 'destroy',
      operands: 'residue',
      flags: ['bulk'],
      values: '-target -var-file',
      options: { '-var': { value: 'content' }, '-auto-approve|--auto-approve': { flags: ['force'] } },
    },
    'refresh|taint|untaint|import|force-unlock': { effect: 'infra_change', operands: 'residue' },
    state: {
      effect: 'unknown',
      subcommands: {
        'list|show|pull': { effect: 'read', operands: 'none' },
        'rm|push': { effect: 'infra_destroy', operands: 'residue' },
        'mv|replace-provider': { effect: 'infra_change', operands: 'residue' },
      },
    },
    workspace: {
      effect: 'unknown',
      subcommands: {
        'list|show': { effect: 'read', operands: 'none' },
        'select|new': { effect: 'write', operands: 'residue', scope: 'workspace' },
        delete: { effect: 'infra_destroy', operands: 'residue' },
      },
    },
    'login|logout': { effect: 'identity_change', operands: 'residue' },
  },
};

/** Clusters and machines that run on this one, for whoever made them. */
const OWN_MACHINE: Partial<Rule> = {
  scope: 'machine',
  externality: { external_write: false, destination_ownership: 'self', destination_visibility: 'private' },
};

export const INFRASTRUCTURE: Programs = {
  ...rows('kubectl oc k kubecolor', {
    effect: 'unknown',
    tool: 'kubernetes',
    systems: ['kubernetes'],
    scope: 'remote',
    flags: ['remote'],
    values:
      '-n --namespace --context --cluster --user --kubeconfig -s --server --as --token -l --selector --request-timeout',
    subcommands: {
      'get|describe|logs|log|top|explain|diff|api-resources|api-versions|cluster-info|version|events|auth|wait|completion|kustomize|options|plugin|whoami|status|projects|project':
        { ...KUBE, effect: 'read' },
      rollout: {
        ...KUBE,
        effect: 'infra_change',
        subcommands: {
          'status|history': { ...KUBE, effect: 'read' },
          'restart|undo|pause|resume': { ...KUBE, effect: 'infra_change' },
        },
      },
      config: {
        effect: 'write',
        operation: 'config',
        operands: 'residue',
        scope: 'home',
        subcommands: {
          'view|get-contexts|current-context|get-clusters|get-users': {
            effect: 'read',
            operands: 'none',
            metadata: true,
            options: { '--raw': { effect: 'read_credential' } },
          },
          '*': { effect: 'write', operands: 'residue', scope: 'home' },
        },
      },
      'apply|create|replace|patch|edit|scale|autoscale|expose|label|annotate|set|run|cordon|uncordon|drain|taint|new-app|adm':
        { ...KUBE, effect: 'infra_change' },
      delete: { ...KUBE, effect: 'infra_destroy' },
      'exec|rsh': {
        effect: 'run_unknown',
        operation: 'exec',
        special: 'container-exec',
        stopAtOperand: true,
        values: '-c --container -n --namespace --context',
        options: { '-i|-t|-it|--stdin|--tty|-q': {} },
      },
      'attach|debug|proxy': { effect: 'run_opaque', operands: 'residue' },
      'port-forward': { effect: 'fetch', operation: 'port-forward', operands: 'residue', flags: ['tunnel'] },
      cp: { effect: 'send', operation: 'copy', special: 'copy-remote' },
      certificate: { effect: 'identity_change', operands: 'residue' },
      'login|logout': { effect: 'identity_change', operands: 'residue' },
    },
  }),
  helm: {
    effect: 'unknown',
    systems: ['kubernetes'],
    scope: 'remote',
    flags: ['remote'],
    values: '-n --namespace --kube-context --kubeconfig --version -o --output --repo --timeout',
    options: {
      '--dry-run': { flags: ['dry_run'] },
      '-f|--values': { value: 'read' },
      '--set|--set-string|--set-file|--set-json': { value: 'content' },
    },
    subcommands: {
      'list|ls|status|history|get|show|inspect|search|template|lint|version|env|verify|diff|completion|plugin': {
        effect: 'read',
        operands: 'none',
      },
      'install|upgrade|rollback|test': { effect: 'infra_change', operands: 'name:release', special: 'helm' },
      'uninstall|delete|del|un': { effect: 'infra_destroy', operands: 'name:release' },
      'repo|pull|fetch|dependency|dep': { effect: 'fetch', operands: 'residue' },
      'create|package': { effect: 'write', operands: 'files' },
      push: { effect: 'publish', operands: 'residue' },
      registry: { effect: 'identity_change', operands: 'residue', special: 'registry-login' },
    },
  },
  ...rows('helmfile kustomize skaffold tilt argocd flux istioctl linkerd kubeadm kops eksctl velero cilium', {
    effect: 'infra_change',
    operands: 'residue',
    special: 'cloud',
  }),
  // Clusters of this machine.
  ...rows('minikube kind k3d ctlptl', {
    effect: 'infra_change',
    operands: 'residue',
    special: 'cloud',
    ...OWN_MACHINE,
  }),
  ...rows('k3s microk8s', { effect: 'infra_change', operands: 'residue', special: 'cloud' }),
  ...rows('k9s stern kubectx kubens lens kubeval kubeconform kube-score conftest', {
    effect: 'read',
    operands: 'none',
    metadata: true,
  }),
  ...rows('terraform tofu terragrunt', TERRAFORM),
  pulumi: {
    effect: 'unknown',
    systems: ['pulumi'],
    values: '-s --stack',
    directory: '-C --cwd',
    subcommands: {
      'preview|about|whoami|version|logs|console|query|schema': { effect: 'read', operands: 'none' },
      'up|update|refresh|import|watch|cancel|state': {
        effect: 'infra_change',
        operands: 'residue',
        options: { '-y|--yes': { flags: ['force'] } },
      },
      'destroy|down|dn': { effect: 'infra_destroy', operands: 'residue', flags: ['bulk'] },
      stack: {
        effect: 'read',
        operands: 'none',
        subcommands: {
          'rm|remove': { effect: 'infra_destroy', operands: 'residue' },
          'init|select|rename|tag|import|change-secrets-provider': { effect: 'infra_change', operands: 'residue' },
          'ls|output|graph|history|export': { effect: 'read', operands: 'none' },
        },
      },
      config: { effect: 'write', operands: 'residue', scope: 'workspace' },
      'login|logout|org': { effect: 'identity_change', operands: 'residue' },
      'new|install|plugin|package': { effect: 'install_local', operands: 'residue' },
    },
  },
  ...rows('ansible-playbook ansible', {
    effect: 'infra_change',
    operands: 'residue',
    special: 'ansible',
    flags: ['remote', 'bulk'],
    values: '-i -l -e -t -u -m -a -f --extra-vars --tags --limit --inventory --vault-password-file',
    options: {
      '-C|--check': { flags: ['dry_run'] },
      '--syntax-check|--list-hosts|--list-tasks|--list-tags': { effect: 'read' },
      '-b|--become': { flags: ['via_sudo'] },
    },
  }),
  'ansible-galaxy': { effect: 'install_local', operands: 'residue' },
  'ansible-vault': {
    effect: 'write',
    operands: 'residue',
    subcommands: {
      'view|decrypt': { effect: 'secret_fetch', operands: 'files' },
      'encrypt|create|edit|rekey|encrypt_string': { effect: 'write', operands: 'files' },
    },
  },
  'ansible-inventory': { effect: 'read', operands: 'none' },
  ...rows('packer', {
    effect: 'infra_change',
    operands: 'residue',
    subcommands: {
      'validate|inspect|fmt|version|init': { effect: 'build', operands: 'none' },
      build: { effect: 'infra_change', operands: 'residue' },
    },
  }),
  ...rows('vagrant multipass lima limactl virsh qemu-system-x86_64 VBoxManage vboxmanage colima orb', {
    effect: 'infra_change',
    operands: 'residue',
    special: 'cloud',
    ...OWN_MACHINE,
  }),
};
