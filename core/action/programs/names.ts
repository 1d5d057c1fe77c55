// What a program is called in the tables, whatever path or version it was written with.

const BIN_FOLDERS =
  /^(?:(?:\/usr)?(?:\/local)?\/s?bin|\/opt\/[^/]+\/(?:s?bin)|\/opt\/bin|\/snap\/bin|\/run\/current-system\/sw\/bin|(?:.*\/)?node_modules\/\.bin|(?:\.\/|.*\/)?vendor\/bin|(?:.*\/)?\.?v?env\/bin|.*\/\.(?:local|cargo|bun|deno|nvm|pyenv|rbenv|asdf|volta)\b.*\/(?:bin|shims))\/([^/]+)$/;
const VERSIONED =
  /^(python|pip|pypy|ruby|perl|php|lua|node|nodejs|gcc|g\+\+|clang|clang\+\+|java|go|pg_dump|psql)-?[0-9][0-9.]*$/;

const GNU =
  /^g(sed|grep|egrep|find|xargs|cp|mv|rm|ln|chmod|chown|date|sort|head|tail|cut|tr|tee|touch|mkdir|rmdir|stat|readlink|realpath|shred|truncate|timeout|dd|install|cat|ls|du|wc|env|base64|paste|make|mktemp)$/;

/** The name a table knows; undefined for a path to some other file. */
export function programName(text: string): string | undefined {
  let name = text;
  if (text.includes('/')) {
    const match = BIN_FOLDERS.exec(text);
    if (!match) return undefined;
    name = match[1] as string;
  }
  // What Homebrew calls the GNU programs.
  name = GNU.exec(name)?.[1] ?? name;
  if (name.endsWith('.exe')) name = name.slice(0, -4);
  return VERSIONED.exec(name)?.[1] ?? name;
}
