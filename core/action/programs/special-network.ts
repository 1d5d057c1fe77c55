// Transfers over HTTP and the like: method, host and what is sent decide, and whether the answer lands in a file that later runs.

import { type Arg, joinOrigins, literal, type Origin, type Stream } from '../../shell/values.ts';
import { type Draft, plainTarget } from '../draft.ts';
import { fileRequest, headersText, overridden, requestDraft } from '../http.ts';
import { placeOf } from '../places.ts';
import { unseenProgram } from '../unseen-download.ts';
import { isMetadataHost, readUrl } from '../urls.ts';
import {
  type Call,
  emit,
  emitNone,
  emitOptionFiles,
  has,
  optionValue,
  outOf,
  residueOf,
  SILENT,
  type Special,
  target,
} from './call.ts';
import { byName, inName, payload } from './leaving.ts';

type Body = { readonly texts: string[]; readonly origins: readonly Origin[] };

/** `@file`, `@-`, `name=@file`: what a data option really sends. */
function bodyOf(call: Call, values: readonly Arg[], file: RegExp): Body {
  const texts: string[] = [];
  let origins: readonly Origin[] = [];
  for (const value of values) {
    origins = joinOrigins(origins, value.origins);
    const name = file.exec(value.text)?.[1];
    if (name === undefined) texts.push(value.text);
    else if (name === '-') {
      const { stdin } = call.invocation.frame;
      texts.push(stdin.text ?? '');
      origins = joinOrigins(origins, stdin.origins.length > 0 ? stdin.origins : ['file']);
    } else {
      const source = target(call, literal(name));
      emit(call, { effect: 'read', operation: 'read', targets: [source], residue: [] });
      texts.push(source.id);
      origins = joinOrigins(origins, [fileOrigin(call, source)]);
    }
  }
  return { texts, origins };
}

function fileOrigin(call: Call, source: Draft['targets'][number]): Origin {
  if (!source.id.startsWith('file:')) return 'file';
  const { tags } = placeOf(source.id.slice(5), source.glob, call.meaning.where);
  return tags.some((tag) => tag === 'credential' || tag === 'dotenv' || tag === 'env_file') ? 'credential' : 'file';
}

/** `-H 'Name: value'`; httpie takes `Name:value` among the operands. */
function headersOf(call: Call): (readonly [string, string])[] {
  const given = [...values(call, '-H --header'), ...(/^(?:https?|xhs?)$/.test(call.tool) ? call.given.operands : [])];
  return given.flatMap(({ text }) => {
    const match = /^([\w-]+)\s*:(?!\/\/|=)(.*)$/s.exec(text);
    return match ? [[match[1] as string, match[2] as string] as const] : [];
  });
}

function request(call: Call, named: string, word: Arg, body: Body, flags: readonly string[] = []): Stream {
  const file = fileRequest(word.text, call.tool, call.meaning.where, call.invocation.state.cwd);
  if (file) {
    emit(call, { ...file, range: call.invocation.frame.range });
    return outOf({ ...call, effect: 'read' }, file.targets);
  }
  const headers = headersOf(call);
  const method = overridden(headers) ?? named;
  const beside = [...headersText(headers), ...residueOf(call)];
  const socket = optionValue(call, '--unix-socket');
  if (socket) return socketRequest(call, method, socket, word, body);
  const draft = requestDraft({
    method,
    url: { text: word.text, known: word.known },
    body: body.texts,
    tool: call.tool,
  });
  if (!draft) {
    emit(call, {
      effect: word.known ? call.effect : 'unknown',
      operation: method,
      targets: [{ id: `url:${word.text.split('?')[0]}`, known: word.known, glob: false }],
      flags: ['remote', ...flags],
      residue: [...body.texts, ...beside],
    });
    return { origins: ['download'] };
  }
  // What a substitution puts into an address leaves with it.
  const told = readHost(word.text);
  const own = OWN_PORT.test(word.text);
  const leaks = word.origins.filter((origin) => origin !== 'download' && (origin !== 'public' || !told) && !own);
  const sent = joinOrigins(body.origins, leaks);
  const leaving = leaks.length > 0 && draft.effect === 'fetch' && draft.scope === 'remote';
  emit(call, {
    ...draft,
    residue: [...(draft.residue ?? []), ...beside],
    effect: leaving ? 'send' : draft.effect,
    flags: [...draft.flags, ...flags, ...(leaving ? ['data_in_url'] : [])],
    externality: {
      ...draft.externality,
      ...(leaving && { external_write: true }),
      ...(draft.effect !== 'fetch' || leaving ? payload(sent) : {}),
    },
    range: call.invocation.frame.range,
  });
  return { origins: draft.effect === 'read_credential' ? ['credential', 'download'] : ['download'] };
}

