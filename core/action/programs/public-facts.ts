// Commands whose answer is no secret of this machine: which commit, what day, what kind of processor. By the whole command,
// since one option more prints who works here, or a file. No names: what a branch, a tag or a package is called, anybody here
// may have chosen, also to carry something away.

import type { Arg } from '../../shell/values.ts';
import { programName } from './names.ts';

const REVISION = String.raw`[\w@][\w./@{}~^:-]{0,100}`;
const FORMAT = `(?:%(?:H|h|T|t|ct|cI|ci|cs|cd|at|aI|ai|as|ad)[-_.+]?){1,4}`;
const OPTION = {
  revParse: String.raw`(?:--short(?:=\d+)?|--verify|--quiet|-q)`,
  log: String.raw`(?:-n\s?\d+|-\d+|--(?:format|pretty)=(?:t?format:)?${FORMAT}|--(?:no-merges|first-parent|max-count=\d+|date=[\w:%-]{1,40}))`,
  list: String.raw`(?:-n\s?\d+|-\d+|--(?:count|max-count=\d+|first-parent|no-merges|abbrev-commit|tags|max-parents=0|all))`,
};
const GIT = String.raw`git(?:\s--no-pager)?`;
const WHOLE: readonly RegExp[] = [
  `${GIT}\\srev-parse(?:\\s${OPTION.revParse})*(?:\\s${REVISION})?`,
  // Without a format of its own it tells who wrote what.
  `${GIT}\\slog(?=.*\\s--(?:format|pretty)=)(?:\\s${OPTION.log})+(?:\\s${REVISION})?`,
  `${GIT}\\srev-list(?:\\s${OPTION.list})+(?:\\s${REVISION})?`,
  `${GIT}\\smerge-base(?:\\s${REVISION}){2}`,
  String.raw`uname(?:\s-[smrpoi]{1,6})*`,
  'arch|nproc|go version|node (?:-v|--version)|python3? --version|rustc --version',
  String.raw`dpkg\s--print-(?:foreign-)?architecture|getconf\sLONG_BIT|rpm\s(?:-E|--eval)\s%\{?_arch\}?`,
  String.raw`go\senv\s(?:GOOS|GOARCH|GOVERSION)(?:\s(?:GOOS|GOARCH|GOVERSION))*`,
  String.raw`node\s(?:-p|--print)\s["']?process\.(?:platform|arch|version|versions\.\w+)["']?`,
].map((whole) => new RegExp(`^(?:${whole})$`));
/** Programs that any of them begins with. */
const TELLERS = new Set(
  ['git', 'uname', 'arch', 'nproc', 'go', 'node', 'python', 'python3', 'rustc'].concat('dpkg', 'getconf', 'rpm'),
);

/** Every word is known: what was put together here is not. */
export function isPublicFact(words: readonly Arg[]): boolean {
  if (words.length > 12) return false;
  const name = programName(words[0]?.text ?? '') ?? '';
  if (!TELLERS.has(name) || !words.every((word) => word.known && !word.glob)) return false;
  const text = [name, ...words.slice(1).map((word) => word.text)].join(' ');
  return text.length <= 400 && WHOLE.some((whole) => whole.test(text));
}
