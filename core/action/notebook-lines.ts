// Lines of a notebook that are none of its language.

/** Notebooks hand lines to a shell: `!cmd`, `%sx cmd`, a cell that begins with `%%bash`. */
export function notebookLines(text: string): string {
  if (!text.includes('!') && !text.includes('%')) return '';
  const cell = /^\s{0,40}%%(?:bash|sh|script\s{1,8}(?:ba)?sh|sx|system)\b[^\n]{0,200}\n([\s\S]*)$/.exec(text)?.[1];
  if (cell !== undefined) return cell;
  return [...text.matchAll(/^[ \t]{0,40}(?:\w{1,40} {0,4}= {0,4})?(?:!{1,2}|%(?:sx|system) )([^=\n][^\n]{0,2000})$/gm)]
    .map((match) => match[1] as string)
    .join('\n');
}
