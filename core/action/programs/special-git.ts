// Git commands whose meaning no table row holds: which branch a push changes, what a reset or checkout throws away.

import { type Arg, forkState, literal, type Stream } from '../../shell/values.ts';
import { type DraftTarget, plainTarget } from '../draft.ts';
import { placeOf } from '../places.ts';
import { readUrl } from '../urls.ts';
import { markFolder } from './brought.ts';
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
import { config } from './git-settings.ts';
import { outsideWorkspace } from './surroundings.ts';

const PROTECTED =
  /^(?:main|master|trunk|production|prod|stable|develop|gh-pages|release(?:[/_.-].*)?|hotfix\/.*|v?\d+\.\d+(?:\.x)?)$/;

export function isProtectedBranch(name: string): boolean {
  return PROTECTED.test(name);
}

/** `origin`, or the repository behind an address, without user or password. */
function remoteName(word: Arg | undefined): string {
  if (!word) return 'origin';
  if (!word.known) return word.text;
  const { text } = word;
  const scp = /^(?:[^@/\s]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(text);
  if (scp) return `${scp[1]}/${(scp[2] as string).replace(/\.git$/, '')}`;
  const url = /^[a-z+]+:\/\//i.test(text) ? readUrl(text) : undefined;
  return url ? `${url.host}${url.path.replace(/\.git$/, '')}` : text;
}

const push: Special = (call) => {
  startsOther(call);
  const { where } = call.meaning;
  const [remoteWord, ...refs] = call.given.operands;
  const named = remoteWord ?? optionValue(call, '--repo') ?? literal('origin');
  // Pointed elsewhere in this very line.
  const moved = named.known ? call.invocation.state.files.get(`remote:${named.text}`)?.text : undefined;
  const remote = remoteName(moved === undefined ? named : literal(moved));
  let forced = call.flags.includes('force') || has(call, '--mirror') || (has(call, '--prune') && refs.length > 0);
  let deletes = has(call, '-d');
  const targets: DraftTarget[] = [];
  const sources: string[] = [];
  const flags = new Set<string>(['remote']);
  const addBranch = (name: string, known: boolean) => {
    if (name === '') flags.add('branch_unknown');
    if (!known) flags.add('branch_unknown');
    if (isProtectedBranch(name)) flags.add('protected_branch');
    targets.push({ id: `branch:${remote}/${name === '' ? '?' : name}`, known: true, glob: false });
  };
  // The branch told is that of the workspace, not of a repository elsewhere.
  const current = outsideWorkspace(call.invocation, where) ? undefined : where.branch;
  for (const [index, ref] of refs.entries()) {
    let { text } = ref;
    if (text === 'tag' && refs[index + 1]) continue;
    if (refs[index - 1]?.text === 'tag') {
      targets.push(plainTarget(`tag:${remote}/${text}`));
      continue;
    }
    if (text.startsWith('+')) {
      forced = true;
      text = text.slice(1);
    }
    const colon = text.indexOf(':');
    if (colon === 0) deletes = true;
    let destination = colon >= 0 ? text.slice(colon + 1) : text;
    if (destination.startsWith('refs/tags/')) {
      targets.push(plainTarget(`tag:${remote}/${destination.slice(10)}`));
      continue;
    }
    destination = destination.replace(/^refs\/heads\//, '');
    if (destination === 'HEAD' || destination === '@') destination = current ?? '';
    const given = colon > 0 ? text.slice(0, colon).replace(/^refs\/heads\//, '') : destination;
    const source = given === 'HEAD' || given === '@' ? (current ?? given) : given;
    if (source !== destination) sources.push(`${source}:${destination}`);
    addBranch(destination, ref.known && !destination.includes('*'));
  }
  if (has(call, '--tags') || has(call, '--follow-tags')) {
    if (has(call, '--tags')) targets.push(plainTarget(`tag:${remote}/*`));
  }
  if (has(call, '--all') || has(call, '--mirror')) {
    flags.add('bulk');
    addBranch('*', false);
  } else if (refs.length === 0 && !has(call, '--tags')) addBranch(current ?? '', current !== undefined);
  // The server merges it by itself.
  const options = ['-o', '--push-option'].flatMap((name) => call.given.options.get(name) ?? []);
  if (options.some((word) => /merge_when|auto_?merge/.test(word.text))) flags.add('protected_branch');
  const lease = call.flags.includes('with_lease');
  if (deletes) flags.add('delete_branch');
  const effect = forced || lease || deletes ? 'vcs_force_push' : 'vcs_push';
  const other = (remoteWord?.known || moved !== undefined) && remote.includes('/') ? ['explicit_remote'] : [];
  emit(call, {
    effect,
    operation: deletes ? 'delete' : 'push',
    targets,
    flags: [...flags, ...other],
    residue: [...residueOf(call), ...sources.sort()],
    systems: ['git'],
    // An address instead of a name: nobody said whose it is.
    ...(other.length > 0 && {
      externality: { destination_ownership: 'unknown', destination_visibility: 'unknown' } as const,
    }),
  });
  return SILENT;
};

const branch: Special = (call) => {
  const { operands } = call.given;
  const names = operands.map((word) => plainTarget(`branch:${word.text}`));
  if (has(call, '-D') || (has(call, '-d') && call.flags.includes('force'))) {
    const flags = operands.some((word) => isProtectedBranch(word.text)) ? ['protected_branch'] : [];
    emit(call, { effect: 'discard_work', operation: 'branch delete', targets: names, flags: [...flags, 'force'] });
  } else if (has(call, '-d')) emit(call, { effect: 'vcs_local', operation: 'branch delete', targets: names });
  else if (call.flags.includes('force') || has(call, '-M'))
    emit(call, { effect: 'history_rewrite', operation: 'branch force', targets: names });
  else if (operands.length === 0 || has(call, '-l'))
    emit(call, { effect: 'read', operation: 'branch list', metadata: true });
  else emit(call, { effect: 'vcs_local', operation: 'branch', targets: names });
  return { origins: ['file'] };
};

const tag: Special = (call) => {
  const { operands } = call.given;
  emitOptionFiles(call);
  if (operands.length === 0 || has(call, '-l')) emit(call, { effect: 'read', operation: 'tag list', metadata: true });
  else
    emit(call, {
      operation: has(call, '-d') ? 'tag delete' : 'tag',
      targets: operands.map((word) => plainTarget(`tag:${word.text}`)),
      flags: has(call, '-d') ? ['delete'] : [],
    });
  return { origins: ['file'] };
};

/** Names what a checkout overwrites: paths lose what git does not hold. */
const checkout: Special = (call) => {
  const { operands, separator } = call.given;
  const creates = has(call, '-b') || has(call, '-B') || has(call, '--orphan');
  const paths =
    separator !== undefined
      ? operands.slice(separator)
      : creates
        ? []
        : operands.filter((word, index) => looksLikePath(word, index, operands));
  if (paths.length > 0 && !creates) {
    emit(call, {
      effect: 'discard_work',
      operation: 'restore',
      targets: paths.map((word) => target(call, word)),
      metadata: true,
      residue: [...residueOf(call), ...operands.filter((word) => !paths.includes(word)).map((word) => word.text)],
    });
    return SILENT;
  }
  const name = optionValue(call, '-b') ?? optionValue(call, '-B') ?? optionValue(call, '--orphan') ?? operands[0];
  const effect = call.flags.includes('force') && !has(call, '-B') ? 'discard_work' : 'vcs_local';
  emit(call, { effect, operation: 'checkout', targets: name ? [plainTarget(`branch:${name.text}`)] : [] });
  return SILENT;
};

function looksLikePath(word: Arg, index: number, operands: readonly Arg[]): boolean {
  if (word.text === '.' || word.text.startsWith('./') || word.text.startsWith('../') || word.glob) return true;
  if (operands.length > 1 && index > 0) return true;
  return /\.[A-Za-z][A-Za-z0-9]{0,4}$/.test(word.text) && !/^(?:origin|upstream|release|v\d)/.test(word.text);
}

const restore: Special = (call) => {
  const targets = call.given.operands.map((word) => target(call, word));
  const staged = has(call, '-S') && !has(call, '-W');
  emit(call, {
    effect: staged ? 'vcs_local' : 'discard_work',
    operation: staged ? 'unstage' : 'restore',
    targets,
    metadata: true,
    residue: [...residueOf(call), optionValue(call, '-s')?.text ?? ''],
  });
  return SILENT;
};

const clean: Special = (call) => {
  const forced = call.flags.includes('force');
  if (!forced) return emitNone(call, 'clean');
  const targets = call.given.operands.length > 0 ? call.given.operands : [literal('.')];
  const only = call.flags.includes('only_ignored') ? ['regenerable'] : [];
  emit(call, {
    effect: 'discard_work',
    operation: 'clean',
    targets: targets.map((word) => target(call, word)),
    flags: [...only, 'bulk'],
  });
  return SILENT;
};

const remove: Special = (call) => {
  const targets = call.given.operands.map((word) => target(call, word));
  if (has(call, '--cached'))
    emit(call, {
      effect: 'vcs_local',
      operation: 'untrack',
      targets: targets.map((item) => plainTarget(item.id.replace(/^file:/, 'path:'))),
    });
  else
    emit(call, {
      effect: call.flags.includes('recursive') || targets.some((item) => item.glob) ? 'delete_many' : 'delete',
      targets,
    });
  return SILENT;
};

const read: Special = (call) => {
  if (
    call.operation === 'rev-parse' &&
    call.args.some((arg) => arg.text === '--show-toplevel') &&
    call.meaning.where.workspace !== undefined
  ) {
    emit(call, { targets: [] });
    return { text: `${call.meaning.where.workspace}\n`, origins: [] };
  }
  if (
    (call.operation === 'rev-parse' || call.operation === 'symbolic-ref' || call.operation === 'branch') &&
    call.args.some((arg) => arg.text === '--abbrev-ref' || arg.text === '--short')
  ) {
    emit(call, { targets: [] });
    const { branch: current } = call.meaning.where;
    return current === undefined ? { origins: ['file'] } : { text: `${current}\n`, origins: [] };
  }
  const output = call.args.find((arg) => arg.text.startsWith('--output='));
  if (output)
    emit(call, {
      effect: 'overwrite',
      operation: 'write',
      targets: [target(call, { ...output, text: output.text.slice(9) })],
    });
  // It compares files, and needs no repository.
  const outside = call.args.some((arg) => arg.text === '--no-index');
  emit(call, { targets: outside ? call.given.operands.map((word) => target(call, word)) : [], metadata: !outside });
  const paths = call.operation === 'ls-files' ? [{ ...literal('./*'), glob: true }] : undefined;
  return { origins: ['file'], ...(paths && { paths }) };
};

/** `--upload-pack CMD`, `ext::CMD`: what is started to talk to, here or on the other side, and what every transport is given. */
function startsOther(call: Call): void {
  const named = ['-u', '--upload-pack', '--receive-pack', '--exec'].map((name) => optionValue(call, name));
  const helpers = call.given.operands.map((word) => ({
    ...word,
    text: (/^ext::(.+)$/s.exec(word.text)?.[1] ?? '').replaceAll('% ', '\\ '),
  }));
  for (const command of [...named, ...helpers])
    if (command !== undefined && /[\s/;|&`$]/.test(command.text))
      call.walk.text(command.text, forkState(call.invocation.state), call.invocation.frame);
}

const asked: Special = (call) => {
  startsOther(call);
  return byRule(call);
};

const fetch: Special = (call) => {
  startsOther(call);
  const remote = call.given.operands[0];
  emit(call, {
    operation: 'fetch',
    targets: [plainTarget(`repo:${remoteName(remote)}`)],
    residue: call.given.operands.slice(1).map((word) => word.text),
  });
  return SILENT;
};

/** What is named for a commit is copied into it, and goes wherever that goes. */
const add: Special = (call) => {
  emit(call, { residue: residueOf(call) });
  const secret = call.given.operands
    .map((word) => target(call, word))
    .filter(({ id, glob }) => {
      const tags = id.startsWith('file:') ? placeOf(id.slice(5), glob, call.meaning.where).tags : [];
      return tags.includes('credential') || tags.includes('env_file');
    });
  if (secret.length > 0 && !call.flags.includes('dry_run'))
    emit(call, { effect: 'read', operation: 'copy', targets: secret, residue: [] });
  return SILENT;
};

const remote: Special = (call) => {
  const [name, url] = call.given.operands;
  if (name?.known && url?.known)
    call.invocation.state.files.set(`remote:${name.text}`, { text: url.text, origins: url.origins });
  return byRule(call);
};

const clone: Special = (call) => {
  startsOther(call);
  const [from, to] = call.given.operands;
  emit(call, {
    targets: from ? [{ id: `repo:${remoteName(from)}`, known: from.known, glob: false }] : [],
    residue: [],
  });
  const folder =
    to ?? (from?.known ? literal((from.text.split(/[/:]/).at(-1) ?? '').replace(/\.git$/, '')) : undefined);
  if (folder && folder.text !== '')
    emit(call, {
      effect: 'write',
      operation: 'create',
      tool: 'git',
      targets: [target(call, folder)],
      flags: ['from_network'],
    });
  const place = folder?.known ? target(call, folder).id : '';
  if (place.startsWith('file:')) markFolder(call.invocation.state, place.slice(5), ['generated']);
  return SILENT;
};

const commit: Special = (call) => {
  const messages = (call.given.options.get('-m') ?? []).map((word) => word.text).join('\n');
  emitOptionFiles(call);
  const { branch: current } = call.meaning.where;
  const flags = current !== undefined && isProtectedBranch(current) ? ['on_protected_branch'] : [];
  emit(call, { flags, residue: [messages, ...residueOf(call, call.given.operands)] });
  return SILENT;
};

const rebase: Special = (call) => {
  for (const value of call.given.options.get('-x') ?? [])
    call.walk.text(value.text, call.invocation.state, call.invocation.frame);
  emit(call, { residue: residueOf(call, call.given.operands) });
  return SILENT;
};

/** `git bisect run cmd`, `git difftool -x cmd`, `git grep -O cmd`. */
const runsCommand: Special = (call) => {
  const option = /^(?:-x|-O|--extcmd|--open-files-in-pager)(?:=?(.+))?$/;
  const at = call.args.findIndex((arg) => arg.text === 'run' || option.test(arg.text));
  if (at >= 0) {
    const rest = call.args.slice(at + 1);
    const { text } = call.args[at] as Arg;
    const { state, frame } = call.invocation;
    if (text === 'run') call.walk.words(rest, state, frame);
    else call.walk.text(option.exec(text)?.[1] ?? rest[0]?.text ?? '', state, frame);
  }
  return byRule(call);
};

const submodule: Special = (call) => {
  if (call.args[0]?.text === 'deinit' && call.args.some((arg) => /^(?:-f|--force)$/.test(arg.text))) {
    emit(call, { effect: 'discard_work', operation: 'submodule deinit', residue: call.args.map((arg) => arg.text) });
    return SILENT;
  }
  const at = call.args.findIndex((arg) => arg.text === 'foreach');
  if (at >= 0)
    return call.walk.text(
      call.args
        .slice(at + 1)
        .filter((arg) => !/^--/.test(arg.text))
        .map((arg) => arg.text)
        .join(' '),
      call.invocation.state,
      call.invocation.frame,
    );
  return byRule(call);
};

/** `git archive`, `git fast-export`: the files themselves, as a stream unless a file is named for them. */
const stream: Special = (call) => {
  byRule(call);
  return { origins: ['file'] };
};

export const GIT_SPECIALS: { readonly [name: string]: Special } = {
  'git-push': push,
  'git-branch': branch,
  'git-tag': tag,
  'git-checkout': checkout,
  'git-restore': restore,
  'git-clean': clean,
  'git-rm': remove,
  'git-config': config,
  'git-read': read,
  'git-fetch': fetch,
  'git-add': add,
  'git-remote': remote,
  'git-clone': clone,
  'git-commit': commit,
  'git-rebase': rebase,
  'git-submodule': submodule,
  'git-asked': asked,
  'git-runs': runsCommand,
  'git-stream': stream,
  git: (call: Call): Stream => emitNone(call, 'help'),
};
