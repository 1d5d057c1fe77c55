// Names of hosts that are not what they look like: addresses in other forms, letters of other alphabets.

/** Four numbers and nothing else: `10.evil.example` begins like one and is a name. */
export function isIpv4(name: string): boolean {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(name);
  return parts?.slice(1).every((part) => Number(part) <= 255) ?? false;
}

/** The IPv4 address within `::ffff:169.254.169.254` and its forms in hexadecimal. */
export function mappedIpv4(address: string): string | undefined {
  const match =
    /^(?:0{1,4}:){0,5}:{0,2}(?:0{1,4}:)?(?:ffff:)(?:(\d{1,3}(?:\.\d{1,3}){3})|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(
      address,
    );
  if (!match) return undefined;
  if (match[1] !== undefined) return isIpv4(match[1]) ? match[1] : undefined;
  const high = Number.parseInt(match[2] as string, 16);
  const low = Number.parseInt(match[3] as string, 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The address that public name servers read out of a name: `169.254.169.254.nip.io`, `10-0-0-1.sslip.io`. */
export function namedIpv4(host: string): string | undefined {
  const name =
    /^(?:.*[.-])?(\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3})\.(?:nip\.io|sslip\.io|xip\.io|localtest\.me|traefik\.me)$/.exec(
      host,
    )?.[1];
  const address = name?.replaceAll('-', '.');
  return address !== undefined && isIpv4(address) ? address : undefined;
}

/** Letters of other alphabets that cannot be told from Latin ones. */
const LATIN_LOOKS = /^[аеорсухіјѕһԁԛԝкмтвнгпьүӏαεικνορτυχԍɡıօսցոհզ0-9-]+$/u;

/** Whether a label mixes Latin with letters that look Latin, is made of such letters alone, or of styled Latin letters. */
export function isHomograph(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (!/[^ -~]|xn--/.test(name)) return false;
  return name.split('.').some((label) => {
    const text = label.startsWith('xn--') ? punycode(label.slice(4)) : label;
    // A label that says it is encoded and is not: nobody can tell what it would show.
    if (text === undefined) return true;
    if (!/[^ -~]/.test(text)) return false;
    if (text.normalize('NFKC') !== text && /^[\x20-\x7e]+$/.test(text.normalize('NFKC'))) return true;
    if (/[a-z]/.test(text)) return /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\u0131\u0261]/u.test(text);
    return LATIN_LOOKS.test(text);
  });
}

const BASE = 36;

/** RFC 3492; undefined when it cannot be decoded. At most 63 characters. */
export function punycode(text: string): string | undefined {
  if (text.length > 63) return undefined;
  const dash = text.lastIndexOf('-');
  const out = [...text.slice(0, Math.max(0, dash))].map((letter) => letter.charCodeAt(0));
  let code = 128;
  let index = 0;
  let bias = 72;
  for (let at = dash < 0 ? 0 : dash + 1; at < text.length; ) {
    const before = index;
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = digitOf(text.charCodeAt(at));
      at += 1;
      if (digit === undefined) return undefined;
      index += digit * weight;
      const threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < threshold) break;
      weight *= BASE - threshold;
      if (at >= text.length) return undefined;
    }
    const length = out.length + 1;
    bias = adapted(index - before, length, before === 0);
    code += Math.floor(index / length);
    if (code > 0x10ffff) return undefined;
    index %= length;
    out.splice(index, 0, code);
    index += 1;
  }
  return String.fromCodePoint(...out);
}

function digitOf(code: number): number | undefined {
  if (code >= 97 && code <= 122) return code - 97;
  return code >= 48 && code <= 57 ? code - 22 : undefined;
}

function adapted(delta: number, length: number, first: boolean): number {
  let rest = first ? Math.floor(delta / 700) : delta >> 1;
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > 455; k += BASE) rest = Math.floor(rest / 35);
  return k + Math.floor((36 * rest) / (rest + 38));
}
