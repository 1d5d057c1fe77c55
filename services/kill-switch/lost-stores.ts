// A list that was lost was lost with the stores beside it. While the logs are read into them again, a key that was decided
// would be fresh and an approval that was used could be used again: so the list, without which all is denied, waits for them.

import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../../core/errors.ts';
import { logIdOf } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import { GetStatusRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { LeasedSigner } from './lease.ts';

/** How long a signer that cannot be asked is waited for: its log is read when it is back, and the others go on meanwhile. */
export const AWAY_MS = 10_000;

export type LostStoresDeps = {
  readonly signers: readonly Pick<LeasedSigner, 'getStatus'>[];
  /** How far the stores reflect a log: the next index. */
  readonly followed: (logId: string) => Promise<number>;
  readonly context: () => CallContext;
  readonly failed: (error: unknown) => void;
  /** Milliseconds. */
  readonly now: () => number;
};

type Signer = LostStoresDeps['signers'][number];
type Loss = {
  readonly seenMs: number;
  /** What each log held when it was first asked after the loss: what has been allowed since is nothing. */
  readonly held: Map<Signer, { readonly logId: string; readonly size: number }>;
};

export class LostStores {
  readonly #deps: LostStoresDeps;
  #loss: Loss | undefined;

  constructor(deps: LostStoresDeps) {
    this.#deps = deps;
  }

  /** Whether the stores reflect again what the logs held when the loss was seen; says so where they do not. Ask until true. */
  async restored(): Promise<boolean> {
    const { signers, now, failed } = this.#deps;
    this.#loss ??= { seenMs: now(), held: new Map() };
    for (const signer of signers) {
      const missing = await this.#missing(signer, this.#loss);
      if (missing === undefined) continue;
      failed(new BeaconError('unavailable', `the list was lost and waits for ${missing}`));
      return false;
    }
    this.#loss = undefined;
    return true;
  }

  async #missing(signer: Signer, { seenMs, held }: Loss): Promise<string | undefined> {
    const { followed, context, now } = this.#deps;
    if (!held.has(signer)) {
      const status = await signer.getStatus(create(GetStatusRequestSchema), context()).catch(() => undefined);
      if (!status) return now() - seenMs < AWAY_MS ? 'a signer that is away' : undefined;
      held.set(signer, { logId: logIdOf(status.origin), size: Number(status.size) });
    }
    const { logId, size } = held.get(signer) as { logId: string; size: number };
    const reached = await followed(logId);
    return reached < size ? `log ${logId}: read to ${reached} of ${size}` : undefined;
  }
}
