// Containers, clusters and infrastructure as code.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const OWN: Rule = { effect: 'process_own', operands: 'name:container', values: '-t --time -s --signal' };
const IMAGE: Rule = {
  effect: 'infra_destroy',
  operation: 'image remove',
  operands: 'name:image',
  scope: 'machine',
  options: { '-f|--force': { flags: ['force'] } },
};
const LOST: Rule = {
  effect: 'infra_destroy',
  operands: 'name:volume',
  scope: 'machine',
  options: { '-f|--force': { flags: ['force'] } },
};
const PRUNE: Rule = {
  effect: 'infra_change',
  operation: 'prune',
  operands: 'none',
  scope: 'machine',
  flags: ['bulk'],
  values: '--filter',
  options: {
    '-a|--all': { effect: 'infra_destroy' },
    '--volumes': { effect: 'infra_destroy', flags: ['volumes'] },
    '-f|--force': { flags: ['force'] },
  },
};
const RUN_VALUES =
  '--name -h --hostname -u --user -w --workdir -l --label --network --net --pid --ipc --uts --userns --cpus --cpuset-cpus -m --memory --memory-swap --restart --entrypoint --platform --pull --log-driver --log-opt --dns --add-host --gpus --shm-size --ulimit --health-cmd --stop-signal --tmpfs --cidfile --ip --mac-address --runtime --expose --link --volumes-from --device --cap-add --cap-drop --security-opt --annotation --cgroupns --group-add --init-path --isolation --storage-opt --sysctl';
const RUN: Rule = {
  effect: 'build',
  operation: 'run',
  special: 'container-run',
  stopAtOperand: true,
  values: RUN_VALUES,
  options: {
    '-v|--volume|--mount': { value: 'ignored' },
    '-p|--publish': { value: 'content' },
    '-e|--env': { value: 'content' },
    '--env-file': { value: 'read' },
    '--privileged': { flags: ['privileged'] },
    '-d|--detach|--rm|-i|-t|-it|--interactive|--tty|--init|-P|--read-only|-q|--quiet': {},
  },
};
const EXEC: Rule = {
  effect: 'run_unknown',
  operation: 'exec',
  special: 'container-exec',
  stopAtOperand: true,
  values: '-u --user -w --workdir --detach-keys --index',
  options: {
    '-e|--env': { value: 'content' },
    '--env-file': { value: 'read' },
    '--privileged': { flags: ['privileged'] },
    '-i|-t|-it|-d|-T|--interactive|--tty': {},
  },
};
const COMPOSE: Rule = {
  effect: 'build',
  operation: 'compose',
  values: '-f --file -p --project-name --profile --project-directory --env-file --ansi --parallel',
  subcommands: {
    'up|start|restart|build|create|pull|watch|config|convert|pause|unpause|scale|version|alpha': {
      effect: 'build',
      operands: 'residue',
      values: '--scale -t --timeout',
    },
    'ps|logs|top|images|ls|events|port|stats|volumes': READ,
    'stop|kill': { effect: 'process_own', operands: 'none' },
    down: {
      effect: 'process_own',
      operation: 'down',
      operands: 'none',
      options: {
        '-v|--volumes': { effect: 'infra_destroy', flags: ['volumes'] },
        '--rmi': { value: 'content' },
        '--remove-orphans': {},
      },
    },
    rm: {
      effect: 'process_own',
      operands: 'none',
      options: { '-v|--volumes': { effect: 'infra_destroy', flags: ['volumes'] }, '-f|-s': {} },
    },
    run: { ...RUN, special: 'container-exec' },
    exec: EXEC,
    push: { effect: 'publish', operands: 'residue' },
    cp: { effect: 'write', operands: 'residue' },
  },
};

