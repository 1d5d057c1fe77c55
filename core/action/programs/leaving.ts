// What leaves without being called a body: an address that is put together here takes along what was read for it, whatever
// program asks for it, and so does a stream that another machine is fed with.

import type { Invocation } from '../../shell/frame.ts';
import { type Arg, joinOrigins, type Origin, type Stream } from '../../shell/values.ts';
import type { Draft } from '../draft.ts';
import type { Effect } from '../types.ts';
import { isLocalHost, ownerOf, readUrl, urlTarget } from '../urls.ts';
import type { Meaning } from './call.ts';

const OF_HERE: ReadonlySet<Origin> = new Set([
  'file',
  'generated',
  'credential',
  'secret',
  'stored',
  'personal',
  'regulated',
]);

/** What was read or made here, of all that a word or a stream holds. */
export function ofHere(origins: readonly Origin[]): readonly Origin[] {
  return origins.filter((origin) => OF_HERE.has(origin));
}

const ADDRESS = /^(?:--?[\w-]{1,40}=)?(?=[a-z][a-z0-9+.-]{1,20}:\/\/)/i;
/** Who asks: that is no data. */
const USER = /(?<=:\/\/)[^/?#@\s]*@/;
const ASKS: ReadonlySet<Effect> = new Set(['fetch', 'install_local', 'install_system', 'build']);
/** They open whatever they are given; an address is asked for. */
const BROWSERS = /^(?:open|xdg-open|lynx|w3m|e?links2?|firefox|chromium|google-chrome|sensible-browser)$/;

/** Reads a command, and tells what its addresses carry where its own reading did not. */
export function addressed(invocation: Invocation, meaning: Meaning, read: (meaning: Meaning) => Stream): Stream {
  const words = invocation.words.slice(1).filter(carries);
  if (words.length === 0) return read(meaning);
  let asks = false;
  let told = false;
  let tool = 'shell';
  const add = (draft: Draft) => {
    tool = draft.tool;
    asks ||= ASKS.has(draft.effect) || BROWSERS.test(draft.tool);
    told ||= draft.effect === 'send' || draft.flags.includes('data_in_url') || draft.flags.includes('data_in_name');
    meaning.add(draft);
  };
  const out = read({ ...meaning, add });
  if (asks && !told) for (const word of words) meaning.add(leaving(word, tool, invocation));
  return out;
}

function carries(word: Arg): boolean {
  if (word.known || ofHere(word.origins).length === 0 || !ADDRESS.test(word.text)) return false;
  const address = addressIn(word);
  const url = readUrl(address);
  return (
    address.includes('$') && url !== undefined && url.scheme !== 'file' && !isLocalHost(url.host.replace(/:\$.*$/, ''))
  );
}

function addressIn(word: Arg): string {
  return word.text.replace(ADDRESS, '').replace(USER, '');
}

function leaving(word: Arg, tool: string, { frame }: Invocation): Draft {
  const address = addressIn(word);
  return {
    tool,
    operation: 'address',
    effect: 'send',
    targets: [urlTarget({ text: address, known: false })],
    flags: ['data_in_url', 'remote', ...frame.flags],
    scope: 'remote',
    residue: [address],
    externality: {
      ...ownerOf(readUrl(address)?.host ?? ''),
      external_write: true,
      ...payload(ofHere(word.origins)),
    },
    range: frame.range,
  };
}

export function payload(origins: readonly Origin[]): NonNullable<Draft['externality']> {
  if (origins.includes('credential') || origins.includes('secret')) return { sensitive_payload: 'secret' };
  if (origins.includes('regulated')) return { sensitive_payload: 'regulated' };
  if (origins.includes('personal')) return { sensitive_payload: 'pii' };
  return origins.includes('file') || origins.includes('generated') ? { sensitive_payload: 'unknown' } : {};
}

/** A name that is asked of the network, or an address that is connected to, and what it was put together from. */
export function inName(words: readonly (Arg | undefined)[]): readonly Origin[] {
  return words.reduce<readonly Origin[]>((all, word) => joinOrigins(all, ofHere(word?.origins ?? [])), []);
}

/** How a part is told that sends by a name. */
export function byName(origins: readonly Origin[]): Pick<Draft, 'effect' | 'flags' | 'externality'> {
  return {
    effect: 'send',
    flags: ['data_in_name', 'remote'],
    externality: {
      destination_visibility: 'public',
      destination_ownership: 'third_party',
      external_write: true,
      ...payload(origins),
    },
  };
}
