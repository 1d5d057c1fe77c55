// Redirections: what a command reads from files, here-documents and here-strings, and what it writes.

import type { Redirection } from 'unbash';
import type { Frame, Walk } from './frame.ts';
import { type Arg, joinOrigins, NO_STREAM, type Stream } from './values.ts';
import { type Expander, expandQuoted, expandValue, expandWord } from './words.ts';

/** Undefined when standard input is left alone. */
export function readRedirects(
  walk: Walk,
  redirects: readonly Redirection[],
  words: readonly Arg[],
  expand: Expander,
  frame: Frame,
): Stream | undefined {
  const { state } = expand;
  let stdin: Stream | undefined;
  for (const redirect of redirects) {
    if (redirect.type === 'HereDoc') {
      const { body } = redirect;
      const value = body.parts ? expandQuoted(body.parts, expand) : { text: body.text, known: true, origins: [] };
      stdin =
        value.known || value.origins.length === 0
          ? { text: value.text, origins: value.origins }
          : { origins: value.origins };
    } else if (redirect.type === 'HereString') {
      const value = redirect.target ? expandValue(redirect.target, expand) : { text: '', known: true, origins: [] };
      stdin = value.known ? { text: `${value.text}\n`, origins: value.origins } : { origins: value.origins };
    } else if ((redirect.operator === '<' || redirect.operator === '<>') && redirect.target) {
      const target = expandWord(redirect.target, expand)[0];
      if (!target) continue;
      walk.judge.redirect({ direction: 'read', target, content: NO_STREAM, words, state, frame }, walk);
      stdin = { origins: joinOrigins(target.origins, ['file']), file: target };
    }
  }
  return stdin;
}

/** True when standard output goes to a file. */
export function writeRedirects(
  walk: Walk,
  redirects: readonly Redirection[],
  out: Stream,
  words: readonly Arg[],
  expand: Expander,
  frame: Frame,
): boolean {
  const { state } = expand;
  let redirected = false;
  for (const redirect of redirects) {
    if (redirect.type !== 'Redirect' || !redirect.target || redirect.operator.startsWith('<')) continue;
    const target = expandWord(redirect.target, expand)[0];
    if (!target || (redirect.operator === '>&' && /^[0-9]*-?$/.test(target.text))) continue;
    const descriptor = redirect.descriptor?.type === 'FileDescriptor' ? redirect.descriptor.value : 1;
    const content = descriptor === 2 ? NO_STREAM : out;
    const direction = redirect.operator.endsWith('>>') ? 'append' : 'write';
    walk.judge.redirect({ direction, target, content, words, state, frame }, walk);
    if (descriptor !== 2) redirected = true;
  }
  return redirected;
}
