// Compilers, test runners, linters, formatters, servers of one's own: work inside the project.

import { type Programs, type Rule, rows } from './rule.ts';

const BUILD: Rule = { effect: 'build', operands: 'none', directory: '--cwd' };
const CHECK: Rule = {
  effect: 'build',
  operands: 'none',
  directory: '--cwd',
  options: { '--fix|--write|-w|--apply|-i|--in-place': {} },
};

export const BUILDS: Programs = {
  ...rows('make gmake bmake', {
    effect: 'build',
    special: 'make',
    directory: '-C --directory',
    values: '-f --file --makefile -j --jobs -l -o -W -I --eval -E',
    options: {
      '-n|--dry-run|--just-print|--recon': { flags: ['dry_run'] },
      '-p|--print-data-base': {},
      '-B|-k|-s|-i|-e': {},
    },
  }),
  mix: { effect: 'build', operands: 'residue', special: 'build-target' },
  ...rows('just task rake invoke inv nox doit mage earthly grunt gulp', {
    effect: 'build',
    operands: 'residue',
    special: 'build-target',
    directory: '-d --working-directory --dir --directory -C',
    projectFile: '-f --justfile --file -t --taskfile --gulpfile --gruntfile',
    options: { '-l|--list|--summary|-T': { effect: 'read' }, '-n|--dry-run|--dry': { flags: ['dry_run'] } },
  }),
  ...rows(
    'bazel bazelisk buck2 pants scons autoconf automake configure autoreconf libtool qmake xmake premake5 msbuild xcodebuild swift swiftc fastlane-build',
    BUILD,
  ),
  cmake: { ...BUILD, special: 'cmake', values: '-S -B -G -D -C -P --build --install --target -j -t' },
  ...rows('ninja samu meson', { ...BUILD, directory: '-C' }),
  ...rows(
    'gcc g++ cc c++ clang clang++ ld ar as nm objdump readelf ldd strip rustc javac kotlinc scalac ghc ocaml dune zig nim crystal v dmd gdc gfortran fpc nasm yasm tsc tsx ts-node swc babel esbuild rollup webpack vite parcel next nuxt astro remix gatsby svelte-kit storybook sass postcss tailwindcss protoc buf thrift flatc solc erl sphinx-build mkdocs hugo jekyll eleventy vuepress vitepress docusaurus typedoc jsdoc doxygen pandoc latexmk pdflatex xelatex bibtex asciidoctor ng vue-tsc vue-cli-service react-scripts metro ionic electron electron-builder pkg ncc unbuild tsup bunchee python-build python-compile ruff black isort autopep8 yapf mypy pyright pylint flake8 pyflakes bandit vulture pydocstyle eslint tslint standard xo prettier biome stylelint markdownlint markdownlint-cli2 oxlint rubocop standardrb reek brakeman golangci-lint staticcheck gosec revive errcheck shellcheck shfmt hadolint yamllint actionlint ansible-lint tflint tfsec checkov trivy grype syft snyk semgrep sonar-scanner codespell cspell vale proselint commitlint lint-staged pre-commit phpunit phpstan psalm php-cs-fixer phpcs phpcbf pest ktlint detekt swiftlint swiftformat clang-format clang-tidy cppcheck valgrind strace-file perf-stat jest vitest mocha ava tap jasmine karma cypress playwright testcafe nightwatch wdio c8 nyc codecov-local pytest py.test tox nose2 nosetests coverage behave robot locust rspec cucumber minitest ctest gtest bats busted stack-test cargo-nextest gotestsum go-junit-report artillery k6 lighthouse size-limit depcheck madge knip ts-prune dpdm jscpd cloc tokei scc graphviz dot plantuml mmdc turbo nx lage wireit moon npm-run-all run-s run-p cross-env-shell nodemon tsc-watch wait-on browser-sync json-server uvicorn gunicorn hypercorn daphne rails-server puma unicorn streamlit gradio jupyter jupyter-lab jupyter-notebook ipython ipython3 nbconvert papermill dvc mlflow tensorboard convert magick identify mogrify-read ffprobe exiftool optipng pngquant svgo gifsicle sox jq-lint openapi-generator swagger-codegen graphql-codegen openapi-typescript prisma-generate',
    CHECK,
  ),
  ...rows('http-server serve live-server darkhttpd miniserve', {
    effect: 'build',
    operands: 'none',
    special: 'serve',
    values: '-p --port -l --listen -a -b --bind --directory -d -c --cors -P --host -i',
  }),
  ...rows('gdb lldb', {
    effect: 'build',
    special: 'debugger',
    operands: 'none',
    longSingleDash: true,
    values: '-ex -iex -x -ix -c -core -s -o -O -b-command -p -pid --pid --eval-command --command --core -k',
  }),
  ...rows('hyperfine concurrently', {
    effect: 'build',
    special: 'lines',
    values:
      '-n -r -w -m -M -p -c -s -L -P -u -i --runs --warmup --min-runs --max-runs --prepare --setup --cleanup --parameter-scan --parameter-list --export-json --export-markdown --export-csv --names --shell -l --max-processes --prefix --prefix-colors --kill-others-on-fail --success',
  }),
  ...rows('wrk ab hey vegeta bombardier oha siege', {
    effect: 'build',
    special: 'load',
    values: '-n -c -t -d -z -s -H -m -T -p -q -b -r --duration --connections --threads -w -A -C -P -X -i -f -e -k',
  }),
  ...rows('ipython ipython3', { effect: 'run_opaque', special: 'interpreter', tool: 'python' }),
  ...rows('tsx ts-node', { effect: 'build', special: 'interpreter', tool: 'node' }),
  'cross-env': { effect: 'build', special: 'wrapped-assignments', stopAtOperand: true },
  nodemon: {
    effect: 'build',
    special: 'nodemon',
    stopAtOperand: true,
    values: '-w --watch -e --ext -i --ignore -x --exec',
  },
  ...rows('ffmpeg convert magick mogrify', { effect: 'write', operands: 'residue', scope: 'workspace' }),
  ...rows('java', { effect: 'run_unknown', special: 'java' }),
  prisma: {
    effect: 'build',
    systems: ['database'],
    values: '--schema',
    subcommands: {
      'generate|format|validate|studio|version|init': BUILD,
      migrate: {
        effect: 'database_change',
        operands: 'residue',
        subcommands: {
          'dev|deploy|resolve': { effect: 'database_change', operands: 'residue' },
          'status|diff': { effect: 'read', operands: 'none' },
          reset: { effect: 'database_destroy', operands: 'residue', flags: ['bulk'] },
        },
      },
      db: {
        effect: 'database_change',
        operands: 'residue',
        subcommands: {
          pull: { effect: 'read' },
          'push|seed|execute': {
            effect: 'database_change',
            operands: 'residue',
            options: { '--force-reset|--accept-data-loss': { effect: 'database_destroy', flags: ['force', 'bulk'] } },
          },
        },
      },
    },
  },
  ...rows('alembic flyway liquibase dbmate knex sequelize sequelize-cli typeorm drizzle-kit atlas migrate sqitch', {
    effect: 'database_change',
    operands: 'residue',
    systems: ['database'],
    // Only writes down what it would say to the database.
    options: {
      '--sql|--dry-run|--dry_run|--pretend|--plan': { flags: ['dry_run'] },
      // Whatever the new schema has no place for goes.
      '--force|--accept-data-loss|--allow-destructive': { effect: 'database_destroy', flags: ['force'] },
    },
    subcommands: {
      'history|current|heads|branches|show|info|status|list|validate|version|generate|revision|create|new|make|migrate:make|migrate:list|migrate:status|migration:generate|check|up-status|init|plan|diff|dump|introspect|studio':
        { effect: 'build', operands: 'residue' },
      'upgrade|up|migrate|latest|migrate:latest|migrate:up|db:migrate|migration:run|update|apply|deploy|push|seed:run|db:seed|stamp':
        { effect: 'database_change', operands: 'residue' },
      'downgrade|down|rollback|undo|clean|drop|drop-all|rollback-count|revert|db:drop|db:migrate:undo|db:migrate:undo:all|migrate:rollback|migration:revert|reset|fix|schema:drop|dropAll':
        { effect: 'database_destroy', operands: 'residue' },
    },
  }),
  ...rows('rails bin/rails django-admin artisan', { effect: 'build', operands: 'residue', special: 'framework-task' }),
  ...rows('apply_patch applypatch', { effect: 'write', special: 'apply-patch' }),
  patch: {
    effect: 'write',
    operation: 'patch',
    special: 'patch-program',
    values: '-p -o -B -z -F',
    directory: '-d --directory',
    options: { '-i|--input': { value: 'read' }, '--dry-run': { flags: ['dry_run'] } },
  },
  tar: { effect: 'write', special: 'tar' },
  ...rows('bsdtar gtar', { effect: 'write', special: 'tar' }),
  ...rows('zip 7z 7za rar', { effect: 'write', operation: 'archive', operands: 'residue', special: 'archive' }),
  ...rows('unzip unrar', { effect: 'write', operation: 'extract', special: 'unzip' }),
  ...rows(
    'gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd lz4 compress uncompress pigz 7zr zpaq lzip lzop pbzip2 lbzip2 plzip brotli lzma lrzip unlz4 unlzma pixz pzstd snzip',
    {
      effect: 'write',
      operation: 'compress',
      operands: 'files',
      special: 'compress',
      values: '-o --output -T',
      options: {
        '-l|--list|-t|--test': { effect: 'read' },
        '-c|--stdout|--to-stdout': { effect: 'read' },
        '-k|--keep': {},
        '-d|--decompress': {},
      },
    },
  ),
};
