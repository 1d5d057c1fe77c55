// The active policy bundle, and an admin's word to look at their source now.

import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  ActivatePolicyRequestSchema,
  GetPolicyRequestSchema,
  type Policy,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { flag, openObject } from './fields.ts';
import { given } from './given.ts';
import type { Route, RouteDependencies } from './types.ts';

export function policyRoutes({ services: { decision } }: RouteDependencies): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/policy',
      operation: 'get_policy',
      async handle(call) {
        const { policy } = await decision.getPolicy(create(GetPolicyRequestSchema), call.context);
        return { json: writePolicy(given(policy)) };
      },
    },
    {
      method: 'POST',
      path: '/api/policy/activate',
      operation: 'activate_policy',
      async handle(call) {
        const force = flag(openObject(call.json(), '', ['force']), 'force') === true;
        const request = create(ActivatePolicyRequestSchema, { force });
        const { policy, changed } = await decision.activatePolicy(request, call.context);
        return { json: { ...writePolicy(given(policy)), changed } };
      },
    },
  ];
}

function writePolicy(policy: Policy) {
  const { name, digest, revision, version, expiresAt, receiptId, refusedReason, refusedMessage, refusedAt } = policy;
  return {
    name,
    digest,
    revision,
    version: Number(version),
    expires_at: expiresAt ? timestampDate(expiresAt).toISOString() : null,
    receipt_id: receiptId === '' ? null : receiptId,
    refused:
      refusedReason === ''
        ? null
        : {
            reason: refusedReason,
            message: refusedMessage,
            at: refusedAt ? timestampDate(refusedAt).toISOString() : null,
          },
  };
}
