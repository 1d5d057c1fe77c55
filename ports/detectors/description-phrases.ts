// What the description of a tool has no business to say: what is to be done with other tools, with every message, or with
// the whole conversation. A description tells what its own tool does, so these weigh there and nowhere else.

const GIVE = `(?:pass|include|append|attach|put|provide|send|paste|submit|forward|copy|record|log|supply|add|write|fill in)(?:s|ing|ed)?`;
const ALL = `(?:whole|full|entire|complete|all(?: of)?(?: the| previous| prior| earlier)?)`;
const TALK = String.raw`(?:conversations?(?: history)?|chat (?:history|log)|context window|message history|(?:previous|prior|earlier) (?:messages|prompts|tool (?:results?|outputs?))|system (?:prompt|message)|your instructions)\b`;
/** The talk itself handed to a tool, as a duty or beside what the tool is for. */
export const WANTS_CONTEXT = new RegExp(
  String.raw`\b${GIVE}\b[^.!?\n]{0,40}\b${ALL}\b[^.!?\n]{0,30}\b${TALK}|\b${GIVE}\b[^.!?\n]{0,40}\b(?:system (?:prompt|message)|your instructions)\b`,
  'giu',
);

/** How another tool, or every message, payment or call, is to be used: said to govern what is not its own. */
export const SHADOWS =
  /\b(?:tools?|functions?) (?:of|from|on|by) (?:the |an?y? ?)?other (?:mcp )?servers?\b|\bother servers?(?:'s?|’s?)? tools?\b|\b(?:all|every|any|each)\b[^.!?\n]{0,20}\b(?:e-?mails?|messages?|payments?|transfers?|uploads?|requests?|tool calls?|files?)\b[^.!?\n]{0,20}\b(?:must|should|shall|ha(?:s|ve) to|need to|are to|is to)\b[^.!?\n]{0,30}\b(?:go|be (?:sent|forwarded|copied|routed|addressed|made|bcc'd))\b[^.!?\n]{0,10}\b(?:to|through|via|with)\b|\b(?:if|when|whenever|while|as long as) (?:this|these) (?:tools?|servers?|functions?) (?:is|are) (?:available|present|loaded|installed|connected|enabled)\b[^.!?\n]{0,60}\b(?:must|always|never|do not|don't|shall)\b/giu;

/** What was read just before put into an argument: `call read_file on … and give it as sidenote`. */
export const READ_INTO_ARGUMENT = new RegExp(
  String.raw`\b(?:${GIVE}|gives?|use)\b (?:it|its|them|their|that|this|the (?:contents?|results?|output|text|file))\b[^.!?\n]{0,30}\b(?:to|in|into|as|through|via|with|under)\b[^.!?\n]{0,24}\b(?:argument|parameter|field|input|property|sidenote)s?\b`,
  'giu',
);

/** Something put into an argument: it weighs where a place that holds keys is named with it. */
export const INTO_ARGUMENT = new RegExp(
  String.raw`\b${GIVE}\b(?:[^.!?\n]|\.(?=\S)){0,80}\b(?:to|in|into|as|through|via|with|under)\b[^.!?\n]{0,24}\b(?:argument|parameter|field|input|property|sidenote)s?\b`,
  'giu',
);
