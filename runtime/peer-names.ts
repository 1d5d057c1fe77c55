// The names a certificate carries, out of the one line Node gives.

/** `DNS:a, URI:b, IP Address:…`; Node quotes a value that holds what could be taken for a separator. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/** The DNS and URI names, in order. A quoted value, and everything in a line that cannot be read, is nobody's name. */
export function peerNamesOf(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined) return [];
  const names: string[] = [];
  let at = 0;
  while (at < subjectAltName.length) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(subjectAltName);
    if (match === null) return [];
    const [, kind, value = ''] = match;
    if ((kind === 'DNS' || kind === 'URI') && value !== '' && !value.startsWith('"')) names.push(value);
    at = ENTRY.lastIndex;
  }
  return names;
}
