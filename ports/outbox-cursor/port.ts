// How far a log has been handed to the stream. It may lag behind the truth, never run ahead of it: what is handed over
// twice does no harm, what is skipped is lost.

export type OutboxCursor = {
  /** The next index to hand over. */
  readonly index: number;
  /** The identity of the stream it was handed to. */
  readonly stream: string;
  /** The region of that stream, '' where there are none; undefined in cursors from before it was kept. */
  readonly region?: string;
};

export type OutboxCursorStore = {
  /** Undefined before the first save, and when what was saved cannot be read: the log is then handed over from its start. */
  load(): Promise<OutboxCursor | undefined>;
  /** Durable when it resolves. Callers save one at a time. */
  save(cursor: OutboxCursor): Promise<void>;
};
