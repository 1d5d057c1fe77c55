// Programs whose arguments name another program, package, script or task.

import { withBound } from '../../shell/frame.ts';
import { type Arg, forkState, literal, type Stream } from '../../shell/values.ts';
import { readCode } from '../code.ts';
import { plainTarget } from '../draft.ts';
import { readPatch } from '../patch.ts';
import { resolvePath } from '../paths.ts';
import type { Effect } from '../types.ts';
import {
  byRule,
  type Call,
  emit,
  emitNone,
  emitOptionFiles,
  has,
  optionValue,
  residueOf,
  SILENT,
  type Special,
  target,
} from './call.ts';
import { framework, ofTests } from './special-framework.ts';
import { KNOWN_INDEX } from './special-packages.ts';
import { ansibleStage } from './special-provision.ts';
import { runFile } from './special-shells.ts';
import { inherited, passing } from './surroundings.ts';
import { readBuildFile } from './unseen.ts';

/** Options of those below by which the program that is run starts in another directory. */
const DIRECTORY = ['--working-directory', '--directory', '--dir', '--cwd', '--chdir', '-C'];

const wrapped: Special = (call) => {
  emitOptionFiles(call);
  const words = call.given.operands;
  if (words.length === 0) return emitNone(call);
  const state = inherited(call.invocation);
  const frame = withBound(call.invocation.frame, ...residueOf(call));
  // The rule's own were entered before.
  const folder = call.rule.directory === undefined ? directoryOf(call) : undefined;
  if (folder === undefined) return call.walk.words(words, state, frame);
  const inside = forkState(state);
  call.walk.words([literal('cd'), folder], inside, frame);
  return call.walk.words(words, inside, frame);
};

function directoryOf(call: Call): Arg | undefined {
  for (const name of DIRECTORY) {
    const value = optionValue(call, name);
    if (value) return value;
  }
  // A service starts at the root of the machine.
  return call.tool === 'systemd-run' && !has(call, '-d') && !has(call, '--same-dir') ? literal('/') : undefined;
}

const wrappedAssignments: Special = (call) => {
  const words = call.given.operands;
  const at = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word.text));
  if (at > 0) call.walk.judge.run({ ...call.invocation, words: [literal('export'), ...words.slice(0, at)] }, call.walk);
  return at < 0 ? emitNone(call) : call.walk.words(words.slice(at), call.invocation.state, call.invocation.frame);
};

/** Secrets handed to one process. */
const wrappedSecret: Special = (call) => {
  const words = call.given.operands.filter((word) => word.text !== '--');
  emit(call, { targets: [], residue: residueOf(call), flags: ['to_process'] });
  const inner = call.given.separator === undefined ? words : call.given.operands.slice(call.given.separator);
  return inner.length === 0 ? SILENT : call.walk.words(inner, call.invocation.state, call.invocation.frame);
};

const packageInit: Special = (call) => {
  const name = call.given.operands[0];
  if (!name) emit(call, { effect: 'write', operation: 'init', scope: 'workspace' });
  else
    emit(call, {
      targets: [plainTarget(`package:create-${name.text}`)],
      residue: residueOf(call, call.given.operands.slice(1)),
    });
  return SILENT;
};

/** The project's own scripts, as the repository holds them. A name that says more is told. */
const OUTWARD = /(?:^|[:_-])(?:deploy|publish|release|ship|promote|rollout|destroy|teardown|nuke)(?:$|[:_-])/i;

const script: Special = (call) => {
  const name = call.given.operands[0]?.text ?? call.operation;
  const task = call.given.operands.map((word) => word.text).join('\0');
  const outward = OUTWARD.test(name);
  emit(call, {
    effect: outward ? 'run_unknown' : EMPTIES.test(name) ? 'database_destroy' : call.effect,
    residue: [task, ...residueOf(call)],
    flags: ['project_script', ...(outward ? ['outward_script'] : [])],
  });
  return { origins: ['file'] };
};

