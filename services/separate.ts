// Starts one of the separate services, and stops it again from the last thing opened to the first.

import { mkdirSync } from 'node:fs';
import type { Log } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { openResidency, withRegions } from './residency.ts';
import type { SeparateConfig, Target } from './separate-config.ts';
import { startGateway } from './separate-gateway.ts';
import { startKillSwitch } from './separate-kill-switch.ts';
import type { Closers, Run } from './separate-parts.ts';
import { startScoring } from './separate-scoring.ts';
import { type Started, startDecision, startReceiptSigner } from './separate-targets.ts';
import { openProcessTracing } from './tracing.ts';

const STARTS: Readonly<Record<Target, (run: Run) => Promise<Started>>> = {
  gateway: startGateway,
  decision: startDecision,
  'receipt-signer': startReceiptSigner,
  scoring: startScoring,
  'kill-switch': startKillSwitch,
};

export type Separate = { readonly started: Started; stop(): Promise<void> };

export async function startSeparate(config: SeparateConfig, log: Log): Promise<Separate> {
  const closers: Closers = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const failed = (event: string) => (error: unknown) => log.error(event, { error });
  try {
    const metrics = createMetrics('beacon_');
    const residency = await openResidency(config.residencyFile, config.region);
    const settings = withRegions(config.tracing, residency);
    const tracing = await openProcessTracing({ settings, metrics, closers });
    const run = { config, log, metrics, tracing, residency, closers, failed };
    return { started: await STARTS[config.target](run), stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}
