// Values of PowerShell: types, members and operators. What only computes is harmless; a member nobody knows is not.

import { HARMLESS_MEMBERS } from './powershell-cmdlets.ts';
import { flowsOf, place } from './powershell-files.ts';
import type { PsCommand } from './powershell-parse.ts';
import { add, type Flow, type Powershell } from './powershell-state.ts';
import { saved } from './powershell-web.ts';
import type { Effect } from './types.ts';

type Reach = readonly [RegExp, Effect, Flow?];
/** What types and members reach, the gravest that fits counting. */
const REACHES: readonly Reach[] = [
  [/amsiutils|amsiinitfailed|servercertificatevalidationcallback/i, 'security_disable'],
  [/sockets\.tcp(?:client|listener)/i, 'remote_shell'],
  [/\[(?:system\.)?environment\]::setenvironmentvariable\([^)]{0,300}(?:user|machine)/i, 'schedule'],
  [/\[(?:system\.)?io\.directory\]::delete\([^)]{1,400},\s{0,8}(?:\$true|1)\s{0,8}\)/i, 'delete_many'],
  [/\[(?:system\.)?io\.(?:file|directory)\]::delete|\.delete\(/i, 'delete'],
  [/\[(?:system\.)?io\.(?:file|directory)\]::(?:write|append|create|copy|move|open|replace)/i, 'write'],
  [/\[(?:system\.)?diagnostics\.process\]::start/i, 'run_unknown'],
  [/\.kill\(/i, 'process_own'],
  [
    /\.downloadstring\(|\.downloaddata\(|\.downloadfile\w{0,9}\(|\.getstringasync\(|\.getasync\(|\.openread\(/i,
    'fetch',
    'download',
  ],
  [/\.upload(?:string|data|file|values)\(|\.postasync\(/i, 'send'],
  [
    /\[(?:reflection\.assembly|system\.reflection\.assembly|scriptblock|runtime\.interopservices|activator|appdomain)\b/i,
    'run_opaque',
  ],
  [/\.(?:invoke|invokescript|invokecommand|getmethod|getdelegate\w*|newscriptblock|dynamicinvoke)\(/i, 'run_opaque'],
];
const REMOVES_OR_WRITES = new Set<Effect>(['delete', 'delete_many', 'write']);
const READS = /\[(?:system\.)?io\.file\]::(?:read\w{1,20}|open(?:read|text))\(\s{0,8}(?:['"]([^'"$\n]{1,300})['"])?/i;
const DOWNLOADS = /\.downloadfile(?:async|taskasync)?\(([^,()]{1,400}),([^,()]{1,400})\)/i;
const DECODES = /frombase64string|gzipstream|deflatestream|-bxor|\[char\]\s*\(|\[char\[\]\]/i;

export function readExpression(state: Powershell, command: PsCommand, into: ReadonlySet<Flow>): ReadonlySet<Flow> {
  const text = command.source;
  const flows = new Set(into);
  if (DECODES.test(text)) flows.add('decoded');
  if (READS.test(text)) for (const flow of readBy(state, text)) flows.add(flow);
  const found = REACHES.filter(([pattern]) => pattern.test(text));
  const kept = DOWNLOADS.exec(text);
  if (kept) {
    const bare = (word: string | undefined) => (word ?? '').trim().replace(/^['"]|['"]$/g, '');
    const file = bare(kept[2]);
    saved(state, bare(kept[1]), { text: file, known: !file.includes('$') });
  }
  for (const [, effect, flow] of found) {
    if (flow) flows.add(flow);
    const paths = REMOVES_OR_WRITES.has(effect)
      ? literalsOf(text).map((path) => place({ text: path, known: true }, state.where))
      : [];
    add(state, 'powershell', effect, {
      operation: 'expression',
      targets: paths,
      flags:
        effect === 'fetch' || effect === 'send'
          ? ['remote']
          : [
              ...(effect === 'delete_many' ? ['recursive'] : []),
              ...(paths.length === 0 && REMOVES_OR_WRITES.has(effect) ? ['unresolved_target'] : []),
            ],
      residue: [text],
      ...(REMOVES_OR_WRITES.has(effect) && { scope: undefined }),
    });
  }
  if (found.length === 0 && !harmless(text)) {
    add(state, 'powershell', flows.has('download') ? 'download_execute' : 'run_opaque', {
      operation: 'expression',
      residue: [text],
    });
    flows.add('generated');
  } else if (found.length === 0) add(state, 'powershell', 'none', { operation: 'value' });
  return flows;
}

/** `[IO.File]::ReadAllBytes('x')`: an expression around it holds the same text, and tells it once. */
function readBy(state: Powershell, text: string): Flow[] {
  const path = READS.exec(text)?.[1];
  const targets = path === undefined ? [] : [place({ text: path, known: true }, state.where)];
  const told = state.drafts.some(
    ({ effect, targets: [first] }) => effect === 'read' && first !== undefined && first.id === targets[0]?.id,
  );
  if (!told) add(state, 'powershell', 'read', { operation: 'read', targets, scope: undefined, residue: [] });
  return flowsOf(targets, state.where);
}

function harmless(text: string): boolean {
  const bare = text.replace(/'[^']*'|"[^"$]*"/g, "''");
  for (const match of bare.matchAll(/(?:\.|::)\s{0,4}([A-Za-z_]\w*)\s{0,4}\(/g))
    if (!HARMLESS_MEMBERS.has((match[1] as string).toLowerCase())) return false;
  return true;
}

function literalsOf(text: string): string[] {
  return [...text.matchAll(/'([^'\n]{1,300})'|"([^"$\n]{1,300})"/g)]
    .map((match) => (match[1] ?? match[2]) as string)
    .filter((item) => /[\\/.]/.test(item))
    .slice(0, 4);
}
