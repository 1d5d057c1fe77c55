// Who may speak to a sidecar: its agent, and nobody for anybody else. Whoever is let in is that one agent, whatever
// credential was shown: it is never handed on.

import { createHash, timingSafeEqual } from 'node:crypto';
import { BeaconError } from '../../core/errors.ts';
import type { Principal } from '../../core/principal.ts';
import type { Access } from '../access.ts';

export type Agent = { readonly tenantId: string; readonly agentId: string };

export type CallersDeps = {
  readonly agent: Agent;
  /** What a caller shows as bearer; undefined where reaching the listener is right enough. */
  readonly token: string | undefined;
  /** A unix socket in a folder of its user alone. */
  readonly unixSocket: boolean;
  /** Whether a caller on loopback, nothing in between, needs no token: a pod that holds the agent alone. */
  readonly openLoopback: boolean;
};

const BEARER = /^Bearer +([!-~]{1,4096}) *$/i;

export function createCallers({ agent, token, unixSocket, openLoopback }: CallersDeps): Access {
  const principal: Principal = { role: 'agent', provenance: 'authenticated', subject: 'sidecar', ...agent };
  return {
    async authenticate({ authorization, local }) {
      if (token !== undefined && authorization !== undefined) {
        if (timingSafeEqual(digest(BEARER.exec(authorization)?.[1] ?? ''), digest(token))) return principal;
        throw new BeaconError('unauthenticated', 'the token is not the one of this sidecar');
      }
      if (unixSocket || (openLoopback && local)) return principal;
      throw new BeaconError('unauthenticated', "the sidecar's caller token is needed");
    },
    async authorizeSubject(_principal, tenantId, agentId) {
      for (const [field, named, own] of [
        ['tenant_id', tenantId, agent.tenantId],
        ['agent_id', agentId, agent.agentId],
      ] as const) {
        if (named === own) continue;
        throw new BeaconError('permission_denied', `${field}: this sidecar speaks for another`, { field });
      }
    },
    mint: notHere,
    revokeToken: notHere,
  };
}

async function notHere(): Promise<never> {
  throw new BeaconError('permission_denied', 'a sidecar has no tokens to give or take');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