const make: Special = (call) => {
  const goals = call.given.operands.filter((word) => !/^\w+[:+?]?=/.test(word.text));
  const settings = call.given.operands.filter((word) => /^\w+[:+?]?=/.test(word.text));
  for (const word of settings) {
    // `make SHELL=…` and friends replace what runs.
    if (
      /^(?:SHELL|CC|CXX|LD|AR|MAKEFLAGS)=.*[;|&`$]/.test(word.text) ||
      /^(?:SHELL|CC|CXX|LD|AR)=(?:\.{0,2}\/)(?!usr\/|bin\/|opt\/)/.test(word.text)
    )
      call.walk.judge.opaque('make', word.text, word.origins, call.invocation.frame);
    // `CC='sh -c …'` is what each recipe that compiles starts.
    const command = /^(?:SHELL|CC|CXX|CPP|LD|AR|AS|RM|PYTHON|NODE)=(.*\s.*)$/s.exec(word.text)?.[1];
    if (command !== undefined) call.walk.text(command, forkState(call.invocation.state), call.invocation.frame);
  }
  for (const rule of call.given.options.get('--eval') ?? [])
    readBuildFile('Makefile', rule.text, call.invocation, call.walk, call.meaning);
  const given = optionValue(call, '-f') ?? optionValue(call, '--file') ?? optionValue(call, '--makefile');
  const { stdin } = call.invocation.frame;
  if (given?.text === '-' || given?.text === '/dev/stdin') {
    if (stdin.text === undefined) call.walk.judge.opaque('make', '', stdin.origins, call.invocation.frame);
    else readBuildFile('Makefile', stdin.text, call.invocation, call.walk, call.meaning);
  } else if (given && (given.origins.length > 0 || given.text === '/dev/fd/$')) {
    call.walk.judge.opaque('make', given.text, given.origins, call.invocation.frame);
  } else if (given) {
    const written = call.invocation.state.files.get(target(call, given).id);
    if (written?.text !== undefined) readBuildFile('Makefile', written.text, call.invocation, call.walk, call.meaning);
    else if (written || passing(call.invocation, call.meaning.where, given.text))
      call.walk.judge.opaque('make', given.text, written?.origins ?? [], call.invocation.frame);
  }
  const system = goals.some((word) => /^(?:install|uninstall|modules_install)$/.test(word.text));
  const local = settings.some((word) => /^(?:DESTDIR|PREFIX|prefix)=(?!\/(?:usr|opt|etc)?\/?$)/.test(word.text));
  const outward = goals.some((word) => OUTWARD.test(word.text));
  emit(call, {
    effect:
      system && !local
        ? 'install_system'
        : outward
          ? 'run_unknown'
          : (databaseTask(
              call,
              goals.map((word) => word.text),
            ) ?? 'build'),
    operation: 'make',
    residue: [call.given.operands.map((word) => word.text).join('\0'), ...residueOf(call)],
    flags: ['project_script', ...(outward ? ['outward_script'] : [])],
  });
  return { origins: ['file'] };
};

const LOSES =
  /^(?:db:(?:drop|reset|purge|rollback|schema:load|setup|migrate:(?:down|reset|redo|undo\S*)|truncate_all|seed:replant|wipe|fresh)|ecto\.(?:drop|reset|rollback)|migrate:(?:fresh|reset|rollback|refresh))(?::|$)/;
const FILLS =
  /^(?:db:(?:migrate|seed|prepare|create|push|schema:dump)|ecto\.(?:migrate|create|setup|load)|migrate|flyway\w+|liquibase:update)(?::|$)/;
/** Names that say the same, for scripts of a project's own. */
const EMPTIES =
  /(?:^|[:_-])(?:db|database)[:_-](?:drop|reset|wipe|nuke|purge|fresh)(?:$|[:_-])|(?:^|[:_-])(?:drop|reset|wipe|nuke|purge)[:_-](?:db|database)(?:$|[:_-])/i;

/** Tasks on a database, by the names that frameworks give them. */
function databaseTask(call: Call, goals: readonly string[]): Effect | undefined {
  if (goals.some((goal) => LOSES.test(goal) || EMPTIES.test(goal)))
    return ofTests(call) ? 'database_change' : 'database_destroy';
  return goals.some((goal) => FILLS.test(goal)) ? 'database_change' : undefined;
}

const buildTarget: Special = (call) => {
  const goals = call.given.operands.map((word) => word.text);
  const publishes = goals.some(
    (goal) =>
      /(?:^|:)(?:deploy|publish\w*|release|uploadArchives|site-deploy|bintrayUpload)$/i.test(goal) &&
      !/ToMavenLocal|Local$/i.test(goal),
  );
  const outward = goals.some((goal) => OUTWARD.test(goal));
  const mature = /^(?:mvnw?|gradlew?|sbt)$/.test(call.tool);
  const effect = publishes && mature ? 'publish' : outward ? 'run_unknown' : (databaseTask(call, goals) ?? call.effect);
  emit(call, {
    effect,
    residue: [goals.join('\0'), ...residueOf(call)],
    flags: ['project_script', ...(outward ? ['outward_script'] : [])],
  });
  return { origins: ['file'] };
};

const goRun: Special = (call) => {
  const word = call.given.operands[0];
  const { stdin } = call.invocation.frame;
  const given = word?.text === '-' || word?.text === '/dev/stdin';
  if (given && stdin.text !== undefined) return readCode('go', stdin.text, call.invocation, call.walk, call.meaning);
  if (word && (given || word.origins.includes('download')))
    call.walk.judge.opaque('go run', word.text, given ? stdin.origins : word.origins, call.invocation.frame);
  // Written in this very line, it is judged by what was written.
  const source = word && /\.go$/.test(word.text) ? target(call, word) : undefined;
  const written = source && call.invocation.state.files.get(source.id);
  if (written?.text !== undefined) return readCode('go', written.text, call.invocation, call.walk, call.meaning);
  if (source && word && (written || passing(call.invocation, call.meaning.where, word.text)))
    call.walk.judge.opaque('go run', word.text, written?.origins ?? [], call.invocation.frame);
  const remote = word && /^[\w-]+\.[\w.-]+\//.test(word.text);
  emit(
    call,
    remote
      ? {
          effect: 'run_unknown',
          operation: 'run',
          targets: [plainTarget(`package:go/${word.text}`)],
          flags: ['from_registry'],
          residue: residueOf(call, call.given.operands.slice(1)),
        }
      : { effect: 'build', operation: 'run', residue: residueOf(call, call.given.operands), flags: ['project_script'] },
  );
  return { origins: ['file'] };
};

const java: Special = (call) => {
  const at = call.args.findIndex((arg) => arg.text === '-jar');
  const file = at >= 0 ? call.args[at + 1] : call.args.find((arg) => /\.(?:java|jar)$/.test(arg.text));
  if (file)
    return runFile(
      call.invocation,
      call.walk,
      call.meaning,
      file,
      call.args.slice(call.args.indexOf(file) + 1),
      'java',
    );
  if (call.args.every((arg) => /^-+(?:version|help|h|\?)$/.test(arg.text))) return emitNone(call, 'help');
  emit(call, { effect: 'build', operation: 'run', residue: residueOf(call, call.args) });
  return { origins: ['file'] };
};

const nodemon: Special = (call) => {
  const command = optionValue(call, '-x');
  if (command) return call.walk.text(command.text, call.invocation.state, call.invocation.frame);
  const file = call.given.operands[0];
  return file
    ? runFile(call.invocation, call.walk, call.meaning, file, call.given.operands.slice(1), 'node')
    : byRule(call);
};

const multiplexer: Special = (call) => {
  const words = call.args;
  if (
    words.length === 0 ||
    /^(?:ls|list-sessions|list|-ls|attach|a|detach|kill-session|kill-server|-r|-x|-V)$/.test(words[0]?.text ?? '')
  )
    return emitNone(call);
  const text =
    words.filter((word) => / |^(?:rm|sh|bash|curl|git|npm|python|node)\b/.test(word.text)).at(-1) ?? words.at(-1);
  const at = words.findIndex((word) =>
    /^(?:new|new-session|neww|new-window|split-window|respawn-pane|send-keys|send|run-shell|run|-dm|-dmS|-X)$/.test(
      word.text,
    ),
  );
  if (text && at >= 0) call.walk.text(text.text, call.invocation.state, call.invocation.frame);
  emit(call, { effect: 'run_unknown', residue: [words.map((word) => word.text).join('\0')] });
  return { origins: ['file'] };
};

/** `su -c text user`. */
const su: Special = (call) => {
  const command = optionValue(call, '-c');
  const user = call.given.operands.find((word) => word.text !== 'root');
  const frame = withBound(call.invocation.frame, ...(user ? [`user ${user.text}`] : []));
  if (command)
    return call.walk.text(command.text, call.invocation.state, { ...frame, flags: [...frame.flags, 'via_sudo'] });
  emit(call, {
    operation: 'elevate',
    flags: ['via_sudo'],
    targets: call.given.operands.slice(0, 1).map((word) => plainTarget(`user:${word.text}`)),
  });
  return { origins: ['file'] };
};

/** `ansible HOSTS -m shell -a TEXT` runs the text there. */
const ansible: Special = (call) => {
  const text = optionValue(call, '-a');
  const module = optionValue(call, '-m')?.text ?? (text ? 'command' : '');
  const runs = /^(?:ansible\.builtin\.)?(?:shell|command|raw)$/.test(module) && !call.flags.includes('dry_run');
  if (runs && text) {
    const { state, frame } = call.invocation;
    const inside = forkState(state);
    inside.cwd = undefined;
    const remote = `host:${call.given.operands[0]?.text ?? ''}`;
    call.walk.text(text.text, inside, { ...frame, remote, flags: [...new Set([...frame.flags, 'remote'])] });
  }
  return byRule(ansibleStage(call, module));
};

function emitPatch(call: Call, text: string): Stream {
  const folder = call.invocation.state.cwd;
  const where = {
    ...call.meaning.where,
    cwd: folder === undefined ? undefined : resolvePath(folder, undefined, call.meaning.where.home),
  };
  try {
    for (const draft of readPatch(text, where, 'patch', call.meaning.line))
      emit(call, { ...draft, flags: draft.flags });
  } catch {
    call.walk.judge.opaque('patch', text, [], call.invocation.frame);
  }
  return SILENT;
}

/** Whether it trusts what it fetches, or starts what nobody saw. */
const TRUSTS =
  /(?:strict-?ssl|enable-?strict-?ssl|ssl-?verify|http-ssl-verify|secure-http|verify-?certs?|verify[-_]tls|check-?revoke)\W+(?:false|0|off|no)\b|trusted-host|insecure-registr|allow-insecure|unsafe-perm\W+true|disable-tls\W+true|no-?check-?certificate|ignore-?ssl/i;

/** Settings that name what every script is given to, or what every start loads; a plain shell, a size, or the place where Yarn itself puts Yarn is none. */
const LOADS =
  /(?:^|\s)(?:script-?shell[\s=]+(?!(?:(?:\/usr|\/usr\/local|\/opt\/homebrew)?\/bin\/|[A-Z]:\\[^\n]{0,200}\\)?(?:(?:ba|z|da|k|fi)?sh|pwsh|powershell|cmd)(?:\.exe)?['"]?(?:\s|$))\S|(?:onload-?script|init-?module|git|yarn-?path(?![\s=]+['"]?(?:\.\/)?\.yarn\/releases\/yarn-[\w.-]{1,40}\.c?js\b)|global-?pnpmfile|rustc-?wrapper)[\s=]+['"]?\S{0,200}[/\\]|node-?options[\s=].{0,400}--?(?:r|require|import|loader|experimental-loader)\b)/i;

const toolSetting: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join(' ');
  const source =
    /(?:registry(?:-?server)?|index-?url|index|find-links|source|mirror(?:\.\S{1,80})?)[\s=]+(\w+:\/\/\S+)/i.exec(
      text,
    )?.[1];
  // From where everything is installed that follows.
  const loads = LOADS.test(text) && call.operation !== 'get';
  if ((loads || (source !== undefined && !KNOWN_INDEX.test(source))) && !TRUSTS.test(text)) {
    emit(call, { effect: 'schedule', residue: [text] });
    return SILENT;
  }
  if (!TRUSTS.test(text)) return byRule(call);
  emit(call, { effect: 'security_disable', residue: [text] });
  return SILENT;
};

const applyPatch: Special = (call) => {
  const text = call.given.operands[0]?.text ?? call.invocation.frame.stdin.text;
  if (text === undefined) {
    call.walk.judge.opaque('patch', '', call.invocation.frame.stdin.origins, call.invocation.frame);
    return SILENT;
  }
  return emitPatch(call, text);
};

const patchProgram: Special = (call) => {
  emitOptionFiles(call);
  const { stdin } = call.invocation.frame;
  if (stdin.text !== undefined && !has(call, '-i')) return emitPatch(call, stdin.text);
  const files = call.given.operands.slice(0, 1).map((word) => target(call, word));
  emit(call, {
    targets: files,
    scope: files.length === 0 ? 'workspace' : undefined,
    flags: ['unresolved_target'],
    residue: residueOf(call),
  });
  return SILENT;
};

/** `git apply`, `git am`: a patch that this line shows is what it changes; one that was fetched changes nobody knows what. */
const gitPatch: Special = (call) => {
  const out = byRule(call);
  const looks = ['--check', '--stat', '--numstat', '--summary', '--abort', '--quit', '--skip', '--continue'];
  if (call.args.some(({ text }) => looks.includes(text))) return out;
  const { stdin } = call.invocation.frame;
  const files = call.given.operands.map((word) => call.invocation.state.files.get(target(call, word).id));
  for (const patch of call.given.operands.length > 0 ? files : [stdin]) {
    if (patch?.text !== undefined) emitPatch(call, patch.text);
    else if (patch?.origins.includes('download'))
      emit(call, { effect: 'write', operation: 'apply', flags: ['unresolved_target', 'from_network'], residue: [] });
  }
  return out;
};

export const RUN_SPECIALS: { readonly [name: string]: Special } = {
  wrapped,
  'wrapped-assignments': wrappedAssignments,
  'wrapped-secret': wrappedSecret,
  'package-init': packageInit,
  script,
  make,
  'build-target': buildTarget,
  'framework-task': framework,
  ansible,
  'go-run': goRun,
  java,
  nodemon,
  multiplexer,
  su,
  'tool-setting': toolSetting,
  'apply-patch': applyPatch,
  'patch-program': patchProgram,
  'git-patch': gitPatch,
};
