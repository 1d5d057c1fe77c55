// Clusters and machines.

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
      'logs|log': {
        effect: 'read',
        special: 'kubectl',
        values: '-c --container --tail --since --since-time --max-log-requests --limit-bytes --pod-running-timeout',
        options: { '-f|--follow|-p|--previous|--timestamps|--prefix|--all-containers|--all-pods': {} },
      },
      'get|describe|top|explain|diff|api-resources|api-versions|cluster-info|version|events|wait|completion|kustomize|options|plugin|whoami|status|projects|project':
        { ...KUBE, effect: 'read' },
      auth: {
        ...KUBE,
        effect: 'read',
        subcommands: { reconcile: { ...KUBE, effect: 'identity_change' }, '*': { ...KUBE, effect: 'read' } },
      },
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
      'port-forward': {
        effect: 'fetch',
        operation: 'port-forward',
        operands: 'residue',
        flags: ['tunnel'],
        special: 'port-forward',
        values: '--address --pod-running-timeout',
      },
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
      plugin: {
        effect: 'install_system',
        operands: 'residue',
        subcommands: {
          'list|ls': { effect: 'read', operands: 'none' },
          '*': { effect: 'install_system', operands: 'residue' },
        },
      },
      'list|ls|status|history|get|show|inspect|search|template|lint|version|env|verify|diff|completion': {
        effect: 'read',
        operands: 'none',
      },
      'install|upgrade|rollback|test': { effect: 'infra_change', operands: 'name:release', special: 'helm' },
      'uninstall|delete|del|un': { effect: 'infra_destroy', operands: 'name:release' },
      'pull|fetch': {
        effect: 'fetch',
        operands: 'residue',
        options: { '-d|--destination|--untardir': { value: 'write' }, '--untar|--devel|--verify|--prov': {} },
      },
      'repo|dependency|dep': { effect: 'fetch', operands: 'residue' },
      create: { effect: 'write', operands: 'files', scope: 'workspace' },
      package: {
        effect: 'write',
        scope: 'workspace',
        operands: 'files',
        values: '--app-version --key --keyring --passphrase-file',
        options: { '-d|--destination': { value: 'write' } },
      },
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
