// Cmdlets that reach the network: what is asked for, what is sent, where the answer goes.

import { requestDraft } from './http.ts';
import { argumentsOf, place } from './powershell-files.ts';
import type { PsCommand, PsWord } from './powershell-parse.ts';
import { add, type Flow, flowsIn, type Powershell } from './powershell-state.ts';
import { transferOf, unseenProgram } from './unseen-download.ts';

const REQUESTS = new Set([
  'invoke-webrequest',
  'invoke-restmethod',
  'start-bitstransfer',
  'curl',
  'wget',
  'bitsadmin',
  'certutil',
]);

/** What the answer carries; undefined when it is no request of PowerShell's own. */
export function readRequest(
  state: Powershell,
  name: string,
  command: PsCommand,
  into: ReadonlySet<Flow>,
): ReadonlySet<Flow> | undefined {
  if (!REQUESTS.has(name)) return undefined;
  const { operands, options } = argumentsOf(command);
  // In Windows PowerShell these two are names of a cmdlet; with options of the programs they are the programs.
  const own =
    !/^(?:curl|wget|bitsadmin|certutil)$/.test(name) ||
    [...options.keys()].some((option) => /^-(?:uri|outfile|useb|method|body)/.test(option));
  if (!own) {
    const transfer = transferOf([name, ...command.words.slice(1).map(({ text }) => text)]);
    if (transfer === undefined) return undefined;
    add(state, 'http', 'fetch', { flags: ['remote'], residue: [command.source] });
    const file = transfer.file === undefined ? undefined : { text: transfer.file, known: !/[$%]/.test(transfer.file) };
    if (file) saved(state, transfer.address ?? '', file);
    return new Set();
  }
  const address =
    options.get('-uri') ??
    options.get('-url') ??
    options.get('-source') ??
    operands.find((word) => /^(?:https?|ftp):|^\$/i.test(word.text)) ??
    operands[0];
  const method = options.get('-method')?.text ?? (options.has('-infile') ? 'PUT' : 'GET');
  const body = options.get('-body') ?? options.get('-infile') ?? options.get('-form');
  const draft = requestDraft({
    method,
    url: { text: address?.text ?? '', known: address?.known === true },
    body: body ? [body.text] : into.size > 0 && method !== 'GET' ? [command.source] : [],
    tool: 'http',
  });
  if (options.has('-infile')) {
    const file = options.get('-infile');
    if (file)
      add(state, 'http', 'read', {
        operation: 'read',
        targets: [place(file, state.where)],
        scope: undefined,
        residue: [],
      });
  }
  // What was read here and put into the address leaves with it.
  const taken =
    address && draft?.effect === 'fetch' && draft.scope === 'remote' ? flowsIn(state, address, into) : NOTHING;
  if (draft && leaves(taken))
    state.drafts.push({
      ...draft,
      effect: 'send',
      flags: ['windows', ...new Set([...draft.flags, 'data_in_url'])],
      externality: { ...draft.externality, external_write: true, ...carrying(taken) },
    });
  else if (draft)
    state.drafts.push({
      ...draft,
      flags: ['windows', ...draft.flags],
      ...(into.has('secret') &&
        draft.effect === 'send' && { externality: { ...draft.externality, sensitive_payload: 'secret' as const } }),
    });
  else add(state, 'http', 'fetch', { flags: ['remote'], residue: [command.source] });
  const file =
    options.get('-outfile') ?? options.get('-destination') ?? (name === 'start-bitstransfer' ? operands[1] : undefined);
  if (!file) return new Set<Flow>(draft?.effect === 'read_credential' ? ['download', 'secret'] : ['download']);
  saved(state, address?.text ?? '', file);
  return new Set();
}

/** What was fetched lies in a file now. */
export function saved(state: Powershell, address: string, file: Pick<PsWord, 'text' | 'known'>): void {
  add(state, 'file', 'write', {
    operation: 'write',
    targets: [place(file, state.where)],
    flags: ['truncate', 'from_network'],
    scope: undefined,
    residue: ['download'],
  });
  state.fetched.add(lastName(file.text));
  const held = address.replace(/^["']?\$\{?(\w{1,64})\}?["']?$/, (all, name: string) => {
    return state.variables.get(name.toLowerCase())?.text ?? all;
  });
  if (unseenProgram(held, file.text))
    add(state, 'http', 'run_opaque', { operation: 'download', residue: [address, file.text] });
}

const LOOKUPS = /^(?:resolve-dnsname|test-connection|test-netconnection|nslookup|tracert|pathping)$/;

/** Names asked of the network: undefined where nothing of here is in them. */
export function readLookup(
  state: Powershell,
  name: string,
  command: PsCommand,
  into: ReadonlySet<Flow>,
): ReadonlySet<Flow> | undefined {
  if (!LOOKUPS.test(name)) return undefined;
  const { operands, options } = argumentsOf(command);
  const host = options.get('-name') ?? options.get('-computername') ?? options.get('-targetname') ?? operands[0];
  const taken = host ? flowsIn(state, host, into) : NOTHING;
  if (!host || !leaves(taken)) return undefined;
  add(state, name, 'send', {
    operation: 'look up',
    targets: [{ id: `host:${host.text}`, known: false, glob: false }],
    flags: ['data_in_name', 'remote'],
    scope: 'remote',
    residue: [command.source],
    externality: {
      destination_visibility: 'public',
      destination_ownership: 'third_party',
      external_write: true,
      ...carrying(taken),
    },
  });
  return new Set<Flow>(['download']);
}

const NOTHING: ReadonlySet<Flow> = new Set();

function leaves(flows: ReadonlySet<Flow>): boolean {
  return flows.has('file') || flows.has('secret');
}

function carrying(flows: ReadonlySet<Flow>): { readonly sensitive_payload: 'secret' | 'unknown' } {
  return { sensitive_payload: flows.has('secret') ? 'secret' : 'unknown' };
}

function lastName(path: string): string {
  return path
    .slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
    .toLowerCase()
    .replace(/\.(?:exe|cmd|bat|ps1)$/, '');
}
