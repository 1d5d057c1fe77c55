// Puts scoring together, over one log in this process or over the stream of several: what folds, and the service that
// answers from what was folded.

import type { EventBus } from '../../ports/event-bus/port.ts';
import type { ScoreStore } from '../../ports/score-store/port.ts';
import { ScoreFollower } from './follow.ts';
import type { ReceiptSource, TrustedKeys } from './ledger-source.ts';
import { ScoringService, type Sealer } from './service.ts';
import { StreamScoring, type StreamScoringDependencies } from './stream-scoring.ts';
import { type FoldTracing, foldedUnder } from './traced.ts';

export type ScoringOptions = {
  readonly store: ScoreStore;
  readonly source: ReceiptSource;
  readonly keys: TrustedKeys;
  readonly signer: Sealer;
  readonly bus: EventBus;
  readonly now: () => number;
  readonly failed: (error: unknown) => void;
  readonly traced?: FoldTracing | undefined;
};

export type ScoringComposition = { readonly service: ScoringService; stop(): Promise<void> };

export async function composeScoring(options: ScoringOptions): Promise<ScoringComposition> {
  const { store, source, keys, signer, bus, now, failed } = options;
  const folded = options.traced ? { folded: foldedUnder(options.traced, source.logId) } : {};
  const follower = new ScoreFollower({ store, source, keys, bus, now, onFault: failed, ...folded });
  await follower.start();
  const sourceOf = (logId: string) => (logId === source.logId ? source : undefined);
  const service = new ScoringService({ store, follower, sourceOf, keys, signer, now });
  return { service, stop: () => follower.stop() };
}

export type StreamScoringOptions = StreamScoringDependencies & {
  /** Who seals what an admin has emitted or imported. */
  readonly signer: Sealer;
};

export type StreamScoringComposition = ScoringComposition & {
  readonly counts: StreamScoring['counts'];
  readonly follow: StreamScoring['follow'];
};

/** For one of several replicas. Starts without stream and signers being there. */
export function composeStreamScoring({ signer, ...followed }: StreamScoringOptions): StreamScoringComposition {
  const scoring = new StreamScoring(followed);
  scoring.start();
  const { store, now } = followed;
  const sourceOf = (logId: string) => scoring.sourceOf(logId);
  const service = new ScoringService({ store, follower: scoring, sourceOf, keys: scoring, signer, now });
  return {
    service,
    stop: () => scoring.stop(),
    counts: () => scoring.counts(),
    follow: (log) => scoring.follow(log),
  };
}
