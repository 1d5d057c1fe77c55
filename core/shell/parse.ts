// Shell text to a syntax tree by a real Bash grammar, within stated bounds of length and nesting.
// Whatever cannot be parsed in full is opaque: a partial tree could hide a command, and still holds what Bash runs before it stumbles.

import type { ParsedScript } from 'unbash';
import { parse } from 'unbash';

/** UTF-16 code units. */
export const MAX_SHELL_TEXT = 64 * 1024;
/** Open brackets, substitutions and compound commands at any point; the parser's cost grows with nesting, not with length. */
export const MAX_SHELL_NESTING = 48;
const MAX_OPENERS = 4_000;
const MAX_HEREDOCS = 200;

export type Parsed = {
  readonly script?: ParsedScript;
  /** Why the script is not all there is. */
  readonly opaque?: 'too_long' | 'too_deep' | 'syntax';
};

/** Never throws. */
export function parseShell(text: string): Parsed {
  if (text.length > MAX_SHELL_TEXT) return { opaque: 'too_long' };
  if (tooDeep(text)) return { opaque: 'too_deep' };
  try {
    const script = parse(text);
    return script.errors && script.errors.length > 0 ? { script, opaque: 'syntax' } : { script };
  } catch {
    return { opaque: 'syntax' };
  }
}

const NESTING_WORDS = /\b(?:if|while|until|for|case|select|coproc|function)\b/g;

/** Counts without regard to quotes, so it can only overstate: a bound must hold for text that quotes wrongly, too. */
function tooDeep(text: string): boolean {
  let depth = 0;
  let openers = 0;
  let backticks = 0;
  let heredocs = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 40 || code === 123) {
      depth += 1;
      openers += 1;
      if (depth > MAX_SHELL_NESTING || openers > MAX_OPENERS) return true;
    } else if (code === 41 || code === 125) {
      if (depth > 0) depth -= 1;
    } else if (code === 96) backticks += 1;
    else if (code === 60 && text.charCodeAt(index + 1) === 60) heredocs += 1;
  }
  if (backticks > MAX_OPENERS || heredocs > MAX_HEREDOCS) return true;
  if (text.length < 256) return false;
  return (text.match(NESTING_WORDS)?.length ?? 0) > MAX_OPENERS;
}