/** A local socket is whatever listens on it: a container engine's is the whole machine. */
function socketRequest(call: Call, method: string, socket: Arg, word: Arg, body: Body): Stream {
  const place = target(call, socket);
  const { tags } = placeOf(place.id.replace(/^file:/, ''), false, call.meaning.where);
  const control = tags.includes('control_socket');
  const reads = method === 'GET' || method === 'HEAD';
  emit(call, {
    effect: reads ? 'read' : control ? 'system_change' : 'send',
    operation: method,
    targets: [place],
    flags: control && !reads ? ['privileged'] : [],
    residue: [word.text, ...body.texts, ...headersText(headersOf(call)), ...residueOf(call)],
    scope: 'machine',
    metadata: true,
  });
  return { origins: ['file'] };
}

function save(call: Call, url: Arg, word: Arg, from: Stream): void {
  if (word.text === '-') return;
  const file = target(call, word);
  if (unseenProgram(url.text, word.text))
    call.walk.judge.opaque('download', url.text, url.origins, call.invocation.frame);
  emit(call, {
    tool: 'file',
    effect: 'write',
    operation: 'write',
    targets: [file],
    flags: ['truncate', 'from_network'],
    systems: ['filesystem'],
    residue: ['download'],
  });
  call.invocation.state.files.set(file.id, { origins: from.origins });
}

function values(call: Call, names: string): Arg[] {
  return names.split(' ').flatMap((name) => [...(call.given.options.get(name) ?? [])]);
}

/** This machine, whatever its port is. */
const OWN_PORT = /^(?:https?:\/\/)?(?:localhost|127\.0\.0\.1|\[::1\]):\$/i;

