// Plain connections and named pipes: who is at the other end decides what is said through them.

import { joinOrigins, type Origin } from '../../shell/values.ts';
import { isLocalHost, ownerOf, readUrl } from '../urls.ts';
import { byRule, emit, emitOptionFiles, optionValue, residueOf, SILENT, type Special, target } from './call.ts';
import { byName, inName, ofHere, payload } from './leaving.ts';
import { fileOrigin } from './special-network.ts';

const telnet: Special = (call) => {
  const { stdin } = call.invocation.frame;
  const [host] = call.given.operands;
  emit(call, {
    effect: stdin.origins.includes('session') ? 'remote_shell' : call.effect,
    targets: host ? [{ id: `host:${host.text}`, known: host.known, glob: false }] : [],
    flags: ['remote'],
    externality: payload(stdin.origins),
  });
  return { origins: ['download'] };
};

/** A pipe with a name: whoever reads it gets what somebody else wrote. */
const fifo: Special = (call) => {
  const targets = call.given.operands.slice(0, call.tool === 'mknod' ? 1 : undefined).map((word) => target(call, word));
  emit(call, { targets, residue: [] });
  for (const { id } of targets) call.invocation.state.files.set(id, { origins: ['channel'] });
  return SILENT;
};

const netcat: Special = (call) => {
  const words = call.args.map((arg) => arg.text);
  const options = words.filter((word) => /^-[A-Za-z]/.test(word));
  const cluster = (letter: string) => options.some((word) => /^-[A-Za-z]+$/.test(word) && word.includes(letter));
  const long = (name: string) => words.some((word) => word.startsWith(name));
  const [host, port] = call.given.operands;
  const targets = host
    ? [{ id: `host:${host.text}${port ? `:${port.text}` : ''}`, known: host.known, glob: false }]
    : [];
  const { stdin, flags } = call.invocation.frame;
  if (cluster('e') || cluster('c') || long('--exec') || long('--sh-exec') || long('--lua-exec')) {
    emit(call, { effect: 'remote_shell', operation: 'shell', targets, residue: [words.join('\0')] });
  } else if (stdin.origins.includes('session')) {
    // What a shell answers goes there; what it is told comes from somewhere, most likely from there.
    emit(call, { effect: 'remote_shell', operation: 'shell', targets, residue: [words.join('\0')] });
  } else if (cluster('l') || long('--listen')) {
    const feeds = flags.includes('pipeline_sink') || flags.includes('piped');
    emit(call, { effect: feeds ? 'remote_shell' : 'share', operation: 'listen', targets, residue: [words.join('\0')] });
  } else if (cluster('z')) {
    const named = inName([host]);
    emit(call, {
      operation: 'probe',
      targets,
      residue: [],
      ...(named.length > 0 ? byName(named) : { effect: 'fetch', flags: ['remote'] }),
    });
  } else {
    const local = host !== undefined && /^(?:localhost|127\.|::1)/.test(host.text);
    const sends = stdin.text !== undefined || stdin.origins.length > 0 || flags.includes('pipeline_sink');
    emit(call, {
      effect: local ? 'fetch' : 'send',
      operation: 'connect',
      targets,
      flags: ['remote'],
      residue: [stdin.text ?? ''],
      externality: sends ? payload(stdin.origins) : {},
    });
  }
  return { origins: ['download'] };
};

const socat: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join(' ');
  const targets = call.given.operands.map((word) => ({
    id: `address:${word.text.split(',')[0]}`,
    known: word.known,
    glob: false,
  }));
  if (/\b(?:EXEC|SYSTEM|SHELL):/i.test(text) || call.invocation.frame.stdin.origins.includes('session'))
    emit(call, { effect: 'remote_shell', operation: 'shell', targets, residue: [text] });
  else if (/LISTEN/i.test(text)) emit(call, { effect: 'share', operation: 'listen', targets, residue: [text] });
  else
    emit(call, {
      effect: 'send',
      operation: 'connect',
      targets,
      residue: [text],
      externality: payload(call.invocation.frame.stdin.origins),
    });
  return { origins: ['download'] };
};

const sClient: Special = (call) => {
  const to = optionValue(call, '-connect');
  const { stdin, flags } = call.invocation.frame;
  const given = stdin.file !== undefined && !/^\/dev\/(?:null|stdin|tty)$/.test(stdin.file.text);
  const sends = (stdin.origins.length > 0 && flags.includes('pipeline_sink')) || given;
  const named = inName([to, optionValue(call, '-servername')]);
  emit(call, {
    effect: stdin.origins.includes('session') ? 'remote_shell' : sends ? 'send' : 'fetch',
    operation: 'connect',
    targets: to ? [{ id: `host:${readUrl(to.text)?.host ?? to.text}`, known: to.known, glob: false }] : [],
    flags: ['remote'],
    residue: [],
    externality: sends ? payload(stdin.origins) : {},
    ...(named.length > 0 && byName(named)),
  });
  return { origins: ['download'] };
};

/** `grpcurl localhost:50051 list`: what listens on this machine was started here. */
const dial: Special = (call) => {
  const words = call.given.operands.filter((word) => /^(?:\w+:\/\/)|:\d+(?:\/|$)|^localhost\b/.test(word.text));
  const runs = call.args.some((arg) => /(?:^|[:-])(?:exec|cmd|sh-c|writefile|appendfile)\b/.test(arg.text));
  const hosts = words.map((word) => (word.known ? (readUrl(word.text)?.host ?? word.text.replace(/\/.*$/, '')) : ''));
  if (runs || hosts.length === 0 || !hosts.every(isLocalHost)) return byRule(call);
  emit(call, {
    effect: 'send',
    operation: 'connect',
    targets: words.map((word, at) => ({ id: `host:${hosts[at]}`, known: word.known, glob: false })),
    residue: residueOf(call, call.given.operands),
    scope: 'machine',
    externality: ownerOf('localhost'),
  });
  return { origins: ['download'] };
};

/** `croc send FILE`, `gh gist create FILE`: what it names, or is given, goes to others. */
const handsOut: Special = (call) => {
  if (call.flags.includes('dry_run')) return byRule(call);
  emitOptionFiles(call);
  const files = call.given.operands.filter((word) => word.text !== '-').map((word) => target(call, word));
  if (files.length > 0)
    emit(call, {
      effect: 'read',
      operation: 'read',
      targets: files,
      flags: ['recursive'],
      scope: undefined,
      systems: ['filesystem'],
      residue: [],
    });
  const origins = files.reduce<readonly Origin[]>(
    (all, file) => joinOrigins(all, [fileOrigin(call, file)]),
    ofHere(call.invocation.frame.stdin.origins),
  );
  emit(call, {
    targets: files.map(({ id, ...file }) => ({ ...file, id: id.replace(/^file:/, 'sent:') })),
    flags: ['remote'],
    scope: 'remote',
    residue: call.args.map((arg) => arg.text),
    externality: payload(origins),
  });
  return { origins: ['download'] };
};

export const CHANNEL_SPECIALS: { readonly [name: string]: Special } = {
  telnet,
  fifo,
  'hands-out': handsOut,
  netcat,
  socat,
  's-client': sClient,
  dial,
};
