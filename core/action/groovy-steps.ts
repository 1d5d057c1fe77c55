// Steps of a Jenkins pipeline that are lines for a shell: `sh '…'`, `bat """…"""`, `sh(script: "…", returnStdout: true)`.
// No grammar of Groovy: every literal that such a step begins with. Linear and bounded.

import { steps } from './later-lines.ts';
import { resolved } from './workflow-text.ts';

export const PIPELINE =
  /(?:^|\/)(?:Jenkinsfile(?:[.-][\w.-]{1,60})?|[\w.-]{1,80}\.[Jj]enkinsfile|(?:vars|jenkins|\.jenkins)\/(?:[\w.-]{1,60}\/){0,4}[\w-]{1,80}\.groovy)$/;
const STEP =
  /(?<![\w.$])(?:sh|bat|powershell|pwsh)\s{0,4}\(?\s{0,80}(?:(?!script\b)[a-zA-Z]{1,20}\s{0,4}:\s{0,4}(?:'[^'\n]{0,200}'|"[^"\n]{0,200}"|\w{1,20})\s{0,4},\s{0,80}){0,4}(?:script\s{0,4}:\s{0,4})?('''|"""|'|")/g;
const MAX_STEPS = 64;

/** Where no step is told as one, what stands on the lines. */
export function pipelineSteps(text: string): readonly string[] {
  const found = stepsIn(text).map(resolved);
  return found.length > 0 ? found : steps(text);
}

function stepsIn(text: string): string[] {
  const out: string[] = [];
  STEP.lastIndex = 0;
  for (let match = STEP.exec(text); match && out.length < MAX_STEPS; match = STEP.exec(text)) {
    const quote = match[1] as string;
    const start = STEP.lastIndex;
    const end = closing(text, start, quote);
    // Cut short by what was not changed: what is there is what is known.
    out.push(plain(text.slice(start, end), quote));
    STEP.lastIndex = Math.min(text.length, end + quote.length);
  }
  return out;
}

function closing(text: string, start: number, quote: string): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text.startsWith(quote, at)) return at;
    else if (quote.length === 1 && text[at] === '\n') return at;
  }
  return text.length;
}

/** Without Groovy's escapes; a value that Groovy puts in is one of the shell by the last of its names. */
function plain(text: string, quote: string): string {
  const shell = text.replace(/\\([\\'"$])/g, '$1').replace(/\\\n/g, ' ');
  return quote.startsWith("'") ? shell : shell.replace(/\$\{(?:\w{1,40}\.){0,4}(\w{1,80})\}/g, '$${$1}');
}
