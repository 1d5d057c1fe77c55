// `npm run bench -- admit`: from a raw proposal to what is decided upon (canonical action, externality, findings,
// fingerprint), beside the parser alone. Detectors and digests are the real ones.

import { create } from '@bufbuild/protobuf';
import type { CallContext } from '../core/principal.ts';
import { parseShell } from '../core/shell/parse.ts';
import { parseJsonText } from '../core/strict-json.ts';
import { ProposedActionSchema } from '../gen/beacon/v1/action_pb.js';
import { type Proposal, ProposalSchema } from '../gen/beacon/v1/decision_service_pb.js';
import { allDetectors } from '../ports/detectors/all.ts';
import { HmacTenantKeys } from '../ports/tenant-key/hmac.ts';
import { admit } from '../services/decision/admit.ts';
import type { DecisionDeps } from '../services/decision/deps.ts';
import { type Effort, measure, type Subject } from './measure.ts';
import { printTable, rowOf, toJson } from './report.ts';

const TENANT = 'bench';
const AGENT = 'bench-agent';
const CONTEXT = { cwd: '/w/project', workspace: '/w/project', git: { branch: 'feature' }, attended: true };
const COMMANDS = [
  'git status --short && git diff --stat',
  'grep -rn "deadline" src | head -20',
  "sed -n '1,80p' src/index.ts",
  'npm test -- --run src/route.test.ts',
  'rm -rf node_modules dist && npm ci',
  'kubectl get pods -n staging -o json | jq -r ".items[].metadata.name"',
];
/** 1 KiB of arguments, as a tracker's tool takes them. */
const ARGUMENTS = JSON.stringify({
  title: 'The import stops at the second page',
  labels: ['import', 'triage'],
  body: 'Steps, what was expected and what happened, in some detail. '.repeat(15),
});
const NOTES = ['A goal of this stage: a typical command at most 100 µs at p50, 1 KB of MCP arguments at most 150.'];

const caller: CallContext = {
  principal: {
    ...{ role: 'agent', provenance: 'authenticated', subject: 'token:bench' },
    ...{ tenantId: TENANT, agentId: AGENT },
  } as CallContext['principal'],
  ...{ deadlineMs: Number.POSITIVE_INFINITY, requestDigest: '', traceId: '' },
};

type Kind = Exclude<Parameters<typeof create<typeof ProposedActionSchema>>[1], undefined>['kind'];

function proposal(kind: Kind): Proposal {
  return create(ProposalSchema, {
    ...{ tenantId: TENANT, agentId: AGENT, sessionId: 'bench-session', surface: 'codex' },
    contextJson: JSON.stringify(CONTEXT),
    actions: [create(ProposedActionSchema, { kind })],
  });
}

/** A call for each of `these` in turn. */
function inTurn<T>(these: readonly T[], call: (one: T) => unknown): () => void {
  let made = 0;
  return () => void call(these[made++ % these.length] as T);
}

export async function runAdmit({ effort, json }: { readonly effort: Effort; readonly json: boolean }): Promise<void> {
  const privacy = { keys: new HmacTenantKeys(new Uint8Array(32)), detectors: allDetectors() };
  const deps = { privacy, settings: { isolation: 'own_user' } } as unknown as DecisionDeps;
  const shells = COMMANDS.map((command) => proposal({ case: 'shell', value: { command, cwd: '' } } as Kind));
  const mcp = proposal({
    case: 'mcp',
    value: { server: 'tracker', tool: 'create_issue', argumentsJson: ARGUMENTS },
  } as Kind);
  const subjects: Subject[] = [
    { name: 'parser alone: shell', inFlight: 1, call: inTurn(COMMANDS, parseShell) },
    { name: 'admit: a typical command', inFlight: 1, call: inTurn(shells, (one) => admit(one, caller, deps)) },
    {
      name: 'parser alone: 1 KB JSON',
      inFlight: 1,
      call: inTurn([ARGUMENTS], (text) => parseJsonText(text, 'arguments')),
    },
    { name: 'admit: 1 KB MCP arguments', inFlight: 1, call: inTurn([mcp], (one) => admit(one, caller, deps)) },
  ];
  for (const { call } of subjects) for (let i = 0; i < effort.warmup; i += 1) await call();
  const rows = (await measure(subjects, effort)).map(rowOf);
  if (json) console.log(toJson({ ...effort, rows }));
  else printTable(rows, [], NOTES);
}
