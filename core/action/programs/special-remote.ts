// Other machines and raw connections: commands sent there are walked, copies are told by their direction, listeners and bound shells named.

import { withBound } from '../../shell/frame.ts';
import { type Arg, forkState, joinOrigins, type Origin } from '../../shell/values.ts';
import { resolvePath } from '../paths.ts';
import { isPrivateHost } from '../urls.ts';
import {
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
import { ofHere, payload } from './leaving.ts';
import { plantCarried } from './plant.ts';
import { mounted, readThere } from './special-handed.ts';
import { fileOrigin } from './special-network.ts';

/** Without the user in front. */
function hostOf(text: string): string {
  return text.slice(text.lastIndexOf('@') + 1).replace(/^ssh:\/\//, '');
}

/** As whom, by which port, key and way: the same command there is another action. */
function bound(call: Call, users: readonly (string | undefined)[] = []): Call {
  const names = users.flatMap((user) => (user === undefined || user === '' ? [] : [`user ${user}`]));
  const frame = withBound(call.invocation.frame, ...names, ...residueOf(call));
  return { ...call, invocation: { ...call.invocation, frame } };
}

function userOf(text: string): string {
  return /^(?:[a-z0-9]+:\/\/)?([^@/\s]*)@/.exec(text)?.[1] ?? '';
}

const ssh: Special = (given) => {
  const call = bound(given, [userOf(given.given.operands[0]?.text ?? '') || optionValue(given, '-l')?.text]);
  const [hostWord, ...command] = call.given.operands;
  const { frame, state } = call.invocation;
  const host = hostWord ? hostOf(hostWord.text) : '';
  const targets = hostWord ? [{ id: `host:${host}`, known: hostWord.known, glob: false }] : [];
  for (const option of call.given.options.get('-o') ?? []) {
    const program = /^(?:ProxyCommand|LocalCommand|KnownHostsCommand|PermitLocalCommand)\s*[= ]\s*(.*)$/i.exec(
      option.text,
    )?.[1];
    if (program && !/^(?:none|yes|no)$/i.test(program)) call.walk.text(program, state, frame);
  }
  if (has(call, '-R') || has(call, '-w'))
    emit(call, {
      effect: 'remote_shell',
      operation: 'tunnel',
      targets,
      flags: ['tunnel', 'remote'],
      residue: residueOf(call),
    });
  else if (has(call, '-L') || has(call, '-D') || has(call, '-W'))
    emit(call, {
      effect: 'fetch',
      operation: 'tunnel',
      targets,
      flags: ['tunnel', 'remote'],
      residue: residueOf(call),
    });
  if (!hostWord) return emitNone(call);
  if (command.length === 0) {
    if (has(call, '-N') || call.given.options.has('-V') || has(call, '-Q') || has(call, '-O')) return SILENT;
    if (frame.stdin.text !== undefined)
      return call.walk.text(frame.stdin.text, remoteState(call), remoteFrame(call, `host:${host}`));
    const opaque = frame.stdin.origins.length > 0 || frame.flags.includes('pipeline_sink');
    emit(call, {
      effect: opaque ? 'run_opaque' : 'run_unknown',
      operation: 'login',
      targets,
      flags: ['remote'],
      scope: 'remote',
    });
    return { origins: ['file'] };
  }
  const text = command.map((word) => word.text).join(' ');
  const origins = command.flatMap((word) => (word.known ? [] : word.origins));
  if (origins.length > 0) call.walk.judge.opaque('ssh', text, origins, remoteFrame(call, `host:${host}`));
  const fed = fedTo(host, frame.stdin.origins);
  emit(call, {
    effect: fed.length > 0 ? 'send' : 'fetch',
    operation: fed.length > 0 ? 'stream' : 'connect',
    targets,
    flags: ['remote'],
    residue: [],
    externality: {
      ...(fed.length > 0 && { external_write: true }),
      ...(fed.length === 0 || isPrivateHost(host) ? { destination_ownership: 'tenant' as const } : {}),
      ...(fed.length === 0 && { destination_visibility: 'organisation' as const }),
      ...payload(fed),
    },
  });
  return call.walk.text(text, remoteState(call), remoteFrame(call, `host:${host}`));
};

/** A database moved to a machine of one's own is asked about; elsewhere it leaves like any secret. */
function fedTo(host: string, origins: readonly Origin[]): readonly Origin[] {
  const fed = ofHere(origins);
  const dump = fed.includes('file') && !fed.includes('credential') && !fed.includes('stored');
  return dump && isPrivateHost(host) ? fed.filter((origin) => origin !== 'secret') : fed;
}

function remoteFrame(call: Call, remote: string): Call['invocation']['frame'] {
  const { frame } = call.invocation;
  const flags = [...new Set([...frame.flags.filter((flag) => flag !== 'pipeline_sink'), 'remote'])];
  return { ...frame, flags, remote };
}

function remoteState(call: Call): Call['invocation']['state'] {
  const state = forkState(call.invocation.state);
  state.cwd = undefined;
  return state;
}

type End = { readonly word: Arg; readonly host: string | undefined };

function endOf(word: Arg, tool: string): End {
  // `namespace/pod:/path`
  const pod = tool === 'kubernetes' ? /^([\w.-]{1,100}\/[\w.-]{1,100}):/.exec(word.text)?.[1] : undefined;
  if (pod !== undefined) return { word, host: pod };
  const url = /^(?:rsync|scp|sftp|s3|gs):\/\/([^/]*)/.exec(word.text);
  if (url) return { word, host: hostOf(url[1] as string) };
  const match = /^([^/\s:]{1,200}):{1,2}(?!\\)/.exec(word.text);
  return { word, host: match && !/^[A-Za-z]$/.test(match[1] as string) ? hostOf(match[1] as string) : undefined };
}

/** scp, rsync, rclone, kubectl cp: the last operand is where it goes. */
const copyRemote: Special = (given) => {
  const call = bound(
    given,
    given.given.operands.map((word) => userOf(word.text)),
  );
  emitOptionFiles(call);
  const ends = call.given.operands.map((word) => endOf(word, call.tool));
  const destination = ends.at(-1);
  const sources = ends.slice(0, -1);
  if (!destination || (sources.length === 0 && call.operation !== 'rcat')) return emitNone(call);
  const shell = optionValue(call, '-e');
  if (shell && !/^ssh(?:\s|$)/.test(shell.text))
    call.walk.text(shell.text, call.invocation.state, call.invocation.frame);
  const program = call.tool === 'scp' || call.tool === 'sftp' ? optionValue(call, '-S') : undefined;
  if (program) call.walk.words([program], call.invocation.state, call.invocation.frame);
  const local = sources.filter((end) => end.host === undefined);
  const recursive = ['recursive'];
  const fed = call.operation === 'rcat' ? ofHere(call.invocation.frame.stdin.origins) : [];
  if (local.length > 0)
    emit(call, {
      effect: 'read',
      operation: 'read',
      targets: local.map((end) => target(call, end.word)),
      flags: recursive,
      residue: [],
    });
  const remoteTargets = (ends: readonly End[]) =>
    ends.map((end) => ({
      id: `host:${end.host}/${end.word.text.slice(end.word.text.indexOf(':') + 1)}`,
      known: end.word.known,
      glob: false,
    }));
  const deletes = call.flags.includes('delete');
  if (destination.host !== undefined) {
    const origins = local.reduce<readonly Origin[]>(
      (all, end) => joinOrigins(all, [fileOrigin(call, target(call, end.word))]),
      fed,
    );
    emit(call, {
      effect: deletes ? 'infra_destroy' : 'send',
      operation: 'copy',
      targets: remoteTargets([destination]),
      flags: ['remote', ...(deletes ? ['recursive'] : [])],
      residue: [...residueOf(call), local.map((end) => target(call, end.word).id).join('\0')],
      systems: [destination.host],
      externality: {
        external_write: true,
        ...(isPrivateHost(destination.host) ? { destination_ownership: 'tenant' as const } : {}),
        ...payload(origins),
      },
    });
    return SILENT;
  }
  const from = sources.filter((end) => end.host !== undefined);
  for (const { host, word } of from) readThere(call, `host:${host}`, word, word.text.slice(word.text.indexOf(':') + 1));
  if (from.length > 0)
    emit(call, { effect: 'fetch', operation: 'copy', targets: remoteTargets(from), flags: ['remote'], residue: [] });
  // A stream of what lies there.
  if (destination.word.text === '-' && from.length > 0) return { origins: ['file', 'download'] };
  const place = target(call, destination.word);
  emit(call, {
    effect: deletes ? 'delete_many' : 'write',
    operation: deletes ? 'mirror' : 'copy',
    targets: [place],
    flags: ['truncate', ...(deletes ? ['recursive', 'bulk'] : [])],
    systems: ['filesystem'],
    scope: undefined,
    residue: [...residueOf(call), local.map((end) => target(call, end.word).id).join('\0')],
  });
  const copied = local.map((end) => target(call, end.word));
  plantCarried(call.meaning, call.invocation.state, copied, place, call.invocation.frame);
  if (call.flags.includes('delete_source'))
    emit(call, {
      effect: 'delete_many',
      operation: 'delete',
      targets: local.map((end) => target(call, end.word)),
      flags: ['recursive', 'bulk'],
      systems: ['filesystem'],
    });
  if (from.length > 0) call.invocation.state.files.set(place.id, { origins: ['download'] });
  return SILENT;
};

const session: Special = (given) => {
  const call = bound(given, [userOf(given.given.operands[0]?.text ?? '')]);
  const host = call.given.operands[0];
  const { stdin } = call.invocation.frame;
  emit(call, {
    targets: host ? [{ id: `host:${hostOf(host.text)}`, known: host.known, glob: false }] : [],
    flags: ['remote'],
    residue: [stdin.text ?? '', ...residueOf(call)],
    externality: payload(stdin.origins),
  });
  return { origins: ['download'] };
};

/** kubectl reads its own options behind the pod, too, up to `--`. */
function afterOptions(words: readonly Arg[], pod: boolean): readonly Arg[] {
  const separator = words.findIndex((word) => word.text === '--');
  if (separator === 0 || (pod && separator > 0)) return words.slice(separator + 1);
  let at = 0;
  while (pod && words[at]?.text.startsWith('-'))
    at += /^(?:-n|-c|--namespace|--container|--context)$/.test(words[at]?.text ?? '') ? 2 : 1;
  return words.slice(at);
}

/** `docker exec BOX cmd`, `kubectl exec POD -- cmd`, `docker compose run SERVICE cmd`. */
const containerExec: Special = (given) => {
  const call = bound(given);
  emitOptionFiles(call);
  const [box, ...rest] = call.given.operands;
  if (!box) return emitNone(call);
  const kind = call.tool === 'kubernetes' ? 'pod' : 'container';
  const inner = afterOptions(rest, kind === 'pod');
  if (inner.length === 0) {
    emit(call, {
      effect: 'run_unknown',
      targets: [{ id: `${kind}:${box.text}`, known: box.known, glob: false }],
      flags: [kind === 'pod' ? 'remote' : 'container'],
    });
    return { origins: ['file'] };
  }
  const frame = remoteFrame(call, `${kind}:${box.text}`);
  const flags = frame.flags.filter(
    (flag) => kind === 'pod' || flag !== 'remote' || call.invocation.frame.flags.includes('remote'),
  );
  return call.walk.words(inner, remoteState(call), {
    ...frame,
    flags: [
      ...flags,
      ...(kind === 'container' ? ['container'] : []),
      ...call.flags.filter((flag) => flag === 'privileged' || flag === 'production'),
    ],
  });
};

/** Mounts and switches by which a container is the host. */
const WIDE =
  /^(?:type=bind,)?(?:.*(?:source|src)=)?(?:\/|\/etc|\/root|\/home|\/var|\/proc|\/sys|\/dev|\/boot|~|.*(?:docker|containerd|podman|crio)\.sock)\/?(?::|,|$)/;

export const containerRun: Special = (call) => {
  emitOptionFiles(call);
  const [image, ...command] = call.given.operands;
  const mounts = (call.given.options.get('-v') ?? []).map((word) => word.text);
  const shared = ['--pid', '--network', '--net', '--ipc', '--userns', '--uts'].some(
    (name) => optionValue(call, name)?.text === 'host' && name !== '--network' && name !== '--net',
  );
  const powers =
    (call.given.options.get('--cap-add') ?? []).some((word) =>
      /ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE/i.test(word.text),
    ) || (call.given.options.get('--security-opt') ?? []).some((word) => /unconfined|disable/.test(word.text));
  // A disk is everything on it.
  const disks = (call.given.options.get('--device') ?? []).some((word) =>
    /^\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|mapper|dm-|mem|kmem)/.test(word.text),
  );
  const wide =
    disks || mounts.some((mount) => WIDE.test(mount)) || call.flags.includes('privileged') || shared || powers;
  const targets = image ? [{ id: `image:${image.text}`, known: image.known, glob: false }] : [];
  const flags = ['container', ...(wide ? ['privileged'] : [])];
  emit(call, {
    effect: wide ? 'system_change' : 'build',
    targets,
    flags,
    residue: [...residueOf(call, command), mounts.join('\0')],
    scope: 'machine',
  });
  const folders = mountsOf(call, mounts);
  mounted(
    call,
    folders.map(({ outside }) => outside),
  );
  if (command.length > 0) {
    const outer = call.invocation.frame;
    const inner = remoteFrame(call, `container:${image?.text ?? ''}`);
    const flags = inner.flags.filter((flag) => flag !== 'remote' || outer.flags.includes('remote'));
    const state = remoteState(call);
    state.cwd = optionValue(call, '-w')?.text;
    call.walk.words(command, state, {
      ...inner,
      mounts: folders,
      flags: [...flags, 'container', ...(mounts.length > 0 ? ['mounted'] : [])],
    });
  }
  return { origins: ['file'] };
};

/** `-v outside:inside`, `--mount source=outside,target=inside`; named volumes are no folders. */
function mountsOf(call: Call, mounts: readonly string[]): { inside: string; outside: string }[] {
  const out: { inside: string; outside: string }[] = [];
  for (const mount of mounts) {
    const [source, destination] = mount.split(':');
    const outside = /(?:^|,)(?:source|src)=([^,]+)/.exec(mount)?.[1] ?? source ?? '';
    const inside = /(?:^|,)(?:target|destination|dst)=([^,]+)/.exec(mount)?.[1] ?? destination ?? '';
    if (!/^[/.~]/.test(outside) || !inside.startsWith('/')) continue;
    const { home } = call.meaning.where;
    out.push({
      inside: resolvePath(inside, undefined, undefined),
      outside: resolvePath(outside, call.invocation.state.cwd, home),
    });
  }
  return out;
}

export const REMOTE_SPECIALS: { readonly [name: string]: Special } = {
  ssh,
  'copy-remote': copyRemote,
  'remote-session': session,
  'container-exec': containerExec,
  'container-run': containerRun,
};
