// Packages: what a name stands for, where it comes from, and whether a registry stands behind it.

import { literal } from '../../shell/values.ts';
import { fileTarget, plainTarget } from '../draft.ts';
import { scopeOf } from '../paths.ts';
import { byRule, emit, emitNone, emitOptionFiles, has, optionValue, residueOf, type Special, target } from './call.ts';
import { COREUTILS } from './coreutils.ts';
import { plant } from './plant.ts';
import { PROGRAM_NAMES } from './program-names.ts';

/** A package named by where it lies. */
const FROM_ADDRESS =
  /^(?:[\w.-]+\s*@\s*)?(?:git\+|https?:|ssh:|git:|git@|file:\/\/(?!\.)|github:|gitlab:|bitbucket:|gist:)/;
/** `owner/repository`, as npm takes it. */
const SHORTHAND = /^[\w-]+\/[\w.-]+(?:#.*)?$/;
const NODE_RUNNER = /^(?:npx|pnpx|bunx|npm|pnpm|yarn|bun|cnpm)$/;

/** `npx tool`: a tool of the tables is judged as itself, anything else comes from a registry and runs. */
const packageExec: Special = (call) => {
  const script = optionValue(call, '-c');
  if (script) return call.walk.text(script.text, call.invocation.state, call.invocation.frame);
  const [name, ...rest] = call.given.operands;
  if (!name) return emitNone(call);
  // A whole line is handed to a shell.
  if (/\s/.test(name.text) && NODE_RUNNER.test(call.tool))
    return call.walk.text(name.text, call.invocation.state, call.invocation.frame);
  const plain = name.text.replace(/(?<=.)@[^/]*$/, '');
  const versioned = /^(?:[\w.-]+)@(?:latest|next|canary|[\d.^~x]+)$/.test(name.text);
  if (PROGRAM_NAMES.has(plain) && ((name.known && plain === name.text) || versioned)) {
    const out = call.walk.words([literal(plain), ...rest], call.invocation.state, call.invocation.frame);
    // A registry has programs by the names of the system's own, and they may not be those.
    if (!Object.hasOwn(COREUTILS, plain)) return out;
  }
  const sources = [
    name,
    ...['-p', '--package', '--from', '--spec'].flatMap((option) => call.given.options.get(option) ?? []),
  ];
  // No registry stands behind it: whatever lies there now is fetched and run.
  const foreign = sources.some(
    (word) => FROM_ADDRESS.test(word.text) || (NODE_RUNNER.test(call.tool) && SHORTHAND.test(word.text)),
  );
  emit(call, {
    effect: foreign ? 'run_opaque' : 'run_unknown',
    operation: 'exec',
    targets: [plainTarget(`package:${name.text}`)],
    flags: [foreign ? 'from_url' : 'from_registry'],
    residue: [...residueOf(call, rest)],
  });
  return { origins: ['file'] };
};

/** Registries everybody uses, and names that only one's own network knows. */
export const KNOWN_INDEX =
  /^https:\/\/(?:(?:test\.)?pypi\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|(?:proxy|sum)\.golang\.org|goproxy\.io|(?:index|static)\.crates\.io|rubygems\.org|npm\.pkg\.github\.com|download\.pytorch\.org|pypi\.nvidia\.com|[\w.-]+\.(?:internal|corp|lan|intra|local))(?=[/:]|$)|^https?:\/\/(?:localhost|127\.0\.0\.1)(?=[/:]|$)/;

const install: Special = (call) => {
  emitOptionFiles(call);
  // Every script of every package would be given to it.
  const shell = call.args.find(
    (arg, index) => /^--script-shell(?:=|$)/.test(arg.text) && (arg.text.includes('=') || call.args[index + 1]),
  );
  if (shell) call.walk.judge.opaque('script shell', shell.text, [], call.invocation.frame);
  const { operands } = call.given;
  const flags: string[] = [];
  const foreign = operands.some(
    (word) => FROM_ADDRESS.test(word.text) || (NODE_RUNNER.test(call.tool) && SHORTHAND.test(word.text)),
  );
  // Fetched in this very line, it is no more than its address.
  const fetched = operands.some((word) =>
    call.invocation.state.files.get(target(call, word).id)?.origins.includes('download'),
  );
  const lists = ['-r', '-c', '-f'].flatMap((name) => call.given.options.get(name) ?? []);
  if (foreign || fetched || lists.some((word) => FROM_ADDRESS.test(word.text))) flags.push('from_url');
  if (operands.some((word) => !word.known)) flags.push('unresolved_target');
  const into = call.rule.directory === undefined ? ['-t', '--target', '--prefix', '--root'] : [];
  const placed = into.flatMap((name) => call.given.options.get(name) ?? []).map((word) => target(call, word));
  const outside = placed.some(
    ({ id, known }) => !known || (id.startsWith('file:') && scopeOf(id.slice(5), call.meaning.where) === 'system'),
  );
  const index = ['-i', '--index-url', '--extra-index-url', '--index', '--default-index', '--registry']
    .map((name) => optionValue(call, name)?.text)
    .find((url) => url !== undefined);
  if (index !== undefined && !KNOWN_INDEX.test(index)) flags.push('foreign_index');
  if (has(call, '-r') || operands.length === 0 || operands.every((word) => /^[./]/.test(word.text)))
    flags.push('declared', 'pinned');
  const effect = outside && call.effect === 'install_local' ? 'install_system' : call.effect;
  const kind = call.rule.operands?.startsWith('name:') ? call.rule.operands.slice(5) : 'package';
  emit(call, {
    effect,
    targets: operands.map((word) => ({
      id: /^[./~]/.test(word.text)
        ? fileTarget(word, call.invocation.state.cwd, call.meaning.where).id.replace(/^file:/, 'package:file:')
        : `${kind}/${word.text}`,
      known: word.known,
      glob: false,
    })),
    flags,
    residue: residueOf(call),
  });
  return { origins: ['file'] };
};

/** `nix run github:owner/x`, `nix develop -c cmd`: a flake of this folder or of the registry is the project's own choice. */
const flake: Special = (call) => {
  const at = call.args.findIndex((arg) => /^(?:-c|--command)$/.test(arg.text));
  const inner = at < 0 ? [] : call.args.slice(at + 1);
  const foreign = call.args.slice(0, at < 0 ? undefined : at).some((arg) => FROM_ADDRESS.test(arg.text));
  const runs = foreign || (call.operation === 'run' && call.given.operands.some((word) => /^[\w-]+#/.test(word.text)));
  emit(call, {
    ...(runs && { effect: foreign ? ('run_opaque' as const) : ('run_unknown' as const) }),
    residue: [call.args.map((arg) => arg.text).join('\0')],
  });
  if (inner.length > 0) return call.walk.words(inner, call.invocation.state, call.invocation.frame);
  return { origins: ['file'] };
};

/** `npm pkg set scripts.NAME=LINE` is an edit of `package.json`. */
const packageSet: Special = (call) => {
  const lines = call.given.operands.flatMap(({ text }) => {
    const [, name, line] = /^scripts\.([\w:.-]{1,80})=([\s\S]{1,4000})$/.exec(text) ?? [];
    return name === undefined ? [] : [`${JSON.stringify(name)}: ${JSON.stringify(line)}`];
  });
  const file = target(call, literal('package.json'));
  plant(call.meaning, file, lines.join(',\n'), call.invocation.frame, '');
  return byRule(call);
};

export const PACKAGE_SPECIALS: { readonly [name: string]: Special } = {
  'package-exec': packageExec,
  install,
  flake,
  'package-set': packageSet,
};
