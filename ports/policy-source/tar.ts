// The headers of a tar archive in memory, read once from front to back. Whoever sends the archive is not trusted and
// nothing of it is verified yet, so each block costs the same and no entry can change how another is read.

/** Of the POSIX ustar format, which GNU tar and bsdtar write for short names. */
export type TarEntry = {
  /** As it stands there; prefix and name joined. */
  readonly name: string;
  /** What only describes the next entry is `extended`: its text is passed over, never parsed. */
  readonly type: 'file' | 'directory' | 'extended' | 'other';
  /** In the archive, which need not be whole. */
  readonly at: number;
  readonly size: number;
};

const BLOCK = 512;
const NUL = 0;
const SPACE = 0x20;
const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '\0': 'file',
  '5': 'directory',
  x: 'extended',
  g: 'extended',
};

/**
 * Each entry before its content is looked at, up to the two empty blocks that end an archive. Throws an Error for a
 * header whose checksum or numbers are wrong, and for an archive that ends early or goes on after its end.
 */
export function* tarEntries(tar: Uint8Array): Generator<TarEntry> {
  for (let at = 0; ; ) {
    const header = blockAt(tar, at);
    if (isZero(header)) {
      if (at + 2 * BLOCK > tar.length || !isZero(tar.subarray(at))) throw new Error('the archive has no proper end');
      return;
    }
    if (octal(header, 148, 8) !== checksum(header)) throw new Error('a header has another checksum');
    const size = octal(header, 124, 12);
    const entry = { name: nameOf(header), type: typeOf(header), at: at + BLOCK, size };
    if (entry.at + size > tar.length) throw new Error('an entry goes on after the archive');
    yield entry;
    at = entry.at + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function blockAt(tar: Uint8Array, at: number): Uint8Array {
  if (at + BLOCK > tar.length) throw new Error('the archive ends early');
  return tar.subarray(at, at + BLOCK);
}

function typeOf(header: Uint8Array): TarEntry['type'] {
  return TYPES[String.fromCharCode(header[156] as number)] ?? 'other';
}

function nameOf(header: Uint8Array): string {
  // GNU tar's own format says `ustar  ` and keeps times where POSIX has the prefix.
  const prefix = text(header, 257, 6) === 'ustar' ? text(header, 345, 155) : '';
  const name = text(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function text(header: Uint8Array, from: number, length: number): string {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(NUL);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

/** Digits, then NUL or space. Sizes beyond 8 GiB are spelt otherwise and are none of ours. */
function octal(header: Uint8Array, from: number, length: number): number {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(Buffer.from(header.subarray(from, from + length)).toString('latin1'))?.[1];
  if (digits === undefined) throw new Error('a header has a number that cannot be read');
  return Number.parseInt(digits, 8);
}

/** The sum of the header's bytes, with its own field as spaces. */
function checksum(header: Uint8Array): number {
  let sum = 8 * SPACE;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] as number;
  return sum;
}

function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
