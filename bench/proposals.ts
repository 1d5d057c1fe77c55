// What is proposed: ordinary work that the default pack allows, so that every call takes the whole path, seals two
// receipts (decision and action) and waits for them to be on disk.

import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { ProposedActionSchema } from '../gen/beacon/v1/action_pb.js';
import {
  type Caller,
  CallerSchema,
  type DecideRequest,
  DecideRequestSchema,
  ProposalSchema,
} from '../gen/beacon/v1/decision_service_pb.js';

const LEASE_WAIT_TRIES = 50;
const LEASE_WAIT_MS = 100;
const TENANT = 'bench';
const AGENT = 'bench-agent';
const CONTEXT = { cwd: '/w/project', workspace: '/w/project', git: { branch: 'feature' }, attended: true };
const COMMANDS = [
  'git status --short && git diff --stat',
  'echo "note" >> notes.txt',
  'grep -rn "deadline" src | head -20',
  "sed -n '1,80p' src/index.ts",
  'ls -la src test',
  'cat package.json',
];

let made = 0;

const nextKey = () => `bench-${process.pid}-${made++}`;
const nextCommand = () => COMMANDS[made % COMMANDS.length] as string;

/** A body for POST /api/execute; each has an idempotency key of its own, as real clients send. */
export function nextBody(): string {
  return JSON.stringify({
    agent_id: AGENT,
    tenant_id: TENANT,
    session_id: 'bench-session',
    surface: 'codex',
    tools: [{ name: 'Bash', arguments: { command: nextCommand() } }],
    context: CONTEXT,
    idempotency_key: nextKey(),
  });
}

/** The same for the Decide stream. */
export function nextRequest(sequence: number): DecideRequest {
  return create(DecideRequestSchema, {
    sequence: BigInt(sequence),
    open: true,
    proposal: create(ProposalSchema, {
      tenantId: TENANT,
      agentId: AGENT,
      sessionId: 'bench-session',
      surface: 'codex',
      contextJson: JSON.stringify(CONTEXT),
      idempotencyKey: nextKey(),
      actions: [
        create(ProposedActionSchema, {
          kind: { case: 'tool', value: { name: 'Bash', argumentsJson: JSON.stringify({ command: nextCommand() }) } },
        }),
      ],
    }),
  });
}

/** The agent that proposes, as a gateway names it to the services behind. */
export function benchCaller(): Caller {
  return create(CallerSchema, {
    ...{ role: 'agent', provenance: 'authenticated', subject: 'token:bench' },
    ...{ tenantId: TENANT, agentId: AGENT },
  });
}

/** A token for the agent that proposes. */
export async function mintToken(http: string, admin: string): Promise<string> {
  const answer = await fetch(`${http}/api/agents/${AGENT}/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tenant_id: TENANT }),
  });
  if (!answer.ok) throw new Error(`no agent token: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}

/** An answer as Beacon gives it, for the echoes to send as many bytes. */
export async function typicalAnswer(http: string, token: string, check: (body: string) => void): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  // A moment after every part is up, the decision replicas have found the signers and these hold their first lease.
  for (let left = LEASE_WAIT_TRIES; ; left--) {
    const answer = await fetch(`${http}/api/execute`, { method: 'POST', headers, body: nextBody() });
    const text = await answer.text();
    if (left > 0 && (answer.status === 503 || text.includes('"no_lease"'))) {
      await sleep(LEASE_WAIT_MS);
      continue;
    }
    check(text);
    return text;
  }
}
