// URLs as targets: scheme, host, path. User names, query and fragment never become part of one.

import type { PartExternality } from '../externality.ts';
import type { DraftTarget } from './draft.ts';
import { isIpv4, mappedIpv4, namedIpv4 } from './hosts.ts';

export type Address = {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  /** Carries a user name or password. */
  readonly credentials: boolean;
};

const LOOKS = /^([A-Za-z][A-Za-z0-9+.-]{0,20}):\/\/([^/?#\s]*)([^?#\s]*)(?:\?([^#]*))?/;

/** Undefined when the text has no host. Never throws. */
export function readUrl(text: string): Address | undefined {
  // These have a body in place of a host.
  if (/^\s*(?:data|javascript|vbscript|blob|about|mailto|tel):/i.test(text)) return undefined;
  // Of these programs take one slash, three, or backslashes for two.
  const usual = text.replace(/^\s*(https?|ftp|wss?):[\\/]+/i, '$1://');
  const match = LOOKS.exec(usual) ?? LOOKS.exec(`http://${usual}`);
  if (!match) return undefined;
  const authority = match[2] as string;
  const host = hostIn(authority);
  if (host === '') return undefined;
  return {
    scheme: (match[1] as string).toLowerCase(),
    host,
    path: match[3] || '/',
    query: match[4] ?? '',
    credentials: endedAtBackslash(authority).includes('@'),
  };
}

/** Browsers end a host at a backslash, curl goes on to an @ behind it: the metadata service counts, by whichever of the two. */
function hostIn(authority: string): string {
  const [first, ...others] = [endedAtBackslash(authority), authority].map((read) =>
    plainHost(spelledOut(read.slice(read.lastIndexOf('@') + 1).toLowerCase())),
  ) as [string, ...string[]];
  return others.find(isMetadataHost) ?? first;
}

function endedAtBackslash(authority: string): string {
  return authority.replace(/\\.*$/s, '');
}

/** As it is looked up: without percent signs, its dots as dots. */
function spelledOut(host: string): string {
  const dotted = host.replace(/[\u3002\uff0e\uff61]/g, '.');
  const plain = dotted.replace(/%([0-7][0-9a-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return /^[\w.-]+(?::\d*)?$/.test(plain) ? plain.toLowerCase() : dotted;
}

/** Without a default port and a final dot; decimal, octal and hex forms of an IPv4 address become the dotted one. */
function plainHost(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host);
  if (bracketed) return mappedIpv4(bracketed[1] as string) ?? `[${bracketed[1]}]`;
  const name = host.replace(/:(?:80|443)?$/, '').replace(/\.$/, '');
  if (!/^(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}$/.test(name)) return name;
  try {
    return new URL(`http://${name}/`).hostname;
  } catch {
    return name;
  }
}

export function urlTarget(word: { readonly text: string; readonly known: boolean }): DraftTarget {
  const url = readUrl(word.text);
  const id = url ? `url:${url.scheme}://${url.host}${url.path}` : `url:${word.text.replace(/[?#].*$/s, '')}`;
  return { id, known: word.known || hostKnown(word.text), glob: false };
}

/** `https://host/$X` still names its host. */
function hostKnown(text: string): boolean {
  const url = readUrl(text);
  return url !== undefined && !url.host.includes('$');
}

export function isLocalHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    (isIpv4(name) && name.startsWith('127.')) ||
    name === '[::1]' ||
    name === '::1' ||
    name === '0.0.0.0' ||
    name === 'host.docker.internal'
  );
}

export function isPrivateHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return (
    (isIpv4(name) &&
      /^10\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(name)) ||
    /^\[f(?:[cd][0-9a-f]{2}|e[89ab][0-9a-f]):/.test(name) ||
    /\.(?:local|internal|lan|intranet|corp|svc|cluster\.local)$/.test(name) ||
    !/[.:\]]/.test(name)
  );
}

/** Cloud instance metadata: whoever reads it holds the machine's credentials. */
export function isMetadataHost(host: string): boolean {
  const plain = host.replace(/:\d+$/, '');
  const name = namedIpv4(plain) ?? plain;
  return (
    [
      '169.254.169.254',
      '169.254.170.2',
      '100.100.100.200',
      'metadata.google.internal',
      'metadata',
      'instance-data',
      '[fd00:ec2::254]',
      '[fd20:ce::254]',
      '192.0.0.192',
    ].includes(name) || name.startsWith('169.254.')
  );
}

export function ownerOf(host: string): Pick<PartExternality, 'destination_ownership' | 'destination_visibility'> {
  if (isLocalHost(host)) return { destination_ownership: 'self', destination_visibility: 'private' };
  if (isPrivateHost(host)) return { destination_ownership: 'tenant', destination_visibility: 'organisation' };
  return { destination_ownership: 'third_party', destination_visibility: 'public' };
}
