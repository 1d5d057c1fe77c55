// Programs that hold keys: what leaves a key store, what is decrypted, what is made.

import { type Arg, joinOrigins, literal } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { byRule, emit, emitOptionFiles, optionValue, outOf, residueOf, SILENT, type Special, target } from './call.ts';

const gpg: Special = (call) => {
  emitOptionFiles(call);
  const files = call.given.operands.map((word) => target(call, word));
  const any = (names: string) =>
    names.split(' ').some((name) => call.args.some((arg) => arg.text === name || arg.text.startsWith(`${name}=`)));
  if (any('--export-secret-keys --export-secret-subkeys')) {
    emit(call, { effect: 'read_credential', operation: 'export secret key', residue: [] });
    return { origins: ['credential'] };
  }
  if (any('--delete-secret-keys --delete-secret-and-public-key --delete-secret-key'))
    emit(call, {
      effect: 'identity_change',
      operation: 'delete key',
      flags: ['destructive'],
      residue: residueOf(call, call.given.operands),
    });
  else if (any('--send-keys'))
    emit(call, { effect: 'publish', operation: 'send key', residue: residueOf(call, call.given.operands) });
  else if (
    any(
      '--import --recv-keys --gen-key --full-gen-key --generate-key --full-generate-key --quick-generate-key --quick-gen-key --edit-key --sign-key --lsign-key --delete-keys --delete-key --quick-add-key --import-ownertrust',
    )
  )
    emit(call, {
      effect: 'identity_change',
      operation: 'keys',
      residue: residueOf(call, call.given.operands),
      scope: 'home',
    });
  else if (any('-d --decrypt')) {
    emit(call, { effect: 'read', operation: 'decrypt', targets: files });
    return { origins: joinOrigins(call.invocation.frame.stdin.origins, ['decoded', 'secret']) };
  } else if (
    any(
      '--verify -k -K --list-keys --list-secret-keys --list-sigs --check-sigs --fingerprint --list-packets --export --print-md --show-keys --dearmor',
    ) ||
    files.length === 0
  ) {
    emit(call, { effect: 'read', operation: 'list', targets: files, metadata: true });
    return outOf({ ...call, effect: 'read' }, files);
  } else emit(call, { effect: 'read', operation: 'encrypt', targets: files });
  return SILENT;
};

const sshKeygen: Special = (call) => {
  const words = call.args.map((arg) => arg.text);
  if (words.some((word) => /^-[lFBLH]$|^-[lFB]/.test(word)) && !words.includes('-R')) {
    emit(call, { effect: 'read', operation: 'list', metadata: true });
    return { origins: ['file'] };
  }
  const file = optionValue(call, '-f');
  if (words.includes('-y')) {
    emit(call, { effect: 'read', operation: 'public key', targets: file ? [target(call, file)] : [], metadata: true });
    return { origins: ['file'] };
  }
  if (words.includes('-R'))
    emit(call, { effect: 'write', operation: 'forget host', targets: [target(call, literal('~/.ssh/known_hosts'))] });
  else
    emit(call, {
      effect: 'identity_change',
      operation: 'new key',
      targets: [target(call, file ?? literal('~/.ssh/id_ed25519'))],
      metadata: true,
    });
  return SILENT;
};

/** `openssl enc -d`, `openssl base64 -d`: decoding text that may then run. */
const opensslEnc: Special = (call) => {
  emitOptionFiles(call);
  const from = optionValue(call, '-in');
  const to = optionValue(call, '-out');
  const { stdin } = call.invocation.frame;
  const sources = from ? [target(call, from)] : [];
  if (sources.length > 0) emit(call, { effect: 'read', operation: 'read', targets: sources, residue: [] });
  const decodes = call.flags.includes('decode');
  const base64 = call.args.some((arg: Arg) => /^-?(?:a|base64)$/.test(arg.text)) || call.operation === 'base64';
  const ciphered = call.args.some((arg: Arg) => /^-(?:aes|des|chacha|camellia|bf|rc4|k|K|pass|pbkdf2)/.test(arg.text));
  if (to) {
    const place = target(call, to);
    emit(call, { effect: 'write', operation: 'write', targets: [place], flags: ['truncate'], residue: ['openssl'] });
    call.invocation.state.files.set(place.id, { origins: decodes ? ['decoded'] : ['generated'] });
    return SILENT;
  }
  if (sources.length === 0) emit(call, { effect: 'none' });
  if (decodes && base64 && !ciphered && stdin.text !== undefined && !from)
    return { text: Buffer.from(stdin.text, 'base64').toString('utf8'), origins: stdin.origins };
  return {
    origins: joinOrigins(joinOrigins(stdin.origins, sources.length > 0 ? ['file'] : []), decodes ? ['decoded'] : []),
  };
};

/** `store | docker login --password-stdin`: the secret goes from its store to the tool that uses it, and nobody sees it. */
const registryLogin: Special = (call) => {
  const { origins } = call.invocation.frame.stdin;
  const takes = ['--password-stdin', '--with-token', '--token-stdin', '--api-key-stdin'].some((name) =>
    call.args.some((arg) => arg.text === name),
  );
  if (!takes || !origins.includes('stored')) return byRule(call);
  call.meaning.handOver();
  emit(call, {
    effect: 'secret_fetch',
    operation: 'login',
    flags: ['to_process'],
    targets: call.given.operands.map((word) => ({ id: `registry:${word.text}`, known: word.known, glob: false })),
    residue: residueOf(call),
  });
  return SILENT;
};

/** `terraform output -raw db_password`: what is asked for is a secret by its name. */
const namedSecret: Special = (call) => {
  const secret = call.given.operands.some((word) =>
    /passw(?:or)?d|secret|token|credential|private_?key|api_?key|access_?key/i.test(word.text),
  );
  if (!secret) return byRule(call);
  emit(call, {
    effect: 'secret_fetch',
    targets: call.given.operands.map((word) => plainTarget(`secret:${word.text}`)),
  });
  return { origins: ['secret', 'stored'] };
};

export const KEY_SPECIALS: { readonly [name: string]: Special } = {
  gpg,
  'registry-login': registryLogin,
  'named-secret': namedSecret,
  'ssh-keygen': sshKeygen,
  'openssl-enc': opensslEnc,
};
