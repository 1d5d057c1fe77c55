// Which service may call which RPC of which other: one table, held on every transport. A service that is not in a row
// may not; agents' tokens open nothing here. Only who speaks for others may name another principal than itself.

import { BeaconError } from '../core/errors.ts';
import type { CallContext } from '../core/principal.ts';
import { DecisionRelayService, DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { KillSwitchService } from '../gen/beacon/v1/kill_switch_service_pb.js';
import { type Draft, ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { UnansweredService } from '../gen/beacon/v1/unanswered_service_pb.js';
import { checkedFlow } from '../runtime/flow.ts';
import type { Service } from '../runtime/rpc.ts';
import type { Operation } from './access.ts';

export const IDENTITIES = [
  'gateway',
  'decision',
  'receipt-signer',
  'scoring',
  'kill-switch',
  // The signer instance that keeps the kill switch's own log.
  'kill-switch-log',
] as const;
export type Identity = (typeof IDENTITIES)[number];

const decision = [...all(DecisionService, ['Decide']), ...all(DecisionRelayService)];
const scoring = all(ScoringService);
const killSwitch = all(KillSwitchService);
/** The reading side of a log, and the rotation of its key, which the signer holds against the admin's role. */
const readLog = signer(
  'GetStatus',
  'GetReceipt',
  'GetProof',
  'ListReceipts',
  'GetTile',
  'GetCheckpoint',
  'GetKeys',
  'RotateKey',
);

/** Who serves → who calls → which RPCs, as `package.Service/Method`. */
export const PEERS: Readonly<Record<Identity, Readonly<Partial<Record<Identity, readonly string[]>>>>> = {
  gateway: {},
  decision: { gateway: [...decision, ...all(UnansweredService)] },
  'receipt-signer': {
    gateway: readLog,
    // ListReceipts: what it sealed itself, after a restart and when an answer was lost.
    decision: signer('Seal', 'SealStream', 'GetReceipt', 'GetStatus', 'ListReceipts', 'GetKeys'),
    'kill-switch': signer('Fence', 'GrantLease', 'GetStatus'),
    scoring: signer('Seal', 'ListReceipts', 'GetKeys', 'GetStatus'),
  },
  scoring: { gateway: scoring },
  'kill-switch': { gateway: [...killSwitch, ...readLog] },
  'kill-switch-log': {
    gateway: readLog,
    'kill-switch': signer('Seal', 'ListReceipts', 'GetStatus', 'GetKeys'),
  },
};

/** Whose word is taken on who is asking. */
const SPEAKS_FOR_OTHERS: readonly Identity[] = ['gateway'];

/** Kinds of receipt each service may have sealed; only a decision is ever an ALLOW. */
const SEALS: Readonly<Partial<Record<Identity, readonly string[]>>> = {
  decision: ['decision', 'action', 'assumption', 'approval', 'outcome', 'void', 'probe', 'policy'],
  scoring: ['score', 'import'],
  'kill-switch': ['revocation'],
};

/** What the caller's role must be open to, where a call is made for somebody: the same table as at the gateway. */
const OPERATION_OF: Readonly<Record<string, Operation>> = {
  Guard: 'guard',
  Explain: 'explain',
  Execute: 'execute',
  OpenAction: 'open_action',
  RecordAssumption: 'record_assumption',
  WaitForApproval: 'wait_for_approval',
  UpdateOutcome: 'update_outcome',
  ResolveApproval: 'resolve_approval',
  GetAction: 'get_action',
  ListApprovals: 'list_approvals',
  GetPolicy: 'get_policy',
  ActivatePolicy: 'activate_policy',
  GetScore: 'get_score',
  ListScores: 'list_scores',
  EmitScore: 'emit_score',
  ImportReceipts: 'import_receipts',
  Revoke: 'revoke',
  Reinstate: 'reinstate',
  ListRevocations: 'list_revocations',
  RotateKey: 'rotate_key',
};

/** Names a certificate of this service may carry. `trustDomain` such as `beacon`. */
export function certificateNames(identity: Identity, trustDomain: string): readonly string[] {
  return [`spiffe://${trustDomain}/${identity}`, `${identity}.${trustDomain}`];
}

/** The one service a certificate names; undefined for none, and for a certificate that could be two. */
export function identityOf(peerNames: readonly string[], trustDomain: string): Identity | undefined {
  const found = IDENTITIES.filter((identity) =>
    certificateNames(identity, trustDomain).some((name) => peerNames.includes(name)),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** Whether any of the names is a service's. */
export function namesService(peerNames: readonly string[], trustDomains: readonly string[]): boolean {
  const taken = trustDomains.flatMap((domain) => IDENTITIES.flatMap((identity) => certificateNames(identity, domain)));
  return taken.some((name) => peerNames.includes(name));
}

/** Throws `permission_denied` unless the table gives `caller` this RPC of `self`. */
export function authorizePeer(self: Identity, caller: Identity, method: string): void {
  if (PEERS[self][caller]?.includes(method)) return;
  throw new BeaconError('permission_denied', `${caller} may not call ${method} of ${self}`);
}

export function callersOf(self: Identity): readonly Identity[] {
  return IDENTITIES.filter((caller) => PEERS[self][caller] !== undefined);
}

export function speaksForOthers(identity: Identity): boolean {
  return SPEAKS_FOR_OTHERS.includes(identity);
}

export function operationOf(method: string): Operation | undefined {
  return OPERATION_OF[method.slice(method.lastIndexOf('/') + 1)];
}

type Signer = Service<typeof ReceiptSignerService, CallContext>;

/** A signer as its peers may use it: each seals only what is its own to say. */
export function sealingOnlyTheirs(service: Signer): Signer {
  return new Proxy(service, {
    get(target, name) {
      if (name === 'seal') {
        const seal: Signer['seal'] = async (request, context) => {
          checkDrafts(request.drafts, context);
          return target.seal(request, context);
        };
        return seal;
      }
      if (name === 'sealStream') {
        const sealStream: Signer['sealStream'] = (requests, context) => {
          if (callerOf(context) !== 'decision') throw refusal(context, 'SealStream');
          return target.sealStream(checked(requests, context), context);
        };
        return sealStream;
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function checked(requests: Parameters<Signer['sealStream']>[0], context: CallContext) {
  return checkedFlow(requests, ({ request }) => checkDrafts(request?.drafts ?? [], context));
}

function checkDrafts(drafts: readonly Draft[], context: CallContext): void {
  const caller = callerOf(context);
  for (const { kind, allow } of drafts) {
    if (!caller || !SEALS[caller]?.includes(kind)) throw refusal(context, `a ${kind} receipt`);
    if (allow && caller !== 'decision') throw refusal(context, 'an ALLOW');
  }
}

function callerOf({ principal }: CallContext): Identity | undefined {
  return IDENTITIES.find((identity) => principal.subject === `service:${identity}`);
}

function refusal({ principal }: CallContext, what: string): BeaconError {
  return new BeaconError('permission_denied', `${principal.subject} may not have ${what} sealed`);
}

function all(service: { typeName: string; methods: readonly { name: string }[] }, but: readonly string[] = []) {
  return service.methods.filter(({ name }) => !but.includes(name)).map(({ name }) => `${service.typeName}/${name}`);
}

function signer(...methods: readonly string[]): readonly string[] {
  return methods.map((name) => `${ReceiptSignerService.typeName}/${name}`);
}
