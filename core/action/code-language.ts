// Program text whose language nobody says: Python more often than not, a line for a shell, or something no lexer here knows.

import { startsProgram } from './tool-arguments.ts';

/** Begins like a statement of a language with operators and calls. */
const STATEMENT =
  /^\s{0,40}(?:(?:import|from|def|class|if|for|while|with|try|return|async|await|const|let|var|function|print)\b|@|[\w.$]{1,80}\s{0,8}(?:[-+*/%|&]?=|\(|\[|:|,))/;
/** Words that may stand before another word in Python or JavaScript. */
const BEFORE =
  /\b(?:import|from|as|def|class|if|elif|else|for|in|while|return|not|and|or|is|lambda|with|try|except|finally|raise|yield|await|async|del|global|nonlocal|assert|pass|match|case|type|const|let|var|new|function|typeof|instanceof|void|delete|export|default|of|extends|throw|catch|static|get|set|public|private|interface|enum|do|break|continue|switch|print)\s/g;

/** Words that may stand behind another. */
const AFTER = /\s(?:if|else|for|in|and|or|is|not|as|import|of|instanceof|from|async)\b/g;

/** The language to read it as; `unknown` is read by no lexer, and so is opaque. */
export function languageOf(text: string): string {
  const bare = text
    .replace(/"""[\s\S]{0,8000}?"""|'''[\s\S]{0,8000}?'''|`[^`]{0,8000}`/g, '0')
    .replace(/"(?:[^"\\\n]|\\.){0,4000}"|'(?:[^'\\\n]|\\.){0,4000}'/g, '0')
    // Remarks, and lines of a notebook, which are read by themselves.
    .replace(/(?:#|\/\/).*$|^[^\S\n]{0,40}[!%].*$/gm, '');
  const lines = bare.split('\n').filter((line) => line.trim() !== '');
  const [first] = lines;
  if (first !== undefined && startsProgram(first.trim()) && !STATEMENT.test(first)) return 'bash';
  const strange = lines.some((line) =>
    /[\w)\]]\s{1,8}[A-Za-z_]\w*/.test(line.replace(BEFORE, '(').replace(AFTER, ' (')),
  );
  return strange || lines.some((line) => /^\s{0,40}\w+\s.*[*/]$/.test(line)) ? 'unknown' : 'python';
}
