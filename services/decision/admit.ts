// Beat one: a raw proposal becomes what is decided upon. Pure but for the keyed digests it is given; throws
// `invalid_argument` naming the field, and then nothing has happened.

import { toBinary } from '@bufbuild/protobuf';
import { admitProposal } from '../../core/action/admit.ts';
import type { Called } from '../../core/action/called.ts';
import { readContext, redactContext } from '../../core/action/context.ts';
import type { Change } from '../../core/action/extent.ts';
import type { Detect, LocatedFinding } from '../../core/action/redact.ts';
import type { ActionContext, CanonicalAction, Finding } from '../../core/action/types.ts';
import { enforceabilityOf, type Isolation, runtimeFamily } from '../../core/enforceability.ts';
import type { RuntimeFamily } from '../../core/envelope.ts';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import type { Externality } from '../../core/externality.ts';
import { fingerprint } from '../../core/fingerprint.ts';
import { requireName } from '../../core/ids.ts';
import type { CallContext, Provenance } from '../../core/principal.ts';
import { parseJsonText } from '../../core/strict-json.ts';
import { type Proposal, ProposalSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import type { DecisionDeps } from './deps.ts';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const SURFACE = /^[a-z][a-z0-9-]{0,31}$/;

/** Who proposes, from where: what is known of a proposal before it is understood, and enough to ask for most facts. */
export type Asker = {
  readonly tenantId: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly opportunityId: string;
  readonly provenance: Provenance;
  readonly surface: string;
  /** Only what the agent is told (prompts, outputs): nothing it does. */
  readonly isTold: boolean;
  /** Given by the gateway; empty where none was. */
  readonly actionId: string;
};

/** A proposal understood: what every later beat works on. */
export type Admitted = Asker & {
  readonly family: RuntimeFamily;
  readonly action: CanonicalAction;
  readonly fingerprint: string;
  readonly externality: Externality;
  readonly findings: readonly Finding[];
  readonly change: Change;
  readonly commands: Called;
  readonly regions: readonly string[];
  readonly context: ActionContext;
  readonly summary: string;
  readonly tools: readonly string[];
};

/** The idempotency key as it is kept (a keyed digest), with the digest of the proposal it belongs to. */
export type IdempotencyClaimKey = {
  readonly tenantId: string;
  readonly agentId: string;
  readonly key: string;
  readonly proposalDigest: string;
};

/** Who is named, checked against who is asking. A body naming another than the token's is `permission_denied`. */
export function admitCaller(proposal: Proposal, context: CallContext): { tenantId: string; agentId: string } {
  const tenantId = requireName('tenant_id', proposal.tenantId);
  const agentId = requireName('agent_id', proposal.agentId);
  const { principal } = context;
  const differs = (field: string) =>
    new BeaconError('permission_denied', `${field}: is not the one this token or certificate is bound to`, { field });
  if (principal.tenantId !== undefined && principal.tenantId !== tenantId) throw differs('tenant_id');
  if (principal.agentId !== undefined && principal.agentId !== agentId) throw differs('agent_id');
  return { tenantId, agentId };
}

const ACTION_ID = /^act_[0-9a-f]{32}$/;

function requireActionId(given: string): string {
  if (given !== '' && !ACTION_ID.test(given)) throw invalidArgument('action_id', 'is not an action id');
  return given;
}

/** All of the deps that admitting needs. */
export type AdmitDeps = Pick<DecisionDeps, 'privacy'> & {
  readonly settings: Pick<DecisionDeps['settings'], 'isolation'>;
};

export function admit(proposal: Proposal, call: CallContext, deps: AdmitDeps): Admitted {
  return admitAction(admitAsker(proposal, call, deps), proposal, call, deps);
}

function detection({ privacy }: AdmitDeps, tenantId: string): Detect {
  const { keys, detectors } = privacy;
  return (text, where, place) => {
    const located: LocatedFinding[] = [];
    for (const detector of detectors) {
      for (const found of detector.detect(text, place)) {
        located.push({ ...found, where, digest: keys.digest(tenantId, text.slice(found.start, found.end)) });
      }
    }
    return located;
  };
}

/** The first half of `admit`: nothing of what is proposed has been looked at. */
export function admitAsker(proposal: Proposal, call: CallContext, deps: AdmitDeps): Asker {
  const { tenantId, agentId } = admitCaller(proposal, call);
  const detect = detection(deps, tenantId);
  const optionalName = (field: string, value: string) => (value === '' ? '' : requireName(field, value));
  const sessionId = optionalName('session_id', proposal.sessionId);
  const opportunityId = optionalName('opportunity_id', proposal.opportunityId);
  // Names stand in receipts in clear, so one that is a secret is refused before anything is written.
  for (const [field, name] of Object.entries({
    tenant_id: tenantId,
    agent_id: agentId,
    session_id: sessionId,
    opportunity_id: opportunityId,
  })) {
    if (detect(name, field).some((finding) => finding.class === 'secret'))
      throw invalidArgument(field, 'looks like a secret');
  }
  const surface = proposal.surface === '' ? 'api' : proposal.surface;
  if (!SURFACE.test(surface)) throw invalidArgument('surface', 'must be 1 to 32 of a-z 0-9 - and start with a letter');
  return {
    tenantId,
    agentId,
    sessionId,
    opportunityId,
    provenance: call.principal.provenance,
    surface,
    isTold: proposal.actions.every(({ kind }) => kind.case === 'prompt' || kind.case === 'output'),
    actionId: requireActionId(proposal.actionId),
  };
}

/** The second half of `admit`: what is proposed, understood. */
export function admitAction(asker: Asker, proposal: Proposal, call: CallContext, deps: AdmitDeps): Admitted {
  const { tenantId, surface } = asker;
  const { keys } = deps.privacy;
  const detect = detection(deps, tenantId);
  const told = readContext(proposal.contextJson === '' ? {} : parseJsonText(proposal.contextJson, 'context'));
  const { action, externality, findings, change, commands, regions, summary, tools } = admitProposal({
    actions: proposal.actions,
    context: told,
    detect,
    digest: (text) => keys.digest(tenantId, text),
  });
  const family = runtimeFamily(surface);
  return {
    ...asker,
    family,
    action,
    fingerprint: fingerprint(action),
    externality: {
      ...externality,
      tenant_provenance: call.principal.tenantId === undefined ? 'asserted' : 'verified',
      account_provenance: 'unknown',
      client_provenance: call.principal.provenance,
      enforceability: enforceabilityOf(family, deps.settings.isolation as Isolation),
    },
    findings,
    change,
    commands,
    regions,
    context: redactContext(told, detect),
    summary,
    tools,
  };
}

/**
 * Undefined without a key. The same proposal has the same digest, however it was spelt on the wire; asked to be opened at
 * once it is another request. Callers of another provenance have keys of their own: the word of one without a token is
 * never answered with what was decided for one who had it, nor the other way round.
 */
export function readIdempotency(
  proposal: Proposal,
  open: boolean,
  { principal }: CallContext,
  deps: DecisionDeps,
): IdempotencyClaimKey | undefined {
  const { idempotencyKey, tenantId, agentId } = proposal;
  if (idempotencyKey === '') return undefined;
  if (!IDEMPOTENCY_KEY.test(idempotencyKey)) {
    throw invalidArgument('idempotency_key', 'must be 1 to 255 printable ASCII characters without spaces');
  }
  const { keys } = deps.privacy;
  // Fields are written in the order of their numbers, whatever order and transport they came in.
  const body = Buffer.from(toBinary(ProposalSchema, { ...proposal, idempotencyKey: '' })).toString('latin1');
  return {
    tenantId,
    agentId,
    key: keys.digest(tenantId, `idempotency ${principal.provenance} ${idempotencyKey}`),
    proposalDigest: keys.digest(tenantId, `${open ? 'execute' : 'guard'} ${body}`),
  };
}
