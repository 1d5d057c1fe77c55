// Scoring as spans: one for each receipt that came with a trace, from its delivery until it is folded.

import { receiptId } from '../../core/ids.ts';
import { readTraceContext, type TraceContext } from '../../core/trace-context.ts';
import type { ReceiptStream, StreamedReceipt } from '../../ports/receipt-stream/port.ts';
import type { Tracing } from '../../runtime/tracing.ts';
import { REGION_ATTRIBUTE } from '../../runtime/tracing-attributes.ts';
import { endedWith } from '../../runtime/tracing-calls.ts';

const NAME = 'score receipt';

/** The message's own span is the parent, and is linked to, as for every consumer of one message. */
export function tracedStream(
  stream: ReceiptStream,
  tracing: Tracing | undefined,
  { consumer, region }: { readonly consumer: string; readonly region: string },
): ReceiptStream {
  if (!tracing) return stream;
  const traced = (handle: (receipt: StreamedReceipt) => Promise<void>) => async (receipt: StreamedReceipt) => {
    const parent = readTraceContext(receipt.traceparent, receipt.tracestate);
    if (!parent) return handle(receipt);
    const attributes = {
      'messaging.system': 'nats',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': receipt.logId,
      'messaging.consumer.group.name': consumer,
      'messaging.message.id': receipt.receiptId,
      'beacon.receipt_id': receipt.receiptId,
      ...(region === '' ? {} : { [REGION_ATTRIBUTE]: region }),
    };
    const span = tracing.start(NAME, { kind: 'consumer', parent, link: parent, attributes });
    return endedWith(span, () => handle(receipt));
  };
  return {
    publish: (batch) => stream.publish(batch),
    reach: (logId) => stream.reach(logId),
    consume: (durable, logId, handle) => stream.consume(durable, logId, traced(handle)),
    whenBack: (listener) => stream.whenBack(listener),
    close: () => stream.close(),
  };
}

export type FoldTracing = {
  readonly tracing: Tracing;
  /** Under which span a leaf of the log was sealed. */
  readonly sealedUnder: (index: number) => TraceContext | undefined;
};

/** The same where one process does both: told of each batch that was folded. */
export function foldedUnder({ tracing, sealedUnder }: FoldTracing, logId: string) {
  return (from: number, next: number, startedMs: number): void => {
    for (let index = from; index < next; index += 1) {
      const parent = sealedUnder(index);
      if (!parent) continue;
      const attributes = { 'beacon.receipt_id': receiptId(logId, index) };
      tracing.start(NAME, { parent, startedMs, attributes }).end();
    }
  };
}
