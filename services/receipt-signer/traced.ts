// Sealing as spans, and what a receipt's way goes on under: a log is published and scored after its answer has left, so
// which span each receipt was sealed under is remembered until then. In memory and bounded: a trace that is lost with the
// process costs a span's parent, never a receipt.

import { receiptId } from '../../core/ids.ts';
import { readTraceContext, type TraceContext, writeTraceparent } from '../../core/trace-context.ts';
import type {
  SealRequest,
  SealResponse,
  SealStreamRequest,
  SealStreamResponse,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Span, SpanKind, Tracing } from '../../runtime/tracing.ts';
import { REGION_ATTRIBUTE } from '../../runtime/tracing-attributes.ts';
import { failureOf } from '../../runtime/tracing-calls.ts';

/** Receipts whose span is remembered; of more, the oldest are forgotten. */
export const MAX_REMEMBERED = 65_536;

type Sealed = { readonly response: SealResponse | undefined; readonly failureCode?: string };

export type Carried = { readonly traceparent: string; readonly tracestate: string };
/** A batch on its way to the stream: what each message carries, and how it went. */
export type Publication = {
  of(index: number): Carried | undefined;
  ended(error?: unknown): void;
};

export type SealTracesOptions = {
  readonly logId: string;
  readonly tracing: Tracing | undefined;
  readonly kind: SpanKind;
  /** Whether anybody will ask under which span a receipt was sealed. */
  readonly remember: boolean;
  /** The region this log lies in, where there are regions. */
  readonly region?: string;
};

export class SealTraces {
  readonly #options: SealTracesOptions;
  readonly #sealedUnder = new Map<string, TraceContext>();

  constructor(options: SealTracesOptions) {
    this.#options = options;
  }

  /** Seals under a span of its own, child of what the request carries. */
  seal(request: SealRequest, work: () => Promise<SealResponse>): Promise<SealResponse> {
    return this.#under(request, work, (response) => ({ response }));
  }

  /** The same for one request of the stream, whose failure is an answer. */
  sealOne(message: SealStreamRequest, work: () => Promise<SealStreamResponse>): Promise<SealStreamResponse> {
    return this.#under(message.request, work, ({ response, failureCode }) => ({ response, failureCode }));
  }

  /** What carries no span costs one comparison. */
  #under<T>(request: SealRequest | undefined, work: () => Promise<T>, read: (result: T) => Sealed): Promise<T> {
    if (!request || request.traceparent === '') return work();
    const carried = readTraceContext(request.traceparent, request.tracestate);
    return carried ? this.#underSpanOf(carried, work, read) : work();
  }

  async #underSpanOf<T>(carried: TraceContext, work: () => Promise<T>, read: (result: T) => Sealed): Promise<T> {
    const { tracing, kind } = this.#options;
    const span = tracing?.start('sign_and_append', { kind, parent: carried, attributes: this.#attributes() });
    try {
      const result = await work();
      const { response, failureCode = '' } = read(result);
      const [first] = response?.receipts ?? [];
      if (response) this.#remember(response, span?.place ?? carried);
      if (first) span?.set({ 'beacon.receipt_id': first.receiptId });
      span?.end(failureCode === '' ? undefined : failureCode);
      return result;
    } catch (error) {
      span?.end(failureOf(error));
      throw error;
    }
  }

  /** Forgets it: each receipt goes its way once. */
  take(index: number): TraceContext | undefined {
    if (this.#sealedUnder.size === 0) return undefined;
    const id = receiptId(this.#options.logId, index);
    const place = this.#sealedUnder.get(id);
    if (place) this.#sealedUnder.delete(id);
    return place;
  }

  /** One producer's span for each message that is part of a trace. */
  publishing(indices: readonly number[]): Publication {
    const { tracing, logId } = this.#options;
    const under = new Map<number, { readonly parent: TraceContext; readonly span: Span | undefined }>();
    for (const index of indices) {
      const parent = this.take(index);
      if (!parent) continue;
      const attributes = {
        ...this.#attributes(),
        'messaging.system': 'nats',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': logId,
        'messaging.message.id': receiptId(logId, index),
        'beacon.receipt_id': receiptId(logId, index),
      };
      const span = tracing?.start('publish receipt', { kind: 'producer', parent, attributes });
      under.set(index, { parent, span });
    }
    return {
      of: (index) => {
        const found = under.get(index);
        if (!found) return undefined;
        const place = found.span?.place ?? found.parent;
        return { traceparent: writeTraceparent(place), tracestate: place.state };
      },
      ended: (error) => {
        for (const [index, { parent, span }] of under) {
          span?.end(error === undefined ? undefined : failureOf(error));
          // It will be tried again.
          if (error !== undefined) this.#keep(receiptId(logId, index), parent);
        }
      },
    };
  }

  #remember({ receipts }: SealResponse, place: TraceContext): void {
    if (!this.#options.remember) return;
    for (const receipt of receipts) this.#keep(receipt.receiptId, place);
  }

  #keep(id: string, place: TraceContext): void {
    this.#sealedUnder.set(id, place);
    if (this.#sealedUnder.size <= MAX_REMEMBERED) return;
    const oldest = this.#sealedUnder.keys().next();
    if (!oldest.done) this.#sealedUnder.delete(oldest.value);
  }

  #attributes(): Readonly<Record<string, string>> {
    const { logId, region } = this.#options;
    return { 'beacon.log_id': logId, ...(region === undefined ? {} : { [REGION_ATTRIBUTE]: region }) };
  }
}
