// Text for the console of a framework (Ruby, PHP) that only asks for records and prints them: every word of it is a class, a name of
// its own or one of the questions below. Ruby calls without brackets, so words are looked at and not calls.

import { withoutStrings } from './code-strings.ts';

const QUESTIONS = new Set(
  'puts p pp print echo dump var_dump dd return where find find_by findOrFail count first last limit order orderBy latest oldest take skip offset pluck ids exists exists? all includes with joins left_joins select group groupBy having sum average avg minimum maximum min max size length to_a to_sql toSql toArray toJson explain inspect attributes name email id map each do end collect distinct not none none? any any? present? blank? keys values to_json as_json column_names reflections table_name get value query new compact uniq sort sort_by sort_by! reverse group_by tally to_h to_s to_i join each_with_index created_at updated_at status title true false nil null and or if unless else in ago day days hour hours week weeks month months minutes now today current yesterday beginning_of_day end_of_day connection_db_config class foreach as'.split(
    ' ',
  ),
);
const REACHING =
  /\b(?:ENV|Kernel|Process|Marshal|ObjectSpace|IO|File|Dir|FileUtils|Open3|URI|Net|Http|Storage|Artisan|DB|Config|Crypt|ActiveRecord|Rails)\b/;

export function readsRecords(text: string): boolean {
  // What is computed inside a string is not seen, nor what runs a command.
  if (text.length > 2_000 || /[`%$@]x|`|#\{|%[xwqQ]|<<|\$\{|\{\$|&&?:?[a-z_]+!|__/.test(text)) return false;
  const bare = withoutStrings(text).replace(/#[^\n]*|\/\/[^\n]*/g, '');
  if (REACHING.test(bare) || /!\s|[^=!<>]=\s{0,4}""\s{0,4}\./.test(bare)) return false;
  // A member that is set changes a record.
  if (
    /(?:\.|->|\])\s{0,4}\w{1,60}\s{0,4}(?:[-+*/|&]|\|\||&&)?=(?![=>~])/.test(bare) ||
    /<<|\]\s{0,4}=(?![=>])/.test(bare)
  )
    return false;
  const own = new Set([
    ...[...bare.matchAll(/(?:^|[\n;])\s{0,20}\$?([a-z_]\w{0,60})\s{0,4}=(?![=>~])/g)].map((match) => match[1]),
    ...[...bare.matchAll(/\|\s{0,4}([a-z_]\w{0,30}(?:\s{0,4},\s{0,4}[a-z_]\w{0,30}){0,4})\s{0,4}\|/g)].flatMap(
      (match) => (match[1] as string).split(/\s{0,4},\s{0,4}/),
    ),
  ]);
  for (const match of bare.matchAll(/(:?)([A-Za-z_]\w{0,60}[?!]?)(:(?!:))?/g)) {
    const word = match[2] as string;
    const before = bare.slice(0, match.index).at(-1);
    // The key of an argument; a symbol names a column, unless it is handed over to be called.
    if (match[3] !== undefined || (match[1] === ':' && before !== '&' && before !== ':' && !/send|method/.test(bare)))
      continue;
    if (/^[A-Z]/.test(word) && !/[?!]$/.test(word)) continue;
    if (!QUESTIONS.has(word) && !(own.has(word) && before !== '.' && before !== '>')) return false;
  }
  return true;
}
