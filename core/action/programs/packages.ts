// Package managers: what is installed, where, and what is published.

import { override, type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const ASK: Rule = { effect: 'fetch', operands: 'none' };
const BUILD: Rule = { effect: 'build', operands: 'residue', special: 'script' };
const PUBLISH: Rule = { effect: 'publish', operands: 'residue', options: { '--dry-run': { flags: ['dry_run'] } } };
const ACCOUNT: Rule = { effect: 'identity_change', operands: 'residue' };
const SETTING: Rule = {
  effect: 'write',
  operation: 'config',
  operands: 'residue',
  scope: 'home',
  special: 'tool-setting',
};

const node = (manager: string): Rule => {
  const install: Rule = {
    effect: 'install_local',
    operation: 'install',
    special: 'install',
    operands: `name:package:npm`,
    values: '--workspace -w --filter --registry --tag',
    options: {
      '-g|--global|--location': { effect: 'install_system', flags: ['global'] },
      '--dry-run': { flags: ['dry_run'] },
      '--ignore-scripts': { flags: ['no_scripts'] },
      '-D|--save-dev|-d|--dev': {},
      '-E|--save-exact|-S|--save|-P|--save-prod|-O': {},
    },
  };
  const remove: Rule = { ...install, operation: 'remove' };
  return {
    effect: 'install_local',
    operation: 'install',
    special: 'install',
    systems: [manager],
    values: '--workspace -w --filter --registry',
    directory: '--prefix --cwd -C --dir',
    subcommands: {
      'install|i|in|add|ci|clean-install|install-test|it|update|up|upgrade|dedupe|link|ln|rebuild|import|patch|fetch':
        install,
      'uninstall|remove|rm|un|unlink|prune|r': remove,
      'run|run-script|rum|urn|test|t|tst|start|stop|restart|build|dev|lint|format|check|typecheck|workspaces|workspace|turbo|nx|preview|e2e|coverage':
        BUILD,
      'ls|list|ll|la|outdated|why|explain|root|prefix|bin|help|config-list|fund|licenses|doctor|env|help-search|query|sbom|version-check|bugs|docs|repo|completion':
        READ,
      'view|info|show|v|search|s|ping|whoami|diff|owner-ls|stars': ASK,
      audit: { ...ASK, subcommands: { fix: install, signatures: ASK } },
      'publish|pub': PUBLISH,
      'unpublish|deprecate|undeprecate|dist-tag|stage': { ...PUBLISH, flags: ['destructive'] },
      'login|logout|adduser|token|owner|access|team|org|profile|hook|star|unstar': ACCOUNT,
      'config|set|c|get': { ...SETTING, subcommands: { 'get|list|ls': READ, '*': SETTING } },
      'exec|x|dlx': {
        effect: 'run_unknown',
        operands: 'residue',
        special: 'package-exec',
        stopAtOperand: true,
        values: '-p --package -c --call',
        options: { '-y|--yes': {} },
      },
      'init|create|innit': {
        effect: 'run_unknown',
        operands: 'residue',
        flags: ['from_registry'],
        special: 'package-init',
      },
      pack: { effect: 'build', operands: 'none', options: { '--dry-run': { flags: ['dry_run'] } } },
      version: { effect: 'vcs_local', operation: 'version', operands: 'residue' },
      'cache|store': { effect: 'write', operation: 'cache', operands: 'none', scope: 'home', flags: ['regenerable'] },
      shrinkwrap: { effect: 'write', operands: 'none', scope: 'workspace' },
      pkg: {
        effect: 'write',
        operation: 'pkg',
        operands: 'residue',
        scope: 'workspace',
        subcommands: {
          get: READ,
          set: { effect: 'write', operands: 'residue', scope: 'workspace', special: 'package-set' },
          'delete|fix': { effect: 'write', operands: 'residue', scope: 'workspace' },
        },
      },
      'setup|self-update|self-upgrade|use|global': { effect: 'install_system', operands: 'residue' },
      '*': BUILD,
    },
  };
};

const pip: Rule = {
  effect: 'unknown',
  systems: ['pypi'],
  subcommands: {
    install: {
      effect: 'install_local',
      operation: 'install',
      special: 'install',
      operands: 'name:package:pypi',
      values: '-i --index-url --extra-index-url -c --constraint -t --target --prefix --root --python',
      options: {
        '-r|--requirement': { value: 'read' },
        '-e|--editable': {},
        '-U|--upgrade': {},
        '--user': { flags: ['user'] },
        '--dry-run': { flags: ['dry_run'] },
        '--break-system-packages': { effect: 'install_system' },
        '--system': { effect: 'install_system' },
      },
    },
    uninstall: {
      effect: 'install_local',
      operation: 'remove',
      operands: 'name:package:pypi',
      options: { '-r': { value: 'read' }, '-y|--yes': {} },
    },
    'list|show|freeze|check|debug|inspect|help|hash|tree': READ,
    'index|search': ASK,
    'download|wheel': {
      effect: 'fetch',
      operands: 'name:package:pypi',
      options: { '-r': { value: 'read' }, '-d|--dest|-w|--wheel-dir': { value: 'write' } },
    },
    config: { ...SETTING, subcommands: { 'get|list|debug': READ, '*': SETTING } },
    cache: { effect: 'write', operation: 'cache', operands: 'none', scope: 'home', flags: ['regenerable'] },
    'compile|sync': { effect: 'install_local', operands: 'residue' },
  },
};

const project = (system: string): Rule => ({
  effect: 'unknown',
  systems: [system],
  subcommands: {
    'install|add|sync|lock|update|remove|upgrade|uninstall|export|self|env|venv|init|new|vendor|get|mod|tidy|fetch|restore|require|dump-autoload|generate-lockfile|pin|import|package|create':
      {
        effect: 'install_local',
        operands: 'residue',
        special: 'install',
        values:
          '--with --without --only -E --extras -G --group --path --jobs -j --retry --gemfile --features -F --package -p --source --python --vers --branch --rev --tag',
        options: {
          '-g|--global': { effect: 'install_system' },
          '--dry-run': { flags: ['dry_run'] },
          '--git': { flags: ['from_url'], value: 'content' },
        },
      },
    'run|test|build|check|exec|shell|script|compile|bench|doc|docs|fmt|format|clippy|lint|fix|vet|generate|clean|watch|nextest|expand|miri|tarpaulin|llvm-cov|audit|validate|serve|verify|pack':
      BUILD,
    'show|list|tree|search|info|outdated|licenses|metadata|env-info|version|help|config-list|why|graph|status|about|depends':
      READ,
    'publish|push|upload|yank': PUBLISH,
    'login|logout|owner|token': ACCOUNT,
    config: SETTING,
    cache: { effect: 'write', operation: 'cache', operands: 'none', scope: 'home', flags: ['regenerable'] },
  },
});

const toolInstall: Rule = { effect: 'install_system', operation: 'install', operands: 'name:package' };

export const PACKAGES: Programs = {
  npm: node('npm'),
  pnpm: node('npm'),
  // `yarn npm publish`: what it asks of a registry has a word before it.
  yarn: override(node('npm'), {
    npm: {
      effect: 'fetch',
      subcommands: { 'publish|tag': PUBLISH, 'login|logout': ACCOUNT, 'audit|info|whoami': ASK, '*': PUBLISH },
    },
  }),
  bun: override(node('npm'), { 'run|start': { ...BUILD, special: 'bun' }, '*': { ...BUILD, special: 'bun' } }),
  cnpm: node('npm'),
  ...rows('npx pnpx bunx', {
    effect: 'run_unknown',
    special: 'package-exec',
    stopAtOperand: true,
    values: '-p --package -c --call',
    directory: '--prefix -C --cwd',
    options: { '-y|--yes|-n|--no|--no-install|-q|--quiet|--prefer-offline|--ignore-existing|--bun': {} },
  }),
  ...rows('corepack', { effect: 'install_system', operands: 'residue' }),
  pip,
  pipx: {
    effect: 'unknown',
    subcommands: {
      'install|upgrade|uninstall|inject|upgrade-all|reinstall|ensurepath': toolInstall,
      run: { effect: 'run_unknown', special: 'package-exec', stopAtOperand: true, values: '--spec' },
      'list|environment': READ,
    },
  },
  uv: {
    effect: 'unknown',
    systems: ['pypi'],
    values: '--config-file',
    directory: '--project --directory',
    subcommands: {
      'add|remove': {
        effect: 'install_local',
        special: 'install',
        operands: 'name:package:pypi',
        values:
          '--index --default-index --index-url -i --extra-index-url -p --python --group --extra -c --tag --branch --rev',
        options: { '-r|--requirements': { value: 'read' }, '--dry-run': { flags: ['dry_run'] } },
      },
      'sync|lock|venv|init|export|python|tree': {
        effect: 'install_local',
        operands: 'residue',
        options: { '--dry-run': { flags: ['dry_run'] } },
      },
      run: {
        effect: 'build',
        special: 'wrapped',
        stopAtOperand: true,
        values: '--with --python -p --extra --group --env-file --package',
        options: { '--with': {}, '--isolated|--frozen|--locked|--no-sync|--active|--quiet|-q': {} },
      },
      pip,
      tool: {
        effect: 'unknown',
        subcommands: {
          'install|upgrade|uninstall': toolInstall,
          run: { effect: 'run_unknown', special: 'package-exec', stopAtOperand: true, values: '--from --with' },
          list: READ,
        },
      },
      build: BUILD,
      publish: { ...PUBLISH, values: '--token -t --username -u --password -p --publish-url --index' },
      cache: { effect: 'write', operation: 'cache', operands: 'none', scope: 'home', flags: ['regenerable'] },
      'version|help': READ,
      self: toolInstall,
    },
  },
  uvx: { effect: 'run_unknown', special: 'package-exec', stopAtOperand: true, values: '--from --with --python -p' },
  ...rows(
    'poetry pipenv pdm hatch rye',
    override(
      { ...project('pypi'), directory: '-C --directory -P --project' },
      { run: { effect: 'build', special: 'wrapped', stopAtOperand: true } },
    ),
  ),
  ...rows('conda mamba micromamba', {
    effect: 'unknown',
    systems: ['conda'],
    subcommands: {
      'install|create|update|remove|env|upgrade|uninstall|activate|deactivate|init': {
        effect: 'install_local',
        operands: 'residue',
        options: { '--dry-run|-d': { flags: ['dry_run'] } },
      },
      'list|info|search|config': READ,
      run: {
        effect: 'build',
        special: 'wrapped',
        stopAtOperand: true,
        values: '-n --name -p --prefix',
        directory: '--cwd',
      },
      clean: { effect: 'write', operation: 'cache', operands: 'none', flags: ['regenerable'], scope: 'home' },
    },
  }),
  cargo: override(
    { ...project('crates.io'), directory: '-C', projectFile: '--manifest-path' },
    {
      install: toolInstall,
      uninstall: toolInstall,
      run: { ...BUILD, values: '--bin --example' },
      'new|init': { effect: 'write', operands: 'files', operation: 'create' },
      '*': BUILD,
    },
  ),
  rustup: {
    effect: 'install_system',
    operands: 'residue',
    subcommands: { 'show|which|doc': READ, '*': { effect: 'install_system', operands: 'residue' } },
  },
  go: {
    effect: 'unknown',
    systems: ['go'],
    directory: '-C',
    longSingleDash: true,
    subcommands: {
      'build|test|vet|fmt|generate|tool|fix|clean|work': {
        effect: 'build',
        operands: 'residue',
        options: {
          '-o': { value: 'write' },
          '-exec': { effect: 'run_unknown', value: 'content' },
          '-toolexec': { effect: 'run_unknown', value: 'content' },
          '-modcache': { flags: ['regenerable'] },
        },
      },
      run: { effect: 'build', special: 'go-run', stopAtOperand: true },
      'get|mod': { effect: 'install_local', operands: 'residue' },
      install: { effect: 'install_system', operation: 'install', operands: 'name:package:go' },
      'list|version|env|doc|help|bug': { ...READ, options: { '-w': { effect: 'write', flags: [] } } },
    },
  },
  ...rows('gofmt goimports rustfmt', {
    effect: 'read',
    operands: 'files',
    options: { '-w': { effect: 'write', operation: 'format' }, '--check': {} },
  }),
  gem: {
    effect: 'unknown',
    systems: ['rubygems'],
    subcommands: {
      'install|update|uninstall|cleanup': toolInstall,
      'list|search|info|env|environment|which|contents|outdated|help|specification': READ,
      push: PUBLISH,
      yank: { ...PUBLISH, flags: ['destructive'] },
      build: BUILD,
      'signin|signout|owner': ACCOUNT,
    },
  },
  bundle: override(
    { ...project('rubygems'), projectFile: '--gemfile' },
    {
      exec: { effect: 'build', special: 'wrapped', stopAtOperand: true },
    },
  ),
  composer: { ...project('packagist'), directory: '-d --working-dir' },
  ...rows('mvn mvnw gradle gradlew sbt ant lein', {
    effect: 'build',
    operands: 'residue',
    special: 'build-target',
    values: '-P -pl -I --init-script',
    directory: '-p --project-dir',
    projectFile: '-f --file -b',
  }),
  dotnet: {
    effect: 'build',
    systems: ['nuget'],
    values:
      '-c --configuration -o --output -r --runtime -f --framework -v --verbosity --filter --logger -l --project -p -a --arch --os --settings -s --source --results-directory --launch-profile',
    subcommands: {
      ef: {
        effect: 'build',
        subcommands: {
          database: {
            effect: 'database_change',
            subcommands: {
              drop: { effect: 'database_destroy', operands: 'residue', flags: ['bulk'] },
              update: { effect: 'database_change', operands: 'residue' },
            },
          },
          '*': BUILD,
        },
      },
      'build|run|test|publish|clean|restore|format|watch|msbuild|pack|vstest|script|fsi': BUILD,
      'add|remove|new|sln|workload|tool': { effect: 'install_local', operands: 'residue' },
      nuget: { effect: 'unknown', subcommands: { 'push|delete': PUBLISH, 'list|locals': READ } },
      'list|--info|--list-sdks|help': READ,
      '*': BUILD,
    },
  },
  ...rows('nvm fnm volta n pyenv rbenv asdf mise sdk jenv tfenv goenv', {
    effect: 'install_local',
    operands: 'residue',
    subcommands: {
      'ls|list|current|version|versions|which|whence|list-all|list-remote|ls-remote|plugin-list|where|doctor': READ,
      'env|init|activate|hook-env|exec': { effect: 'none', special: 'prints_shell' },
      'use|local|shell': { effect: 'none', operands: 'none' },
      '*': { effect: 'install_local', operands: 'residue' },
    },
  }),
  twine: {
    effect: 'unknown',
    systems: ['pypi'],
    subcommands: {
      upload: {
        ...PUBLISH,
        values: '-u --username -r --repository --repository-url -c -i --config-file',
        options: { '-p|--password': { value: 'secret' } },
      },
      check: READ,
      register: PUBLISH,
    },
  },
  ...rows('lerna semantic-release release-it np goreleaser auto release-please standard-version changelogen bumpp', {
    effect: 'publish',
    operands: 'residue',
    options: { '--dry-run|-d|--snapshot': { flags: ['dry_run'] } },
    subcommands: {
      'run|exec|list|ls|changed|diff|bootstrap|init|add|version|status|check|build|clean|link': BUILD,
      '*': PUBLISH,
    },
  }),
  // Alone it asks what has changed, and writes that down.
  ...rows('changeset changesets', {
    effect: 'build',
    operands: 'none',
    subcommands: { publish: PUBLISH, 'add|init|version|status|tag|pre': BUILD, '*': BUILD },
  }),
  ...rows('virtualenv', {
    effect: 'install_local',
    operation: 'create',
    operands: 'files',
    flags: ['pinned'],
    values: '-p --python --prompt',
    options: { '--clear': { flags: ['force'] } },
  }),
};
