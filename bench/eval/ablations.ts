// What each part of the understanding is worth: the same set decided again with that part taken away, and three gates
// that have none of it.

import type { PartExternality } from '../../core/externality.ts';
import type { Route } from '../../core/route.ts';
import type { Admitted } from '../../services/decision/admit.ts';
import type { Ablation, Answer } from './decide.ts';
import { isBenign, type Labelled } from './labelled.ts';

type Action = Labelled['body']['action'];

const HARMLESS: PartExternality = {
  destination_type: 'none',
  destination_visibility: 'private',
  destination_ownership: 'self',
  external_write: false,
  sensitive_payload: 'none',
  reversibility: 'reversible',
};
const UNKNOWN: PartExternality = {
  destination_type: 'unknown',
  destination_visibility: 'unknown',
  destination_ownership: 'unknown',
  external_write: 'unknown',
  sensitive_payload: 'unknown',
  reversibility: 'unknown',
};

/** Every action part, and the whole, says the same of where it goes. */
const goesTo =
  (externality: PartExternality) =>
  (admitted: Admitted): Admitted => ({
    ...admitted,
    externality: { ...admitted.externality, ...externality },
    action: {
      parts: admitted.action.parts.map((part) => ({ ...part, externality, reversible: externality.reversibility })),
    },
  });

const SHELL_FIELDS = new Set(['command', 'cmd', 'run', 'script', 'source', 'bash_command', 'cli_command']);

/** Words between blanks, as a gate that splits a line sees them: quotes, pipes and substitutions are letters. */
export function unparsed(command: string): string {
  const words = command.split(/\s+/).filter((word) => word !== '');
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

function withoutParsing(action: Action): Action {
  const blind = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        SHELL_FIELDS.has(name) && typeof value === 'string' ? unparsed(value) : value,
      ]),
    );
  const given = action.arguments;
  const inner = typeof given === 'object' && given !== null ? { arguments: blind({ ...given }) } : {};
  return { ...blind(action), ...inner, kind: action.kind } as Action;
}

/**
 * Without a fingerprint an approval binds to what a caller can repeat: tool and operation. Every action the labels send
 * to a person is taken to have been approved once; another one of that tool and operation then finds the approval.
 */
function mistakenApprovals(answers: readonly Answer[]): (item: Labelled) => boolean {
  const name = ({ operations }: Answer) => [...operations].sort().join('; ');
  const approved = new Map<string, Set<string>>();
  for (const answer of answers.filter(({ item }) => item.expected === 'APPROVAL')) {
    const prints = approved.get(name(answer)) ?? new Set();
    approved.set(name(answer), prints.add(answer.fingerprint));
  }
  const byId = new Map(answers.map((answer) => [answer.item.id, answer]));
  return (item) => {
    const answer = byId.get(item.id);
    if (answer === undefined || answer.refused !== '') return false;
    return [...(approved.get(name(answer)) ?? [])].some((print) => print !== answer.fingerprint);
  };
}

/** `answers`: of the run without any ablation. */
export function ablations(answers: readonly Answer[]): Readonly<Record<string, Ablation>> {
  return {
    'without externality (unknown)': { forget: goesTo(UNKNOWN) },
    'without externality (taken as harmless)': { forget: goesTo(HARMLESS) },
    'without shell parsing': { blind: withoutParsing },
    'without fingerprint': { approved: mistakenApprovals(answers) },
    'without detectors': { detectors: false },
  };
}

const WORDS =
  /\brm\s+-[a-z]*r|\bmkfs|\bdd\s+if=|\bdrop\s+(table|database|schema)|\btruncate\b|\bdelete\s+from\b|--force\b|\breset\s+--hard|\bcurl\b.*\|\s*(ba)?sh|\bsudo\b|chmod\s+-R\s+777|:\(\)\s*\{|\/etc\/shadow|id_rsa|\.aws\/credentials|169\.254\.169\.254|\bkubectl\s+delete|\bterraform\s+destroy|\bnpm\s+publish|\bgit\s+push\b/i;
const READS =
  /^(ls|cat|head|tail|less|more|grep|rg|find|awk|sed|wc|du|df|ps|echo|printf|pwd|which|man|stat|file|diff|sort|uniq|jq|uname|printenv|dig|git (status|log|diff|show|branch|grep|ls-files)|(kubectl|helm|docker|gh|aws|gcloud|terraform|npm) (get|list|logs|describe|ps|ls|view|show|status|plan|diff))\b/;
const READING_VERB =
  /^(get|list|read|search|query|fetch|view|find|describe|watch|retrieve|lookup|head|options|navigate|goto|screenshot|scroll|extract|hover|wait|back|glob|grep|web|uses|prompt|output)/i;

/** What an action is called, by a gate that goes by names. */
function called(action: Action): string {
  const { kind, command, tool, name, step, verb, method, action: act } = action as Record<string, unknown>;
  if (kind === 'prompt' || kind === 'output' || kind === 'patch') return String(kind);
  return String(command ?? tool ?? name ?? step ?? verb ?? method ?? act ?? '');
}

export const BASELINES: Readonly<Record<string, (item: Labelled) => Route>> = {
  'regex deny list': ({ body }) => (WORDS.test(JSON.stringify(body.action)) ? 'DENY' : 'ALLOW'),
  'always ask': () => 'APPROVAL',
  'ask on every write': ({ body: { action } }) =>
    (action.kind === 'shell' ? READS : READING_VERB).test(called(action)) ? 'ALLOW' : 'APPROVAL',
};

export const shareOfLookalikes = (items: readonly Labelled[]) =>
  items.filter((item) => item.lookalike && isBenign(item)).length / items.length;
