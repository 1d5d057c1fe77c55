// Scoring as a process of its own. It starts with the signers that are there; the logs of the others are followed when
// these come, so that one lost signer does not keep the scores of all agents still.

import { BeaconError } from '../core/errors.ts';
import { ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import type { ReceiptStream } from '../ports/receipt-stream/port.ts';
import { sealingWhereItMay } from './residency.ts';
import { composeStreamScoring } from './scoring/compose.ts';
import { CONSUMER } from './scoring/follow-stream.ts';
import { followSigner } from './scoring/signer-source.ts';
import { tracedStream } from './scoring/traced.ts';
import {
  eventually,
  openBus,
  openMetricsDoor,
  openSeparateMesh,
  openSharedStores,
  openStream,
  type Run,
} from './separate-parts.ts';
import { dialAll, hosting, type Started, serve } from './separate-targets.ts';

/** Without any signer for so long, the start is given up. */
const FIRST_SIGNER_MS = 60_000;

export async function startScoring(run: Run): Promise<Started> {
  const { config, closers, failed } = run;
  const mesh = await openSeparateMesh('scoring', run);
  const stores = await openSharedStores(run);
  const { nats, bus } = openBus(run);
  const stopping = new AbortController();
  const asked = (await dialAll(mesh, run, ReceiptSignerService, 'receipt-signer', config.signers)).map(
    async ({ name, service }) => {
      const look = () => followSigner(service, Date.now);
      const log = await eventually(`signer ${name}`, look, run.log, { signal: stopping.signal });
      return { ...log, service };
    },
  );
  closers.push(() => stopping.abort());
  const first = await firstOf(asked);
  const there = [first];
  let sealer = sealingWhereItMay(there, run.residency);
  const streams = new Map<string, Pick<ReceiptStream, 'consume'>>();
  const streamOf = (logId: string) => {
    const region = there.find(({ source }) => source.logId === logId)?.region ?? '';
    const known = streams.get(region);
    if (known) return known;
    const opened = tracedStream(openStream(nats, run, region), run.tracing, { consumer: CONSUMER, region });
    streams.set(region, opened);
    return opened;
  };
  const scoring = composeStreamScoring({
    store: stores.scores,
    stream: { consume: (durable, logId, handle) => streamOf(logId).consume(durable, logId, handle) },
    logs: there,
    expected: asked.length,
    bus,
    now: Date.now,
    onFault: failed('scoring.failed'),
    signer: { seal: (request, context) => sealer.seal(request, context) },
  });
  closers.push(() => scoring.stop());
  const came = (log: (typeof there)[number]) => {
    if (log === first || stopping.signal.aborted) return;
    there.push(log);
    sealer = sealingWhereItMay(there, run.residency);
    scoring.follow(log);
  };
  // Only the end of this process ends the wait for one.
  for (const one of asked) one.then(came, () => undefined).catch(failed('scoring.failed'));
  const service = await serve(mesh, run, [hosting(ScoringService, scoring.service)]);
  const ready = () => (stores.usable() ? [] : ['Redis cannot be used']);
  return { service, metrics: await openMetricsDoor(run, ready) };
}

async function firstOf<T>(asked: readonly Promise<T>[]): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new BeaconError('unavailable', 'no signer was there in time')),
    FIRST_SIGNER_MS,
  );
  try {
    return await Promise.race([Promise.any(asked), late]);
  } finally {
    clearTimeout(timer);
  }
}
