// The logs behind this gateway, found by the id in a receipt's id. A log's origin never changes, so it is asked once.

import { create } from '@bufbuild/protobuf';
import { logIdOf } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import { GetKeysRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { LogReader } from './types.ts';

export type Log = {
  readonly logId: string;
  readonly origin: string;
  readonly vkey: string;
  readonly reader: LogReader;
};

export type Logs = {
  /** Those that could be asked what they are called; fewer than `count` while one is away that never could. */
  all(): Promise<readonly Log[]>;
  readonly count: number;
  /** Undefined when no log here has this id. */
  find(logId: string): Promise<Log | undefined>;
  /** Where decisions are. */
  first(): Promise<Log | undefined>;
};

/** `context` is the gateway's own, for what it asks on nobody's behalf. */
export function createLogs(readers: readonly LogReader[], context: () => CallContext): Logs {
  const known = new Map<LogReader, Log>();
  const describe = async (reader: LogReader): Promise<Log> => {
    const before = known.get(reader);
    if (before !== undefined) return before;
    const { origin, vkey } = await reader.getKeys(create(GetKeysRequestSchema), context());
    const log = { logId: logIdOf(origin), origin, vkey, reader };
    known.set(reader, log);
    return log;
  };
  // One that cannot be asked now hides no other.
  const all = async () => {
    const answers = await Promise.allSettled(readers.map(describe));
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (found.length > 0 || readers.length === 0) return found;
    throw (answers[0] as PromiseRejectedResult).reason;
  };
  return {
    all,
    count: readers.length,
    find: async (logId) => (await all()).find((log) => log.logId === logId),
    first: async () => (await all())[0],
  };
}