/** The host stands there, and nothing of it is put together. */
function readHost(text: string): boolean {
  return /^(?:https?:\/\/)?(?:[^/?#@\s]*@)?[\w.-]+(?::\d+)?(?=[/?#]|$)/i.test(text);
}

/** Where a secret belongs when it shows who asks. */
const AUTHENTICATES =
  /^\s*(?:authorization|proxy-authorization|cookie|apikey|[\w-]*(?:token|api-?key|auth|secret|credential|access-?key)[\w-]*)\s*:|^[\w.-]+=/i;

/** How and when the answer is wanted, often read from where the last one was kept. */
const SAYS_HOW = /^\s*(?:if-[\w-]+|range|content-[\w-]+|accept[\w-]*|cache-control|host|date)\s*:/i;

/** Data in what goes with a request and says nothing about who asks or how: it only leaves. */
function leaksBeside(given: readonly Arg[]): readonly Origin[] {
  const leaks = given.flatMap(({ text, origins }) =>
    origins.filter(
      (origin) =>
        origin === 'credential' ||
        (origin === 'secret' && !AUTHENTICATES.test(text)) ||
        (/^(?:file|personal|regulated)$/.test(origin) && !AUTHENTICATES.test(text) && !SAYS_HOW.test(text)),
    ),
  );
  return [...new Set(leaks)];
}

const curl: Special = (call) => {
  emitOptionFiles(call);
  const urls = [...call.given.operands, ...values(call, '--url')];
  if (urls.length === 0) return call.given.options.has('-K') ? unknownRequest(call) : emitNone(call);
  const data = bodyOf(call, values(call, '-d'), /^@(.+)$/s);
  const encoded = bodyOf(call, values(call, '--data-urlencode'), /^[^=@]{0,100}@(.+)$/s);
  const form = bodyOf(call, values(call, '-F'), /^[^=]{0,100}=[@<]([^;]+)/s);
  const upload = values(call, '-T');
  const file = bodyOf(
    call,
    upload.map((word) => ({ ...word, text: `@${word.text}` })),
    /^@(.+)$/s,
  );
  const body: Body = {
    texts: [data, encoded, form, file].flatMap(({ texts }) => texts),
    origins: [data, encoded, form, file].reduce<readonly Origin[]>((all, { origins }) => joinOrigins(all, origins), []),
  };
  const asked = bodyOf(call, values(call, '--url-query'), /^[^=@]{0,100}@(.+)$/s);
  const posts = values(call, '-d -F --data-urlencode').length > 0 && !has(call, '-G');
  const method =
    optionValue(call, '-X')?.text ?? (has(call, '-I') ? 'HEAD' : upload.length > 0 ? 'PUT' : posts ? 'POST' : 'GET');
  const beside = joinOrigins(leaksBeside(values(call, '-H -A -e --referer -b')), asked.origins);
  // Whatever the name says, the answer comes from there.
  const led = values(call, '--resolve --connect-to -x --proxy')
    .flatMap((word) => word.text.match(/\[[^\]]*\]|[^,:/@\s]+/g) ?? [])
    .map((part) => readUrl(part)?.host ?? part)
    .find(isMetadataHost);
  if (led !== undefined)
    emit(call, { effect: 'read_credential', operation: method, targets: [plainTarget(`host:${led}`)] });
  let out: Stream = SILENT;
  if (!has(call, '-g') && urls.some(({ text }) => MANY_HOSTS.test(text))) out = unknownRequest(call);
  urls.forEach((url, index) => {
    const query = has(call, '-G') ? joinOrigins(beside, body.origins) : beside;
    out = request(call, method, query.length > 0 ? { ...url, origins: joinOrigins(url.origins, query) } : url, body);
    const saved = call.given.options.get('-o')?.[index];
    if (saved) save(call, url, inFolder(call, saved, '--output-dir'), out);
    else if (has(call, '-O')) save(call, url, inFolder(call, remoteName(url), '--output-dir'), out);
  });
  const whole = call.given.options.get('-o')?.length === urls.length || has(call, '-O');
  return whole ? SILENT : out;
};

/** What curl makes several addresses of, in the place of a host. */
const MANY_HOSTS = /^(?:[a-z]+:[\\/]*)?[^/?#]*(?:\{|\[[^\]:]*-[^\]:]*\])/i;

function unknownRequest(call: Call): Stream {
  emit(call, { effect: 'unknown', flags: ['remote'] });
  return { origins: ['download'] };
}

function inFolder(call: Call, word: Arg, option: string): Arg {
  const folder = optionValue(call, option);
  return folder && !word.text.startsWith('/')
    ? { ...word, text: `${folder.text}/${word.text}`, known: word.known && folder.known }
    : word;
}

function remoteName(url: Arg): Arg {
  const path = readUrl(url.text)?.path ?? '';
  return { ...url, text: path.slice(path.lastIndexOf('/') + 1) || 'index.html', origins: [], known: url.known };
}

const wget: Special = (call) => {
  emitOptionFiles(call);
  const { operands } = call.given;
  const data = [...values(call, '--post-data')];
  const files = values(call, '--post-file').map((word) => ({ ...word, text: `@${word.text}` }));
  const text = bodyOf(call, data, /^\0$/);
  const file = bodyOf(call, files, /^@(.+)$/s);
  const body: Body = { texts: [...text.texts, ...file.texts], origins: joinOrigins(text.origins, file.origins) };
  const method =
    optionValue(call, '--method')?.text ??
    (data.length + files.length > 0 ? 'POST' : has(call, '--spider') ? 'HEAD' : 'GET');
  let out: Stream = SILENT;
  const beside = leaksBeside(values(call, '--header -U'));
  for (const word of operands) {
    const url = beside.length > 0 ? { ...word, origins: joinOrigins(word.origins, beside) } : word;
    out = request(call, method, url, body);
    if (has(call, '--spider')) continue;
    const named = optionValue(call, '-O');
    if (named?.text === '-' || named?.text === '/dev/stdout') return out;
    if (named?.text !== '/dev/null') save(call, url, inFolder(call, named ?? remoteName(url), '-P'), out);
  }
  if (operands.length === 0) return call.given.options.has('-i') ? unknownRequest(call) : emitNone(call);
  return SILENT;
};

const httpie: Special = (call) => {
  emitOptionFiles(call);
  const words = [...call.given.operands];
  const verb = /^(?:get|post|put|patch|delete|head|options)$/i.test(words[0]?.text ?? '') && words.length > 1;
  const method = verb || /^[A-Z]+$/.test(words[0]?.text ?? '') ? words.shift()?.text.toUpperCase() : undefined;
  const url = words.shift();
  if (!url) return emitNone(call);
  const items = words.filter((word) => /:=|==?|@/.test(word.text) && !/^[\w-]+:[^=]/.test(word.text));
  const body = bodyOf(
    call,
    items.filter((word) => !word.text.includes('==')),
    /^[\w.[\]-]+:?=?@(.+)$/s,
  );
  // `name==value` and `name==@file` stand in the address.
  const asked = bodyOf(
    call,
    items.filter((word) => word.text.includes('==')),
    /^[\w.[\]-]+==@(.+)$/s,
  );
  const stdin = call.invocation.frame.stdin;
  const sends = body.texts.length > 0 || stdin.text !== undefined || stdin.origins.length > 0;
  return request(
    call,
    method ?? (sends ? 'POST' : 'GET'),
    {
      ...url,
      text: url.text.startsWith(':') ? `localhost${url.text}` : url.text,
      origins: joinOrigins(url.origins, asked.origins),
    },
    {
      texts: [...body.texts, stdin.text ?? ''].filter((text) => text !== ''),
      origins: joinOrigins(body.origins, stdin.origins),
    },
  );
};

const download: Special = (call) => {
  emitOptionFiles(call);
  let out: Stream = SILENT;
  for (const url of call.given.operands) {
    out = request(call, 'GET', url, { texts: [], origins: [] });
    const named = optionValue(call, '-o') ?? remoteName(url);
    call.invocation.state.files.set(target(call, named).id, { origins: ['download'] });
  }
  return out;
};

/** Names asked of the network; one built from local data carries it away. */
const lookup: Special = (call) => {
  const hosts = call.given.operands.filter((word) => !/^[@+]/.test(word.text));
  // ping fills its packets with it.
  const leaks = inName([...hosts, ...(/^f?ping6?$/.test(call.tool) ? values(call, '-p') : [])]);
  const long = hosts.some((word) => word.text.split('.').some((label) => label.length > 40));
  const metadata = hosts.some((word) => isMetadataHost(word.text));
  const targets = hosts.map((word) => ({ id: `host:${word.text}`, known: word.known, glob: false }));
  if (leaks.length > 0 || long) {
    emit(call, { targets, ...byName(leaks.length > 0 ? leaks : ['generated']) });
  } else emit(call, { targets, flags: ['remote', ...(metadata ? ['metadata_host'] : [])] });
  return { origins: ['file'] };
};

const mail: Special = (call) => {
  const { stdin } = call.invocation.frame;
  const attachments = values(call, '-a').filter((word) => /[./]/.test(word.text));
  for (const word of attachments) emit(call, { effect: 'read', operation: 'read', targets: [target(call, word)] });
  const to = call.given.operands.map((word) => ({ id: `recipient:${word.text}`, known: word.known, glob: false }));
  const origins = attachments.reduce<readonly Origin[]>(
    (all, word) => joinOrigins(all, [fileOrigin(call, target(call, word))]),
    stdin.origins,
  );
  emit(call, {
    targets: to,
    residue: [stdin.text ?? '', ...call.args.map((arg) => arg.text)],
    externality: { destination_visibility: 'partner', destination_ownership: 'third_party', ...payload(origins) },
  });
  return SILENT;
};

export const NETWORK_SPECIALS: { readonly [name: string]: Special } = {
  curl,
  wget,
  httpie,
  download,
  lookup,
  mail,
};
export { fileOrigin };
