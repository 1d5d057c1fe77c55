// Expressions in the scripts of workflows, which something else fills in before a shell reads them.

/** What anybody may write who opens an issue, or sends commits from outside. */
const OUTSIDE =
  /\$\{\{[^}]{0,200}\bgithub\.(?:head_ref\b|event\.(?:issue|comment|review|review_comment|pull_request|discussion|discussion_comment|head_commit|commits|pages|workflow_run)\b(?:\.head\b|\[\d{1,3}\]|\.\*|\.(?:author|committer|user|head_commit|head_repository))*\.(?:title|body|message|name|email|label|ref|page_name|default_branch|head_branch|display_title)\b)/;

/** Put into a script, it is part of the script before a shell reads it. */
export function writtenOutside(script: string): boolean {
  return OUTSIDE.test(script);
}

/**
 * What a workflow puts into a script before any shell reads it: a secret becomes a variable that is one, also between
 * single quotes; anything else is a variable nobody knows.
 */
export function resolved(text: string): string {
  if (!text.includes('{{')) return text;
  let quoted = false;
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const match =
      text[at] === '$' && text[at + 1] === '{' ? /^\$\{\{([^}]{0,300})\}\}/.exec(text.slice(at, at + 310)) : null;
    if (match) {
      const inner = match[1] as string;
      const secret = /\bsecrets\b|\bgithub\.token\b/i.test(inner);
      const name = `${secret ? 'SECRET' : 'EXPRESSION'}_${inner.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_|_$/g, '')}`;
      out += quoted ? `'"$${name}"'` : `$${name}`;
      at += match[0].length - 1;
      continue;
    }
    if (text[at] === "'" && text[at - 1] !== '\\') quoted = !quoted;
    out += text[at];
  }
  return out;
}
