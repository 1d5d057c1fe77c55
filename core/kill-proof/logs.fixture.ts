// A kill-switch's log and signers' logs made leaf by leaf under fixed keys, sound or spoiled as a test wants them.

import { createHash } from 'node:crypto';
import { privateKeyFromSeed, signerOf } from '../jwk.ts';
import { formatCheckpoint } from '../ledger/checkpoint.ts';
import { noteKey, signNote } from '../ledger/note.ts';
import { encodeEntries, TILE_WIDTH } from '../ledger/tiles.ts';
import { buildStatement, type ReceiptKind, type SignerFields, signEnvelope } from '../receipt.ts';
import type { LogCopy, TrustedKeys } from './prove.ts';

const seeded = (byte: number) => signerOf(privateKeyFromSeed(new Uint8Array(32).fill(byte)));
const receiptKey = seeded(0x11);
export const strangerKey = seeded(0x22);
const checkpointKey = seeded(0x33);

export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const REVOCATION = `rev_${'a'.repeat(32)}`;
export const SCOPE = 'agent:acme/bot';
export const LEASE_MS = 5_000;
const iso = (second: number) => new Date(START_MS + second * 1000).toISOString();
const hex = (text: string) => createHash('sha256').update(text).digest('hex');

export type Leaf = { readonly kind: ReceiptKind; readonly actionId: string } & {
  readonly at: number;
  readonly signer?: Partial<SignerFields>;
  readonly predicate: Readonly<Record<string, unknown>>;
};

/** Seconds after START_MS, everywhere. */
export function allow(
  at: number,
  change: Record<string, unknown> = {},
  leaseEnd = at + LEASE_MS / 1000,
  term = 1,
): Leaf {
  const name = hex(`${at} ${JSON.stringify(change)}`).slice(0, 32);
  return {
    kind: 'decision',
    actionId: `act_${name}`,
    at,
    signer: { lease: { term, not_after: iso(leaseEnd) }, permit: { id: `pmt_${name}`, not_after: iso(leaseEnd) } },
    predicate: {
      decision: 'ALLOW',
      route: 'ALLOW',
      tenant_id: 'acme',
      agent_id: 'bot',
      client_provenance: 'authenticated',
      tools: ['git'],
      policy: { digest: hex('policy') },
      ...change,
    },
  };
}

export function change(form: string, at: number, also: Record<string, unknown> = {}): Leaf {
  const predicate = { form, revocation_id: REVOCATION, scope: SCOPE, operation: 'revoke', epoch: 2, ...also };
  return { kind: 'revocation', actionId: String(predicate.revocation_id), at, predicate };
}

export const opened = (decision: Leaf, at: number): Leaf => ({
  kind: 'action',
  actionId: decision.actionId,
  at,
  signer: decision.signer ?? {},
  predicate: { action_id: decision.actionId, tenant_id: 'acme', agent_id: 'bot' },
});

export const voids = (receiptId: string, at: number): Leaf => ({
  kind: 'void',
  actionId: 'act_void',
  at,
  predicate: { voids: receiptId, reason: 'lease_ended', tenant_id: 'acme', agent_id: 'bot' },
});

export function originOf(role: string, logId: string): string {
  return `beacon.local/${role}/${logId}`;
}

export type Spoil = {
  readonly signer?: (index: number) => typeof receiptKey;
  readonly leaves?: (leaves: Uint8Array[]) => Uint8Array[];
};

/** The log's copy as a stranger gets it; `leaves` spoils what is handed out after the checkpoint was signed. */
export function logOf(role: string, logId: string, leaves: readonly Leaf[], spoil: Spoil = {}): LogCopy {
  const sealed = leaves.map(({ kind, actionId, at, signer = {}, predicate }, index) => {
    const fields = { receipt_id: `${logId}-${index}`, sealed_at: iso(at), ...signer };
    const statement = buildStatement({ kind, actionId, fingerprint: hex(actionId), signer: fields, predicate });
    return signEnvelope(statement, spoil.signer?.(index) ?? receiptKey);
  });
  const origin = originOf(role, logId);
  const root = rootOf(sealed.map((leaf) => sha256(Buffer.of(0), leaf)));
  const text = formatCheckpoint({ origin, size: sealed.length, root });
  const key = noteKey(origin, checkpointKey.publicKey.bytes);
  const handed = spoil.leaves?.(sealed) ?? sealed;
  return {
    checkpoint: signNote(text, [{ key, sign: checkpointKey.sign }]),
    async *bundles() {
      for (let at = 0; at < handed.length; at += TILE_WIDTH) yield encodeEntries(handed.slice(at, at + TILE_WIDTH));
    },
  };
}

export function keysFor(...origins: readonly string[]): TrustedKeys {
  const logKeys = origins.map((origin) => noteKey(origin, checkpointKey.publicKey.bytes));
  return { receiptKeys: [receiptKey.publicKey], logKeys };
}

function sha256(...parts: Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/** RFC 6962, 2.1, as written there, so that it is not the product's own tree that confirms the product. */
function rootOf(digests: readonly Uint8Array[]): Uint8Array {
  if (digests.length < 2) return digests[0] ?? sha256();
  const split = 2 ** Math.floor(Math.log2(digests.length - 1));
  return sha256(Buffer.of(1), rootOf(digests.slice(0, split)), rootOf(digests.slice(split)));
}
