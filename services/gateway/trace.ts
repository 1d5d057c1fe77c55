// W3C trace context: the caller's trace id where it gave a readable one.

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const NONE = '0'.repeat(32);

/** The 32 hex digits, or undefined: what cannot be read starts a new trace, as the specification has it. */
export function traceIdOf(traceparent: unknown): string | undefined {
  if (typeof traceparent !== 'string' || traceparent.startsWith('ff')) return undefined;
  const id = TRACEPARENT.exec(traceparent)?.[1];
  return id === NONE ? undefined : id;
}
