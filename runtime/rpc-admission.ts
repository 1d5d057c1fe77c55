// Who calls is settled before what they send is received: until then a message stays in its sender's window, however many
// calls a stranger begins. A call of one message is given so long to send it, since until it is whole nothing can end it.

import type { ServerInterceptor } from '@grpc/grpc-js';
import { ServerInterceptingCall } from '@grpc/grpc-js';
import { BeaconError } from '../core/errors.ts';
import { BODY_REFUSAL, BODY_RETRY_AFTER_MS, BodiesUnderWay, SHARE_OF_STRANGERS } from './bodies-under-way.ts';
import { closeOnceAnswered, countArriving, streamOf } from './rpc-bodies.ts';
import { toStatus } from './rpc-errors.ts';
import { type IncomingCall, incomingCall } from './rpc-incoming.ts';

export type RpcAdmission = {
  /**
   * Told a call before anything of its request is received. A BeaconError it throws is the answer; else it says whose share
   * the request is, or, where anybody is let in, undefined: then it is a stranger's.
   */
  admit(call: IncomingCall): Promise<string | undefined>;
  /** What all bodies under way hold together, where other doors count with this one. */
  readonly bodies?: BodiesUnderWay;
  /** How long a call of one message may take to send it. */
  readonly receiveTimeoutMs: number;
  /** As in `HostOptions`, for calls that are refused here. */
  onError(error: unknown, method: string): void;
  onEnd?(method: string, status: number, seconds: number): void;
};

const NOTHING_YET = new Uint8Array();

export function admitting(admission: RpcAdmission): ServerInterceptor {
  const { admit, receiveTimeoutMs, onError, onEnd, bodies = new BodiesUnderWay() } = admission;
  return ({ path, requestStream }, call) => {
    const method = path.slice(1);
    const stream = streamOf(call);
    const startedMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const received = (go: () => void) => {
      clearTimeout(timer);
      go();
    };
    const answer = (thrown: unknown) => {
      const status = toStatus(thrown, (error) => onError(error, method));
      clearTimeout(timer);
      closeOnceAnswered(stream);
      call.sendStatus(status);
      return status.code;
    };
    const refuse = (thrown: unknown) => {
      onEnd?.(method, answer(thrown), (performance.now() - startedMs) / 1000);
    };
    const late = () => refuse(new BeaconError('deadline_exceeded', 'the request was not received in time'));
    const tooMuch = () => {
      const refusal = new BeaconError('resource_exhausted', BODY_REFUSAL, { retryAfterMs: BODY_RETRY_AFTER_MS });
      // The handler of a stream has begun, and tells of its end itself.
      if (requestStream) answer(refusal);
      else refuse(refusal);
    };
    return new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, go) {
            const asked = incomingCall(
              {
                metadata,
                getPeer: () => call.getPeer(),
                getDeadline: () => call.getDeadline(),
                getAuthContext: () => call.getAuthContext(),
              },
              method,
              NOTHING_YET,
            );
            admit(asked).then((share = SHARE_OF_STRANGERS) => {
              countArriving(stream, bodies.begin(share, tooMuch), requestStream);
              if (!requestStream) timer = setTimeout(late, receiveTimeoutMs).unref();
              go(metadata);
            }, refuse);
          },
          onReceiveHalfClose: received,
          onCancel() {
            clearTimeout(timer);
          },
        });
      },
    });
  };
}
