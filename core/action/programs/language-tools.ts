// Compilers, linters, generators and package tools of the less common languages; mobile and Apple development.

import { override, type Programs, type Rule, rows } from './rule.ts';

const BUILD: Rule = { effect: 'build', operands: 'none', directory: '--cwd -C --directory' };
const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const ASK: Rule = { effect: 'fetch', operands: 'none' };
const ACCOUNT: Rule = { effect: 'identity_change', operands: 'residue' };
const PUBLISH: Rule = { effect: 'publish', operands: 'residue', options: { '--dry-run': { flags: ['dry_run'] } } };
const GLOBAL: Rule = { effect: 'install_system', operation: 'install', operands: 'name:package' };
const DECLARED: Rule = {
  effect: 'install_local',
  operands: 'residue',
  special: 'install',
  options: { '-g|--global': { effect: 'install_system' } },
};

/** Dependencies of a project, and what is published of it. */
const project = (system: string, own: NonNullable<Rule['subcommands']> = {}): Rule =>
  override(
    {
      effect: 'build',
      systems: [system],
      subcommands: {
        'install|add|update|upgrade|outdated-install|sync|get|restore|remove|bootstrap|init|create|new|link|lock':
          DECLARED,
        'list|show|info|outdated|search|tree|version|help|which|config|doctor|env|status': READ,
        'publish|push|upload': PUBLISH,
        'login|logout|token': ACCOUNT,
        '*': BUILD,
      },
    },
    own,
  );

const DATABASE_TASKS: NonNullable<Rule['subcommands']> = {
  'query|cli|export|size|tables|search|check': { effect: 'read', operands: 'residue' },
  'drop|reset|clean': { effect: 'database_destroy', operands: 'residue', flags: ['bulk'] },
  '*': { effect: 'database_change', operands: 'residue' },
};

/** Lanes by their usual names. */
const LANES: NonNullable<Rule['subcommands']> = {
  'test|tests|lint|scan|gym|build|screenshots|snapshot|action|actions|lanes|list|env|init|run': BUILD,
  'deliver|pilot|supply|release|beta|deploy|produce|upload_to_testflight|upload_to_app_store|firebase': PUBLISH,
  'match|cert|sigh|pem|register_devices': ACCOUNT,
  '*': { effect: 'run_unknown', operands: 'residue' },
};
const FASTLANE: Rule = { effect: 'run_unknown', operands: 'residue', subcommands: LANES };

