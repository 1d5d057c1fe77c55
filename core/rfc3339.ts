// Times as Beacon writes them: RFC 3339 in UTC with milliseconds, in one spelling (`2026-01-31T12:00:00.000Z`).

const SPELT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** As far as the second: the receipts of some seconds name the same few. */
const SECOND_CHARACTERS = 19;
const MAX_SECONDS = 256;

/** Seconds since 1970 to how they are written, as far as the point. */
const written = new Map<number, string>();
/** Seconds, as written, that were found to be some. */
const sound = new Set<string>();

/** `time`: milliseconds since 1970; parts of one are cut off. Throws RangeError where that is no time. */
export function rfc3339(time: number): string {
  const ms = Math.trunc(time);
  const second = Math.floor(ms / 1_000);
  let text = written.get(second);
  if (text === undefined) {
    text = new Date(ms).toISOString().slice(0, -'000Z'.length);
    if (written.size >= MAX_SECONDS) written.clear();
    written.set(second, text);
  }
  return `${text}${String(ms - second * 1_000).padStart(3, '0')}Z`;
}

/** False for another spelling and for what names no instant (30 February). */
export function isRfc3339(text: string): boolean {
  if (!SPELT.test(text)) return false;
  const second = text.slice(0, SECOND_CHARACTERS);
  if (sound.has(second)) return true;
  const ms = Date.parse(text);
  // Date.parse rolls 30 February over.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) return false;
  if (sound.size >= MAX_SECONDS) sound.clear();
  sound.add(second);
  return true;
}
