// Where the files of dependencies come from, as lock files record it: an address there is fetched and run on every machine.

import { isPrivateHost } from './urls.ts';

const LOCKS =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lock|deno\.lock|composer\.lock|Gemfile\.lock|poetry\.lock|pdm\.lock|uv\.lock|Pipfile\.lock|pylock(?:\.[\w-]+)?\.toml|Cargo\.lock|Podfile\.lock|Package\.resolved|pubspec\.lock|mix\.lock|packages\.lock\.json|gradle\.lockfile|flake\.lock|(?:gradle|maven)-wrapper\.properties)$/;
const ADDRESS = /\b(?:git\+)?(https?|git|ssh|ftp):\/\/(?:[^\s"'<>/@]{0,200}@)?(\[[0-9a-f:.]{2,45}\]|[\w.-]{1,253})/gi;
/** Keys under which a source stands; others tell where one may read or give. */
const SOURCE =
  /^[\s{[-]{0,80}"?(?:distributionUrl|wrapperUrl|resolved|resolution|tarball|remote|source|registry|git|index|repository|url)"?\s{0,8}[:=\s]/;
const NPM = /(?:package-lock|npm-shrinkwrap)\.json$/;
const ARCHIVE = /\.(?:git|zip|phar|tar\.\w{2,4}|tgz)"|\/(?:zipball|tarball)\//;
/** Where such files come from for everybody. */
const KNOWN =
  /(?:^|\.)(?:npmjs\.org|yarnpkg\.com|jsr\.io|pypi\.org|pythonhosted\.org|rubygems\.org|crates\.io|packagist\.org|github\.com|githubusercontent\.com|gitlab\.com|bitbucket\.org|codeload\.github\.com|pub\.dev|hex\.pm|nuget\.org|maven\.org|gradle\.org|apache\.org|pkg\.dev|deno\.land|esm\.sh|npmmirror\.com|cocoapods\.org|nixos\.org|pytorch\.org|drupal\.org)$/i;
const MAX_NAMED = 16;
const MAX_LINE = 4_096;

/** Made again by the next install, though with other versions. */
export const isLockFile = (path: string) => LOCKS.test(path);

/** Lock files that say beside it where one may give. */
const gives = (path: string) => NPM.test(path) || path.endsWith('composer.lock');

/**
 * Addresses that are new and that nobody vouches for: another host than every line that goes, without encryption or without
 * a name. Of a file written anew nobody knows what stood there, so that only the latter count.
 */
export function foreignSources(path: string, added: string, before: string | undefined): string[] {
  if (!LOCKS.test(path)) return [];
  const had = new Set(sources(before ?? '', path).map(({ host }) => host));
  const found = sources(added, path).filter(
    ({ scheme, host }) =>
      !had.has(host) &&
      !isPrivateHost(host) &&
      !KNOWN.test(host) &&
      (had.size > 0 || scheme === 'http' || scheme === 'ftp' || /^[\d.]+$|^\[/.test(host)),
  );
  return [...new Set(found.map(({ scheme, host }) => `${scheme}://${host}`))].slice(0, MAX_NAMED);
}

function sources(text: string, path: string): { readonly scheme: string; readonly host: string }[] {
  return (
    text
      .split('\n')
      .filter(
        (line) =>
          line.length < MAX_LINE && SOURCE.test(line) && !(gives(path) && /"url"/.test(line) && !ARCHIVE.test(line)),
      )
      // Properties escape the colon.
      .flatMap((line) => [...line.replaceAll('\\:', ':').matchAll(ADDRESS)])
      .map((match) => ({ scheme: (match[1] as string).toLowerCase(), host: (match[2] as string).toLowerCase() }))
  );
}