const DOCKER: Rule = {
  effect: 'unknown',
  systems: ['docker'],
  values: '-H --host -c --context --config -l --log-level',
  subcommands: {
    'ps|images|logs|inspect|version|info|top|stats|port|history|events|diff|search|df|wait': READ,
    run: RUN,
    create: { ...RUN, operation: 'create' },
    exec: EXEC,
    'build|buildx|bake': {
      effect: 'build',
      operation: 'build',
      operands: 'none',
      values:
        '-t --tag -f --file --build-arg --target --platform --secret --ssh --cache-from --cache-to --label --network --progress -o --output',
      options: { '--push': { effect: 'publish', operation: 'push' } },
    },
    'commit|tag|load|import|rename|update|cp|export|save': {
      effect: 'write',
      operands: 'residue',
      scope: 'machine',
      options: { '-o|--output|-i|--input': { value: 'content' } },
    },
    pull: { effect: 'fetch', operands: 'name:image' },
    push: { effect: 'publish', operands: 'name:image' },
    login: {
      effect: 'identity_change',
      operands: 'residue',
      values: '-u --username',
      options: { '-p|--password': { value: 'secret' }, '--password-stdin': {} },
    },
    logout: { effect: 'identity_change', operands: 'residue' },
    'start|stop|restart|kill|pause|unpause|attach': OWN,
    rm: {
      ...OWN,
      operation: 'remove',
      options: { '-v|--volumes': { effect: 'infra_destroy', flags: ['volumes'] }, '-f|--force': { flags: ['force'] } },
    },
    rmi: IMAGE,
    image: {
      effect: 'unknown',
      subcommands: {
        'ls|list|inspect|history': READ,
        'rm|remove': IMAGE,
        prune: PRUNE,
        push: { effect: 'publish', operands: 'name:image' },
        pull: { effect: 'fetch', operands: 'name:image' },
        'build|tag|load|import|save': { effect: 'build', operands: 'residue' },
      },
    },
    container: {
      effect: 'unknown',
      subcommands: {
        'ls|list|inspect|logs|top|stats|port|diff|wait': READ,
        run: RUN,
        create: RUN,
        exec: EXEC,
        'start|stop|restart|kill|pause|unpause|attach': OWN,
        'rm|remove': { ...OWN, operation: 'remove' },
        prune: PRUNE,
        'cp|export|commit|rename|update': { effect: 'write', operands: 'residue' },
      },
    },
    volume: {
      effect: 'unknown',
      subcommands: {
        'ls|list|inspect': READ,
        create: { effect: 'write', operands: 'name:volume', scope: 'machine' },
        'rm|remove': LOST,
        prune: { ...LOST, flags: ['bulk'] },
      },
    },
    network: {
      effect: 'unknown',
      subcommands: {
        'ls|list|inspect': READ,
        'create|connect|disconnect': { effect: 'infra_change', operands: 'residue', scope: 'machine' },
        'rm|remove|prune': { effect: 'infra_change', operands: 'residue', scope: 'machine' },
      },
    },
    system: {
      effect: 'unknown',
      subcommands: {
        'df|info|events': READ,
        prune: PRUNE,
        connection: { effect: 'infra_change', operands: 'residue' },
        reset: { effect: 'infra_destroy', flags: ['bulk'] },
      },
    },
    builder: {
      effect: 'build',
      subcommands: {
        prune: { effect: 'write', operation: 'prune', operands: 'none', flags: ['regenerable'], scope: 'machine' },
        '*': { effect: 'build', operands: 'none' },
      },
    },
    compose: COMPOSE,
    context: { effect: 'write', operands: 'residue', scope: 'home', subcommands: { 'ls|inspect|show': READ } },
    'swarm|node|service|stack|secret|config|plugin|trust|manifest': {
      effect: 'infra_change',
      operands: 'residue',
      special: 'cloud',
    },
    'scout|debug': { effect: 'fetch', operands: 'residue' },
  },
};

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
  values: '-chdir',
  subcommands: {
    'plan|validate|show|output|graph|providers|version|console|metadata|get|test|state-list|refresh-only': {
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

export const CONTAINERS: Programs = {
  ...rows('docker podman nerdctl', DOCKER),
  ...rows('docker-compose podman-compose', { ...COMPOSE, tool: 'docker', systems: ['docker'] }),
  ...rows('buildah kaniko img', {
    effect: 'build',
    operands: 'residue',
    subcommands: { push: { effect: 'publish', operands: 'residue' }, '*': { effect: 'build', operands: 'residue' } },
  }),
  skopeo: {
    effect: 'unknown',
    subcommands: {
      'inspect|list-tags': { effect: 'fetch', operands: 'none' },
      'copy|sync': { effect: 'publish', operands: 'residue' },
      delete: { effect: 'publish', operands: 'residue', flags: ['destructive'] },
      'login|logout': { effect: 'identity_change', operands: 'residue' },
    },
  },
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
      'install|upgrade|rollback|test': { effect: 'infra_change', operands: 'name:release' },
      'uninstall|delete|del|un': { effect: 'infra_destroy', operands: 'name:release' },
      'repo|pull|fetch|dependency|dep': { effect: 'fetch', operands: 'residue' },
      'create|package': { effect: 'write', operands: 'files' },
      push: { effect: 'publish', operands: 'residue' },
      registry: { effect: 'identity_change', operands: 'residue' },
    },
  },
  ...rows(
    'helmfile kustomize skaffold tilt argocd flux istioctl linkerd kubeadm kops eksctl k3s minikube kind k3d microk8s velero cilium',
    { effect: 'infra_change', operands: 'residue', special: 'cloud' },
  ),
  ...rows('k9s stern kubectx kubens lens kubeval kubeconform kube-score conftest', {
    effect: 'read',
    operands: 'none',
    metadata: true,
  }),
  ...rows('terraform tofu terragrunt', TERRAFORM),
  pulumi: {
    effect: 'unknown',
    systems: ['pulumi'],
    values: '-s --stack -C --cwd',
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
    scope: 'machine',
    special: 'cloud',
  }),
};
