// The policy's two RPCs: what decides now, and an admin's word to look again.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import type { DecisionDeps } from './deps.ts';

export function getPolicy(deps: DecisionDeps): pb.GetPolicyResponse {
  return create(pb.GetPolicyResponseSchema, { policy: policyToProto(deps) });
}

/** Throws `permission_denied`, or `failed_precondition` with why the bundle was refused. */
export async function activatePolicy(
  { force }: pb.ActivatePolicyRequest,
  call: CallContext,
  deps: DecisionDeps,
): Promise<pb.ActivatePolicyResponse> {
  if (call.principal.role !== 'admin') throw new BeaconError('permission_denied', 'only an admin activates policies');
  if (!deps.activation) {
    throw new BeaconError('failed_precondition', 'no source of policies is set (BEACON_POLICY_DIR, BEACON_POLICY_URL)');
  }
  const changed = await deps.activation.activate(force, call);
  return create(pb.ActivatePolicyResponseSchema, { policy: policyToProto(deps), changed });
}

function policyToProto({ activation, policy }: DecisionDeps): pb.Policy {
  if (!activation) {
    const { digest, revision } = policy.snapshot();
    return create(pb.PolicySchema, { name: 'built-in', digest, revision });
  }
  const { name, digest, revision, version, expiresAtMs, receiptId, refused } = activation.status();
  return create(pb.PolicySchema, {
    name,
    digest,
    revision,
    version: BigInt(version),
    receiptId,
    ...(Number.isFinite(expiresAtMs) ? { expiresAt: timestampFromMs(expiresAtMs) } : {}),
    ...(refused
      ? {
          refusedReason: refused.reason,
          refusedMessage: refused.message,
          refusedAt: timestampFromMs(refused.atMs),
        }
      : {}),
  });
}
