// Makes ports/detectors/gitleaks/rules.json of the pinned rule file of gitleaks (MIT), taken through the Go module proxy:
// the rule file and the licence, nothing else of the module is read. `node bin/secret-rules.ts` writes, `--print` only shows (the test compares).

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundPattern, jsPattern } from './re2-to-js.ts';
import { readRuleFile, type SourceTable } from './toml-rules.ts';

export const MODULE = 'github.com/zricethezav/gitleaks/v8';
export const VERSION = 'v8.30.1';
/** As the Go checksum database has it: the proxy cannot give another module under this name. */
const MODULE_SUM = 'h1:PmEvCfVI7ti9dV3s5aMZUY7sS2GxRvG3yzih7E+cS3w=';
export const TARGET = join(import.meta.dirname, '..', 'ports', 'detectors', 'gitleaks', 'rules.json');

/** Rules left out by name, each with its reason. Whatever cannot be translated stops the generator instead. */
const LEFT_OUT: { readonly [id: string]: string } = {
  'pkcs12-file': 'names files, not text; core/action/places.ts knows them',
  'curl-auth-header': 'repeats within repeats; authorization headers are found by name',
  'curl-auth-user': 'repeats within repeats; the programs table knows what -u carries',
  'kubernetes-secret-yaml': 'repeats within repeats; assigned values are found by name',
  'freemius-secret-key': 'holds in PHP files alone, and the text has no name here',
  'hashicorp-tf-password': 'holds in Terraform files alone; assigned passwords are found by name',
  'nuget-config-password': 'holds in nuget.config alone; assigned passwords are found by name',
  'private-key': 'a whole key is found by its armour, also when it is cut off',
  jwt: 'found by its three parts, also in base64url without padding',
  'jwt-base64': 'a token within an encoding; decoded where outputs are read',
};

export type Rules = {
  readonly source: {
    readonly module: string;
    readonly version: string;
    readonly file: string;
    readonly sha256: string;
  };
  readonly licence: string;
  readonly left_out: { readonly [id: string]: string };
  readonly allow: { readonly values: readonly string[]; readonly words: readonly string[] };
  readonly rules: readonly Rule[];
};
export type Rule = {
  readonly id: string;
  /** Lower case; one of them stands inside whatever the pattern matches. */
  readonly keywords: readonly string[];
  readonly pattern: string;
  /** Bits per character that the secret has at least. */
  readonly entropy?: number;
  /** The secret's group; without it the first that matched, or the whole. */
  readonly group?: number;
  /** The name of the product has to stand before the secret, whose own shape is common. */
  readonly named?: true;
  /** What is no secret: by the secret itself, by the whole match, by a word inside it. */
  readonly allow_values?: readonly string[];
  readonly allow_matches?: readonly string[];
  readonly allow_words?: readonly string[];
};

export function generate(config: string, licence: string): Rules {
  const { tables, allow } = readRuleFile(config);
  const left: { [id: string]: string } = {};
  const rules: Rule[] = [];
  for (const table of tables) {
    const reason = LEFT_OUT[table.id];
    if (reason !== undefined) left[table.id] = reason;
    else rules.push(ruleOf(table, left));
  }
  const unknown = Object.keys(LEFT_OUT).filter((id) => left[id] === undefined);
  if (unknown.length > 0) throw new Error(`left out, but not in the file: ${unknown.join(', ')}`);
  const allowed = { values: patterns(allow.regexes, left), words: allow.stopwords ?? [] };
  return {
    source: { module: MODULE, version: VERSION, file: 'config/gitleaks.toml', sha256: sha256(config) },
    licence,
    left_out: left,
    allow: allowed,
    rules: rules.sort((left, right) => (left.id < right.id ? -1 : 1)),
  };
}

/** Names come first in these; what stands before the name says nothing. */
const NAME_FIRST = /^((?:\(\?i\))?)\[\\w\.-\]\{0,50\}\?((?:\(\?i:\[\\w\.-\]\{0,50\}\?)?)/;

function ruleOf(table: SourceTable, left: { [what: string]: string }): Rule {
  const { id, regex, path } = table;
  if (regex === undefined || path !== undefined) throw new Error(`${id}: has no pattern, or only holds in some files`);
  if ((table.keywords ?? []).length === 0) throw new Error(`${id}: has no keyword`);
  const named = NAME_FIRST.test(regex);
  const shorter = regex.replace(NAME_FIRST, (_, flags: string, inner: string) => flags + (inner === '' ? '' : '(?i:'));
  const pattern = boundPattern(jsPattern(shorter), id);
  const allowed = table.allowlists.filter(({ paths, regexTarget }) => paths === undefined && regexTarget !== 'line');
  const of = (target: string | undefined) =>
    patterns(
      allowed.filter((one) => one.regexTarget === target).flatMap((one) => one.regexes ?? []),
      left,
    );
  const words = allowed.flatMap((one) => one.stopwords ?? []);
  return {
    id,
    keywords: (table.keywords ?? []).map((word) => word.toLowerCase()),
    pattern,
    ...(table.entropy !== undefined && { entropy: table.entropy }),
    ...(table.secretGroup !== undefined && { group: table.secretGroup }),
    ...(named && { named: true as const }),
    ...optional('allow_values', of(undefined)),
    ...optional('allow_matches', of('match')),
    ...optional('allow_words', words),
  };
}

/** An allow-list that is shorter finds more, never less: what cannot be bounded is left out and listed. */
function patterns(list: readonly string[] | undefined, left: { [what: string]: string }): string[] {
  return (list ?? []).flatMap((text) => {
    try {
      return [boundPattern(jsPattern(text), text)];
    } catch (error) {
      left[`allowed: ${text}`] = (error as Error).message.replace(`${text}: `, '');
      return [];
    }
  });
}

function optional(name: string, list: readonly string[]): { readonly [name: string]: readonly string[] } {
  return list.length === 0 ? {} : { [name]: list };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Throws what `go` says when it is not there or the proxy does not answer. */
export function fetchSource(): { config: string; licence: string } {
  const args = ['mod', 'download', '-json', `${MODULE}@${VERSION}`];
  const told = JSON.parse(execFileSync('go', args, { encoding: 'utf8', timeout: 120_000 }));
  if (told.Sum !== MODULE_SUM) throw new Error(`${MODULE}@${VERSION} has the sum ${told.Sum}, not ${MODULE_SUM}`);
  const read = (name: string) => readFileSync(join(told.Dir, name), 'utf8');
  return { config: read(join('config', 'gitleaks.toml')), licence: read('LICENSE') };
}

export function rulesText(): string {
  const { config, licence } = fetchSource();
  return `${JSON.stringify(generate(config, licence), null, 1)}\n`;
}

if (import.meta.main) {
  const text = rulesText();
  if (process.argv[2] === '--print') process.stdout.write(text);
  else writeFileSync(TARGET, text);
}
