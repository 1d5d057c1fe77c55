// What program text names besides its calls: keys below the home folder it puts together, lines of a notebook for a shell.

import type { Invocation } from '../shell/frame.ts';
import { literal } from '../shell/values.ts';
import { type DraftTarget, fileTarget } from './draft.ts';
import { placeOf } from './places.ts';
import type { Meaning } from './programs/call.ts';

const MAX_PLACES = 16;
const NAMES_HOME = /\bhomedir\b|\bexpanduser\b|\bPath\.home\b|\bDir\.home\b|\bHOME\b|\bUSERPROFILE\b/;

/** `HOME + '/.aws/credentials'`, `Path.home().joinpath('.ssh')`: a path put together from the home folder is one of it. */
/** What the library for `.env` read, rather than what it sets. */
const SHOWS_SETTINGS = /\bdotenv\b[\s\S]{0,200}(?:\.parsed\b|\bdotenv_values\s{0,4}\()/;

export function homeKeys(
  text: string,
  literals: readonly string[],
  invocation: Invocation,
  meaning: Meaning,
): DraftTarget[] {
  const out: DraftTarget[] = [];
  if (SHOWS_SETTINGS.test(text))
    out.push(fileTarget(literal('.env'), invocation.state.cwd, meaning.where, invocation.frame.remote));
  if (!NAMES_HOME.test(text)) return out;
  for (const item of literals) {
    if (out.length >= MAX_PLACES || item.length > 200 || !/^\/?\.?[\w.-]+(?:\/[\w.-]+){0,8}$/.test(item)) continue;
    const path = literal(`~/${item.replace(/^\//, '')}`);
    const place = fileTarget(path, invocation.state.cwd, meaning.where, invocation.frame.remote);
    if (placeOf(place.id.replace(/^file:/, ''), false, meaning.where).tags.includes('credential')) out.push(place);
  }
  return out;
}
