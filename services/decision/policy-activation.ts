// Activates signed policy bundles while decisions go on: read, verify, load, rehearse, seal a `policy` receipt, keep, swap.
// Whatever fails leaves the bundle before active and is told. One activation at a time.

import { create } from '@bufbuild/protobuf';
import { asBeaconError, BeaconError } from '../../core/errors.ts';
import type { PublicKey } from '../../core/jwk.ts';
import {
  manifestId,
  type PolicyManifest,
  PolicyRefused,
  verifyPolicy,
  verifySigned,
} from '../../core/policy-manifest.ts';
import type { CallContext } from '../../core/principal.ts';
import { createTurn } from '../../core/turn.ts';
import { DraftSchema, SealRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { PolicyBundle, PolicyEngine, PolicySnapshot } from '../../ports/policy-engine/port.ts';
import type { PolicyKeep, PolicySource, SignedFiles } from '../../ports/policy-source/port.ts';
import type { Signer } from './deps.ts';
import { RecentInputs, type Rehearsal, type RehearsalInputs, rehearse } from './policy-rehearsal.ts';
import type { PolicyControl, PolicyRefusalSeen, PolicyStatus } from './policy-status.ts';

export type PolicyActivationDeps = {
  readonly engine: PolicyEngine;
  readonly source: PolicySource;
  readonly keep: PolicyKeep;
  /** Read anew for each look, so that keys can be added and taken away while running. */
  readonly trustedKeys: () => Promise<readonly PublicKey[]>;
  /** Never decides by the built-in bundle: without another one there is no start. */
  readonly required?: boolean;
  /** As the engine takes them; throws `failed_precondition`. What the built-in bundle must deny, every bundle must. */
  readonly prepare: (files: ReadonlyMap<string, Uint8Array>) => {
    readonly bundle: PolicyBundle;
    readonly rehearsal: RehearsalInputs;
  };
  readonly signer: Pick<Signer, 'seal'>;
  /** For what is done without a caller. */
  readonly ownCall: () => CallContext;
  readonly now: () => number;
  readonly told: {
    activated(status: PolicyStatus, previousDigest: string, rehearsal: Rehearsal): void;
    refused(seen: PolicyRefusalSeen, error: unknown): void;
    /** What the source has now is what decides, or it has nothing. */
    agreed(): void;
  };
};

type Cause = {
  readonly cause: 'start' | PolicySource['kind'] | 'admin';
  readonly force: boolean;
  readonly call: CallContext;
  /** What the source said to the look before; undefined asks it anew. */
  readonly stamp?: string | undefined;
};
type Active = { readonly manifest: PolicyManifest; readonly id: string; readonly receiptId: string };

const NOTHING_REHEARSED: Rehearsal = { cases: 0, canary: { inputs: 0, milder: 0, stricter: 0, routes: {} } };

export class PolicyActivation implements PolicyControl {
  /** Filled by whoever decides; what a new policy is compared on. */
  readonly recent = new RecentInputs();
  readonly #deps: PolicyActivationDeps;
  #active: Active | undefined;
  /** What none may fall behind; kept over restarts. */
  #last: { readonly version: number; readonly id: string } | undefined;
  /** Was tried apart, and could be used but for the signer or the disk: not tried again each time they are asked. */
  #tried = '';
  #refused: PolicyRefusalSeen | undefined;
  #fault: unknown;
  #stamp: string | undefined;
  readonly #inTurn = createTurn();
  #unwatch: () => void = () => {};

  constructor(deps: PolicyActivationDeps) {
    this.#deps = deps;
  }

  /**
   * Goes on with the bundle that was active before the restart, takes a newer one from the source, and begins to watch.
   * Throws when there was one, or must be one, and neither it nor a newer one can be used: what was decided by a signed
   * policy is not decided by the built-in one because a file is missing or a server is away.
   */
  async start(): Promise<void> {
    const kept = await this.#deps.keep.load();
    let fault: unknown;
    if (kept && !this.#active) {
      this.#last = { version: kept.version, id: kept.id };
      try {
        const manifest = verifySigned(kept.envelope, await this.#deps.trustedKeys(), kept.files);
        if (manifestId(manifest) !== kept.id) throw new PolicyRefused('digest_mismatch', 'it is not the one kept');
        await this.#use(manifest, kept, { cause: 'start', force: false, call: this.#deps.ownCall() });
      } catch (error) {
        fault = error;
      }
    }
    await this.#inTurn(() => this.#look('start'));
    if ((kept || this.#deps.required) && !this.#active) throw fault ?? this.#fault;
    const { source } = this.#deps;
    this.#unwatch = source.watch(() => void this.#inTurn(() => this.#look(source.kind)));
  }

  async stop(): Promise<void> {
    this.#unwatch();
    await this.#inTurn(async () => {});
  }

  status(): PolicyStatus {
    const { digest, revision, expiresAtMs } = this.#deps.engine.snapshot();
    const { manifest, receiptId } = this.#active ?? {};
    const named = { name: manifest?.name ?? 'built-in', version: manifest?.version ?? 0, receiptId: receiptId ?? '' };
    return { ...named, digest, revision, expiresAtMs, refused: this.#refused };
  }

  activate(force: boolean, call: CallContext): Promise<boolean> {
    return this.#inTurn(() =>
      this.#reload({ cause: 'admin', force, call }).catch((error) => {
        // What only this look met, such as a server away for a moment, is not shown until something changes.
        this.#stamp = undefined;
        throw error;
      }),
    );
  }

  /** Never throws: what is refused is told once, until the source or the keys change. */
  async #look(cause: 'start' | PolicySource['kind']): Promise<void> {
    const { source, trustedKeys, ownCall } = this.#deps;
    const keys = await trustedKeys().catch(() => []);
    let stamp: string | undefined;
    let fault: unknown;
    try {
      stamp = await source.stamp();
    } catch (error) {
      fault = error;
    }
    const seen = `${keys.map(({ keyId }) => keyId).join(' ')}\n${fault ?? stamp}`;
    if (seen === this.#stamp) return;
    this.#stamp = seen;
    const done = fault
      ? Promise.reject(this.#refuse(fault))
      : this.#reload({ cause, force: false, call: ownCall(), stamp });
    await done.catch((error) => {
      // Nothing is wrong with the bundle: the signer was away. It is tried again.
      if (!(error instanceof PolicyRefused)) this.#stamp = undefined;
    });
  }

  async #reload(why: Cause): Promise<boolean> {
    try {
      const changed = await this.#tryReload(why);
      this.#refused = undefined;
      this.#deps.told.agreed();
      return changed;
    } catch (error) {
      throw this.#refuse(error);
    }
  }

  #refuse(error: unknown): unknown {
    const reason = error instanceof PolicyRefused ? error.reason : 'unsealed';
    const seen = { reason, message: asBeaconError(error).message, atMs: this.#deps.now() };
    this.#refused = seen;
    this.#fault = error;
    this.#deps.told.refused(seen, error);
    return error;
  }

  async #tryReload(why: Cause): Promise<boolean> {
    const { source, trustedKeys, now } = this.#deps;
    const signed = await source.read(why.stamp);
    if (signed === undefined) {
      if (why.cause === 'admin' || this.#deps.required)
        throw new PolicyRefused('missing_file', 'the source has no bundle');
      return false;
    }
    const keys = await trustedKeys();
    const check = { nowMs: now(), last: this.#last, force: why.force };
    const manifest = verifyPolicy(signed.envelope, keys, signed.files, check);
    if (manifestId(manifest) === this.#active?.id) return false;
    await this.#use(manifest, signed, why);
    return true;
  }

  async #use(manifest: PolicyManifest, signed: SignedFiles, why: Cause): Promise<void> {
    const { engine, keep, prepare, told } = this.#deps;
    const id = manifestId(manifest);
    const { version, revision } = manifest;
    const before = engine.snapshot();
    const sealed = { receiptId: '', rehearsal: NOTHING_REHEARSED };
    const record = (inputs: RehearsalInputs) => async (checked: PolicySnapshot) => {
      this.#tried = id;
      sealed.rehearsal = await rehearse(checked, before, inputs);
      sealed.receiptId = await this.#seal(manifest, id, { before: before.digest, rehearsal: sealed.rehearsal }, why);
      // After the receipt: a version that was never sealed decides nothing, so it holds nobody back either.
      if (id !== this.#last?.id) await keeping(() => keep.save({ ...signed, version, id }));
      this.#last = { version, id };
    };
    try {
      const { bundle, rehearsal } = prepare(signed.files);
      const canaries = [...rehearsal.canaries, ...this.recent.all()];
      // The one kept has decided before: that this machine is busy now shall not keep it out.
      const trial = id === this.#last?.id || id === this.#tried ? undefined : trialOf(rehearsal, this.recent);
      const named = { ...bundle, revision, expiresAtMs: Date.parse(manifest.expires_at), ...(trial && { trial }) };
      await engine.activate(named, record({ ...rehearsal, canaries }));
    } catch (error) {
      if (error instanceof PolicyRefused || asBeaconError(error).code !== 'failed_precondition') throw error;
      throw new PolicyRefused('not_loadable', asBeaconError(error).message, error);
    }
    this.#active = { manifest, id, receiptId: sealed.receiptId };
    told.activated(this.status(), before.digest, sealed.rehearsal);
  }

  /** The receipt's id. Throws `unavailable` when it cannot be sealed. */
  async #seal(
    manifest: PolicyManifest,
    id: string,
    { before, rehearsal }: { readonly before: string; readonly rehearsal: Rehearsal },
    why: Cause,
  ): Promise<string> {
    const { digest, name, revision, version, expires_at } = manifest;
    const older = this.#last !== undefined && version < this.#last.version;
    const predicate = {
      digest,
      name,
      revision,
      version,
      expires_at,
      manifest_digest: id,
      previous_digest: before,
      ...(this.#last ? { previous_version: this.#last.version } : {}),
      forced: why.force,
      rollback: older,
      cause: why.cause,
      actor: why.call.principal.subject,
      cases: rehearsal.cases,
      canary: rehearsal.canary,
    };
    const draft = create(DraftSchema, {
      kind: 'policy',
      actionId: `policy:${digest}`,
      fingerprint: digest,
      predicateJson: Buffer.from(JSON.stringify(predicate)),
    });
    // From now on: loading and trying take as long as they take, and whoever asked for it may have gone meanwhile.
    const call = { ...why.call, deadlineMs: this.#deps.ownCall().deadlineMs };
    const response = await this.#deps.signer.seal(create(SealRequestSchema, { drafts: [draft] }), call);
    const receiptId = response.receipts[0]?.receiptId ?? '';
    if (response.refused !== '' || receiptId === '') {
      throw new BeaconError('unavailable', 'the activation could not be sealed');
    }
    return receiptId;
  }
}

/** What agents proposed has no limit: one that is slow by any policy would keep every new one out. */
function trialOf({ cases }: RehearsalInputs, recent: RecentInputs): NonNullable<PolicyBundle['trial']> {
  return { limited: cases.map(({ input }) => input), unlimited: recent.all() };
}

/** Tried again only on a change or an admin's word: each attempt has sealed a receipt. */
async function keeping(save: () => Promise<void>): Promise<void> {
  try {
    await save();
  } catch (cause) {
    throw new PolicyRefused('not_kept', 'its version could not be written to the data folder', cause);
  }
}
