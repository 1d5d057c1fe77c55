// Containers: images, volumes, what runs in them.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const OWN: Rule = {
  effect: 'process_own',
  operands: 'name:container',
  special: 'own-or-guard',
  values: '-t --time -s --signal',
};
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
/** Without a file of its own it is a stream. */
const SAVE: Rule = {
  effect: 'read',
  operands: 'name:image',
  scope: 'machine',
  values: '--platform --format',
  options: { '-o|--output': { value: 'write' } },
};
const LOAD: Rule = {
  effect: 'write',
  operands: 'residue',
  scope: 'machine',
  special: 'image-load',
  values: '--platform -c --change -m --message',
  options: { '-i|--input': { value: 'read' } },
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
    '--env-file': { value: 'handed' },
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
    '--env-file': { value: 'handed' },
    '--privileged': { flags: ['privileged'] },
    '-i|-t|-it|-d|-T|--interactive|--tty': {},
  },
};
const COMPOSE: Rule = {
  effect: 'build',
  operation: 'compose',
  values: '-f --file -p --project-name --profile --project-directory --ansi --parallel',
  projectFile: '-f --file',
  options: { '--env-file': { value: 'handed' } },
  subcommands: {
    'up|start|restart|build|create|watch|scale': {
      effect: 'build',
      special: 'compose',
      operands: 'residue',
      values: '--scale -t --timeout',
    },
    'pull|config|convert|pause|unpause|version|alpha': { effect: 'build', operands: 'residue' },
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
    run: { ...RUN, special: 'compose-run' },
    exec: EXEC,
    push: { effect: 'publish', operands: 'residue' },
    cp: { effect: 'write', operands: 'residue', special: 'container-copy' },
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
      special: 'image-build',
      values:
        '-t --tag -f --file --build-arg --target --platform --secret --ssh --cache-from --cache-to --label --network --progress -o --output',
      options: { '--push': { effect: 'publish', operation: 'push' } },
    },
    cp: { effect: 'write', operands: 'residue', special: 'container-copy' },
    save: SAVE,
    export: { ...SAVE, operands: 'name:container' },
    'load|import': LOAD,
    'commit|tag|rename|update': { effect: 'write', operands: 'residue', scope: 'machine' },
    pull: { effect: 'fetch', operands: 'name:image' },
    push: { effect: 'publish', operands: 'name:image' },
    login: {
      effect: 'identity_change',
      special: 'registry-login',
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
        save: SAVE,
        'load|import': LOAD,
        'build|tag': { effect: 'build', operands: 'residue' },
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
        cp: { effect: 'write', operands: 'residue', special: 'container-copy' },
        export: { ...SAVE, operands: 'name:container' },
        'commit|rename|update': { effect: 'write', operands: 'residue' },
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
        'create|connect|disconnect|rm|remove|prune': {
          effect: 'infra_change',
          operands: 'residue',
          scope: 'machine',
          externality: { external_write: false, destination_ownership: 'self', destination_visibility: 'private' },
        },
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

export const CONTAINERS: Programs = {
  ...rows('docker podman nerdctl finch', DOCKER),
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
};
