// What happened, told to whoever listens. At least once; never the only copy; publishing never changes an answer.

import type { TraceContext } from '../../core/trace-context.ts';

export type BusEvent = {
  /** From core/events.ts, such as `receipt.appended`. */
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** What it happened under, for those who hear of it in another process. */
  readonly span?: TraceContext;
  /** Where it was sealed, where there are regions; without it, its tenant's first. */
  readonly region?: string;
};

export type EventBus = {
  /** Never throws and never waits for a listener. */
  publish(event: BusEvent): void;
  /** Returns the function that ends the subscription. A listener that throws is dropped from nothing: it is called again. */
  subscribe(name: string, listener: (event: BusEvent) => void): () => void;
  close(): Promise<void>;
};
