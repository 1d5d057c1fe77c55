// A program that is fetched from nobody can say where: the address is put together, or stands in a variable.

const PROGRAM = /\.(?:exe|dll|msix?|scr|com|cpl|bat|cmd|ps1|psm1|hta|vbs|vbe|wsf|sct|lnk)["']?$/i;
const HOST = /^["']?(?:https?|ftps?):\/\/(?:[^/?#@\s]*@)?[\w[][\w.:[\]-]*(?=[/?#"']|$)/i;

export function unseenProgram(address: string, file: string): boolean {
  return PROGRAM.test(file) && !HOST.test(address);
}

export type Transfer = { readonly address: string | undefined; readonly file: string | undefined };

/** `certutil -urlcache -split -f ADDRESS FILE`, `bitsadmin /transfer JOB … ADDRESS FILE`: undefined where nothing is fetched. */
export function transferOf(words: readonly string[]): Transfer | undefined {
  const line = words.join(' ');
  if (!/certutil.*[-/](?:urlcache|verifyctl\b.*[-/](?:split|f)\b)|bitsadmin.*\/(?:transfer|addfile)/i.test(line))
    return undefined;
  if (/[-/]urlcache\b.*\s(?:delete|\*\s+delete)\b/i.test(line)) return undefined;
  const given = words.slice(1).filter((word) => !/^(?:-\w|\/[a-z]+$)/i.test(word));
  const at = given.findIndex((word) => /^["']?(?:https?|ftps?|file):|^["']?[$%]/i.test(word));
  return { address: given[at], file: given[at + 1] ?? (at < 0 ? given.at(-1) : undefined) };
}
