import { createHash } from 'node:crypto';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  DecideRequestSchema,
  ExecuteRequestSchema,
  GuardRequestSchema,
  ReceivedForm,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { readReceived } from './received.ts';

const actions = [{ kind: { case: 'shell' as const, value: { command: 'ls', cwd: '/w' } } }];
const proposal = { tenantId: 't', agentId: 'a', actions };
const json = Buffer.from('{"agent_id":"a", "tenant_id":"t", "code":"ls"}');
const guard = toBinary(GuardRequestSchema, create(GuardRequestSchema, { proposal }));
const execute = toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { proposal }));
const stream = (init: MessageInitShape<typeof DecideRequestSchema>) =>
  toBinary(DecideRequestSchema, create(DecideRequestSchema, init));
const read = (init: MessageInitShape<typeof DecideRequestSchema>) => readReceived(create(DecideRequestSchema, init));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test.each([
  ['a body', json, ReceivedForm.JSON, true],
  ['a unary guard', guard, ReceivedForm.UNARY, false],
  ['a unary execute', execute, ReceivedForm.UNARY, true],
  ['a message of a stream', stream({ sequence: 9n, proposal, open: true }), ReceivedForm.STREAM, true],
] as const)('%s is read as its face reads it, and its own bytes are what counts', (_, received, receivedForm, open) => {
  const { proposal: understood, digest } = read({ received, receivedForm, open });
  expect(understood).toMatchObject({ tenantId: 't', agentId: 'a' });
  expect(understood?.actions[0]?.kind).toMatchObject({ case: 'shell', value: { command: 'ls' } });
  expect(digest).toBe(sha256(received));
});

test('without them the proposal is the request, and its digest the message’s own', () => {
  expect(read({ proposal })).toMatchObject({ proposal: { agentId: 'a' }, digest: undefined });
});

test('the trace is the call’s, else the one in the body', () => {
  const trace = (digit: string) => `00-${digit.repeat(32)}-${'1'.repeat(16)}-01`;
  const body = { agent_id: 'a', tenant_id: 't', code: 'ls', context: { traceparent: trace('b') } };
  const received = Buffer.from(JSON.stringify(body));
  const of = (traceparent: string) => read({ received, receivedForm: ReceivedForm.JSON, open: true, traceparent });
  expect(of(trace('a')).carried?.traceId).toBe('a'.repeat(32));
  expect(of('').carried?.traceId).toBe('b'.repeat(32));
});

test.each<[string, MessageInitShape<typeof DecideRequestSchema>, string]>([
  ['a proposal beside it', { received: json, receivedForm: ReceivedForm.JSON, open: true, proposal }, 'received'],
  ['no form', { received: json }, 'received_form'],
  ['a form nobody knows', { received: json, receivedForm: 99 as ReceivedForm }, 'received_form'],
  ['bytes of another message', { received: Buffer.from([0xff]), receivedForm: ReceivedForm.UNARY }, 'received'],
  ['JSON that is none', { received: Buffer.from('{'), receivedForm: ReceivedForm.JSON }, 'body'],
  ['a NUL', { received: Buffer.from('{"agent_id":"\\u0000"}'), receivedForm: ReceivedForm.JSON }, 'agent_id'],
  [
    'another sidecar’s within',
    { received: stream({ received: json, receivedForm: ReceivedForm.JSON }), receivedForm: ReceivedForm.STREAM },
    'received',
  ],
  ['guard that was execute', { received: stream({ proposal, open: true }), receivedForm: ReceivedForm.STREAM }, 'open'],
])('%s is refused', (_, init, field) => {
  expect(() => read(init)).toThrow(expect.objectContaining({ code: 'invalid_argument', field }));
});
