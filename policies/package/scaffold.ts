// A new package from policies/template: one that `test` and `build` pass at once.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BeaconError } from '../../core/errors.ts';

const TEMPLATE = join(import.meta.dirname, '..', 'template');
/** Under another name there, where it would hold for the template itself. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** The files written, in their folder. Throws `conflict` when the folder holds anything. */
export function scaffold(folder: string, { name, tenants }: { name: string; tenants: readonly string[] }): string[] {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new BeaconError('conflict', `${folder} is not empty`);
  const words: Readonly<Record<string, string>> = {
    name,
    tenant: tenants[0] ?? '',
    tenants_words: tenants.length === 1 ? `the tenant \`${tenants[0]}\`` : `the tenants ${tenants.join(', ')}`,
  };
  const files = readdirSync(TEMPLATE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const manifest = { name, revision: '0.1.0', tenants };
  writeFileSync(join(folder, 'policy.json'), `${JSON.stringify(manifest, null, 2)}\n`, { flag: 'wx' });
  const placed = files.map(({ parentPath, name: file }) => {
    const source = join(parentPath, file);
    const place = RENAMED[file] ?? source.slice(TEMPLATE.length + 1);
    const text = readFileSync(source, 'utf8').replaceAll(/\{\{([a-z_]+)\}\}/g, (_, word: string) => words[word] ?? '');
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    writeFileSync(join(folder, place), text, { flag: 'wx' });
    return place;
  });
  return ['policy.json', ...placed].sort();
}