export const LANGUAGE_TOOLS: Programs = {
  ...rows(
    'c++filt addr2line ranlib size lld gold bear ccache distcc premake premake4 iwyu include-what-you-use gcov lcov gcovr genhtml cpack pkg-config pkgconf gnustep-config llvm-cov llvm-profdata llvm-objdump llvm-nm clang-check clangd clang-query run-clang-tidy cpplint uncrustify astyle indent flex bison yacc lex swig cgo nvcc hipcc icc icx ifort opt llc wasm-opt wasm2wat wat2wasm wasm-objdump emcc em++ emcmake emmake emconfigure verilator iverilog yosys ghdl arduino-cli platformio pio west',
    BUILD,
  ),
  ...rows(
    'wasm-pack trunk cross miri bacon sccache cargo-audit cargo-deny cargo-machete clippy-driver cbindgen bindgen wasm-bindgen sea-orm-cli air wire mockgen mockery ko govulncheck gci gofumpt golines gotests stringer protoc-gen-go sqlc templ swag wails dlv gopls gotip deadcode nilaway ginkgo richgo tparse',
    BUILD,
  ),
  ...rows(
    'pytype pyre safety pip-audit radon xenon interrogate jupytext nbstripout nbqa refurb pyupgrade autoflake docformatter darglint pydoclint sphinx-apidoc sphinx-autobuild pdoc nuitka cython cythonize maturin pyinstaller setuptools-scm bump2version bumpversion bump-my-version towncrier cz commitizen cookiecutter copier kedro torchrun deepspeed accelerate memray scalene kernprof mprof snakeviz great_expectations soda pudb ty pyrefly basedpyright import-linter lint-imports deptry pip-licenses pipdeptree pycodestyle hypothesis unittest zenml metaflow prodigy spacy',
    BUILD,
  ),
  ...rows(
    'amm mill scala-cli scalafmt scalafix checkstyle pmd spotbugs google-java-format javap javadoc jdeps jlink jpackage jmod quarkus micronaut spring boot jhipster groovyc gradle-profiler ktfmt blaze buck please plz cljfmt clj-kondo boot-clj kaocha',
    BUILD,
  ),
  ...rows('csc fsharpc fsc mcs mono ilspycmd csharpier reportgenerator dotnet-coverage coverlet', BUILD),
  ...rows('rector phpmd phpcpd phpdbg infection deptrac parallel-lint captainhook grumphp phan', BUILD),
  ...rows('prove perltidy perlcritic perldoc podchecker', BUILD),
  ...rows(
    'hlint ormolu fourmolu stylish-haskell haddock hpack ghcid ocamlformat ocamlfind ocamlopt ocamlc zls selene stylua luacheck dialyzer credo erlc odin vlang ameba purs spago elm-test elm-format elm-review rescript reasonml idris2 agda coqc lean lake lean4 dafny tlc apalache z3 cvc5 minizinc',
    BUILD,
  ),
  ...rows(
    'sorbet srb solargraph steep rbs erb_lint haml-lint slim-lint bundle-audit bundler-audit license_finder debride flog flay',
    BUILD,
  ),
  ...rows(
    'ghz wrk2 hurl syncpack forever debuild dch rpmbuild makepkg fpm alien oxfmt dprint eslint_d prettierd tsgo tsd attw publint bundlesize lhci pa11y license-checker license-checker-rseidelsohn retire husky redocly spectral openapi-generator-cli orval kubb swagger-cli openapi puppeteer solhint slither vue react-native tauri neu nw lefthook yorkie remark rehype textlint alex write-good linkinator lychee markdown-link-check html-validate htmlhint djlint curlylint purgecss uglifyjs terser cleancss html-minifier csso lessc stylus pug ejs handlebars tailwind unocss postcss-cli svgr',
    BUILD,
  ),
  ...rows(
    'lua-language-server typescript-language-server rust-analyzer clojure-lsp metals jdtls omnisharp sourcekit-lsp marksman',
    BUILD,
  ),
  ...rows(
    'ctags etags cscope gtags global rtags rdm sg ast-grep comby fastmod codemod jscodeshift gopatch dagger bloop sbtn',
    BUILD,
  ),
  ...rows(
    'playwright-cli maestro appium webdriver-manager chromedriver geckodriver percy chromatic backstop loki',
    BUILD,
  ),

  // Projects with dependencies of their own.
  ...rows('conan vcpkg', project('conan')),
  ...rows('nimble shards luarocks raco mops scarb dub', project('packages')),
  opam: project('opam', { 'switch|pin|exec': BUILD, 'install|update|upgrade|remove': GLOBAL }),
  ...rows('cpan cpanm cpanp', GLOBAL),
  carton: project('cpan'),
  ...rows('pecl pear phive', {
    effect: 'unknown',
    subcommands: { 'install|upgrade|uninstall|update': GLOBAL, 'list|search|info|config-show|config-get': READ },
  }),
  nuget: project('nuget', { push: PUBLISH, delete: { ...PUBLISH, flags: ['destructive'] }, sources: DECLARED }),
  paket: project('nuget', { push: PUBLISH }),
  cake: BUILD,
  flit: project('pypi'),
  pod: project('cocoapods', {
    trunk: { ...PUBLISH, subcommands: { 'me|info': READ, push: PUBLISH, '*': ACCOUNT } },
    repo: ASK,
    'deintegrate|cache': BUILD,
    'lib|spec': BUILD,
  }),
  ...rows('carthage mint accio', project('swift')),
  ...rows('fvm melos puro', project('pub')),
  eas: {
    effect: 'build',
    subcommands: {
      'submit|update': PUBLISH,
      'login|logout|credentials|device|secret|env': ACCOUNT,
      'whoami|diagnostics|config': READ,
      '*': { effect: 'infra_change', operands: 'residue', scope: 'remote' },
    },
  },
  // A lane may stand behind the platform it is for.
  fastlane: { ...FASTLANE, subcommands: { ...LANES, 'ios|android|mac': FASTLANE } },

  // Frameworks with a command line that also reaches the database.
  ...rows('wp', {
    effect: 'unknown',
    subcommands: {
      db: { effect: 'database_change', subcommands: DATABASE_TASKS },
      'core|plugin|theme|language|package|site|post|user|option|term|comment|menu|media|role|cap|cron|transient|config|widget|rewrite':
        {
          effect: 'database_change',
          subcommands: {
            'list|get|version|check-update|verify-checksums|is-installed|status|search|path|pluck|exists|is-active':
              READ,
            'delete|empty|uninstall|destroy|drop': { effect: 'database_destroy', operands: 'residue' },
            '*': { effect: 'database_change', operands: 'residue' },
          },
        },
      'search-replace|import|maintenance-mode': {
        effect: 'database_change',
        operands: 'residue',
        options: { '--dry-run': { flags: ['dry_run'] } },
      },
      cache: BUILD,
      'eval|eval-file|shell': { effect: 'run_opaque', operands: 'residue' },
      'cli|help|profile|doctor|find|scaffold|i18n|server': BUILD,
      '*': { effect: 'unknown', operands: 'residue' },
    },
  }),
  ...rows('drush drupal magento bin/magento n98-magerun2', {
    effect: 'database_change',
    operands: 'residue',
    subcommands: {
      'status|st|core:status|pm:list|pml|config:get|cget|watchdog:show|ws|list|info|cache:status|indexer:status|indexer:info|module:status|setup:db:status|updatedb:status|updbst|sql:query-log|help|about|deploy:mode:show':
        READ,
      'cr|cache:rebuild|cache-rebuild|cache:clean|cache:flush|c:c|c:f|cc|generate|setup:di:compile|setup:static-content:deploy|dev:tests:run':
        BUILD,
      'sql:drop|sql-drop|site:install|si|setup:uninstall|entity:delete|user:cancel': {
        effect: 'database_destroy',
        operands: 'residue',
        flags: ['bulk'],
      },
      'php:eval|ev|php:cli|php|php:script|scr': { effect: 'run_opaque', operands: 'residue' },
      '*': { effect: 'database_change', operands: 'residue' },
    },
  }),
  ...rows('dotnet-ef ef', {
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
  }),
  ...rows('dbt sqlmesh', {
    effect: 'database_change',
    operands: 'residue',
    subcommands: {
      'compile|parse|ls|list|docs|debug|deps|show|clean|init|source|retry|plan|format|lint': BUILD,
      'run|build|test|seed|snapshot|run-operation|apply': { effect: 'database_change', operands: 'residue' },
      '*': { effect: 'database_change', operands: 'residue' },
    },
  }),
  ...rows('diesel', {
    effect: 'database_change',
    subcommands: {
      'prepare|print-schema|completions': BUILD,
      'database|setup': {
        effect: 'database_change',
        subcommands: {
          'drop|reset': { effect: 'database_destroy', operands: 'residue', flags: ['bulk'] },
          '*': { effect: 'database_change', operands: 'residue' },
        },
      },
      'migrate|migration': {
        effect: 'database_change',
        subcommands: {
          'add|generate|list|info|pending': BUILD,
          'revert|redo': { effect: 'database_destroy', operands: 'residue' },
          '*': { effect: 'database_change', operands: 'residue' },
        },
      },
    },
  }),
  ...rows('sidekiq rq luigi scrapy resque good_job', { effect: 'build', operands: 'residue' }),

  // The JVM's own tools.
  ...rows('jps jstack jstat jinfo jhsdb jconsole visualvm', { ...READ, scope: 'machine' }),
  ...rows('jmap jcmd', { effect: 'process_own', operands: 'residue' }),
  jar: {
    effect: 'write',
    operation: 'archive',
    operands: 'residue',
    scope: 'workspace',
    subcommands: { 'tf|tvf|-tf|-tvf': READ, '*': { effect: 'write', operands: 'residue', scope: 'workspace' } },
    options: { '-t|--list|-tf|-tvf|-d|--describe-module': { effect: 'read' }, '-C': {} },
  },
  jbang: { effect: 'run_unknown', operands: 'residue', stopAtOperand: true },

  // Apple and Android.
  xcrun: {
    effect: 'build',
    special: 'wrapped',
    stopAtOperand: true,
    values: '--sdk -sdk --toolchain',
    options: { '--find|-f|--show-sdk-path|--show-sdk-version|--show-sdk-platform-path': { effect: 'read' } },
  },
  ...rows(
    'xcpretty xcbeautify xcodegen tuist simctl agvtool actool ibtool momc codesign pkgbuild productbuild stapler install_name_tool dsymutil lipo otool dyld_info swift-format swift-demangle sourcery swiftgen periphery xcresulttool xccov xctrace instruments atos PlistBuddy',
    BUILD,
  ),
  ...rows('notarytool altool iTMSTransporter', {
    effect: 'publish',
    operands: 'residue',
    subcommands: {
      'history|info|log|wait': READ,
      'store-credentials': ACCOUNT,
      '*': PUBLISH,
    },
    options: { '--password|-p': { value: 'secret' } },
  }),
  'xcode-select': {
    effect: 'system_change',
    operands: 'residue',
    options: { '-p|--print-path|-v|--version': { effect: 'read' }, '--install': { effect: 'install_system' } },
  },
  plutil: { effect: 'read', operands: 'files', options: { '-convert|-replace|-insert|-remove': { effect: 'write' } } },
  adb: {
    effect: 'process_own',
    operands: 'residue',
    values: '-s -t -H -P',
    subcommands: {
      'devices|logcat|get-state|get-serialno|version|help|bugreport|features|jdwp': READ,
      'install|install-multiple|forward|reverse|start-server|kill-server|connect|disconnect|wait-for-device|push|pull|pair':
        { effect: 'build', operands: 'residue' },
      shell: { effect: 'run_unknown', operands: 'residue', scope: 'remote' },
      'uninstall|reboot|root|remount|sideload|restore|backup|disable-verity': {
        effect: 'system_change',
        operands: 'residue',
      },
    },
  },
  fastboot: {
    effect: 'disk_destroy',
    operands: 'residue',
    subcommands: {
      'devices|getvar|help': READ,
      'reboot|continue|boot|set_active': { effect: 'system_change', operands: 'residue' },
      '*': { effect: 'disk_destroy', operands: 'residue' },
    },
  },
  ...rows('avdmanager emulator bundletool zipalign aapt aapt2 apktool d8 apkanalyzer jadx', BUILD),
  apksigner: { effect: 'build', operands: 'residue', options: { '--ks-pass|--key-pass': { value: 'secret' } } },
  sdkmanager: { ...GLOBAL, options: { '--list|--list_installed|--version': { effect: 'read' } } },
  ...rows('rvm chruby ghcup juliaup gvm kerl', {
    effect: 'install_local',
    operands: 'residue',
    subcommands: {
      'list|ls|current|info|version|which|status': READ,
      'use|switch': { effect: 'none', operands: 'none' },
      '*': { effect: 'install_local', operands: 'residue' },
    },
  }),
  ...rows('ncu npm-check-updates', {
    effect: 'read',
    operands: 'none',
    options: { '-u|--upgrade': { effect: 'write', operation: 'upgrade' } },
  }),
  ...rows('rimraf del-cli trash-cli', {
    effect: 'delete_many',
    operation: 'delete',
    operands: 'files',
    flags: ['recursive'],
  }),
  ...rows('vllm llamafile llama-cli llama-server text-generation-launcher localai', {
    effect: 'build',
    operands: 'residue',
  }),
  ollama: {
    effect: 'build',
    operands: 'residue',
    subcommands: {
      'list|ls|ps|show|help': READ,
      'run|serve|stop|create|start': BUILD,
      pull: { effect: 'fetch', operands: 'residue' },
      push: PUBLISH,
      'rm|cp': { effect: 'write', operands: 'residue', scope: 'home', flags: ['regenerable'] },
    },
  },
  ...rows('matlab octave-cli sage maxima wolframscript scilab', { effect: 'build', operands: 'residue' }),
};
