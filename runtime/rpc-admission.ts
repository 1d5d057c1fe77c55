// Who calls is settled before what they send is received: until then a message stays in its sender's window, however many
// calls a stranger begins. A call of one message is given so long to send it, since until it is whole nothing can end it.

import type { ServerInterceptor } from '@grpc/grpc-js';
import { ServerInterceptingCall } from '@grpc/grpc-js';
import { BeaconError } from '../core/errors.ts';
import { toStatus } from './rpc-errors.ts';
import { type IncomingCall, incomingCall } from './rpc-incoming.ts';

export type RpcAdmission = {
  /** Told a call before anything of its request is received. A BeaconError it throws is the answer. */
  admit(call: IncomingCall): Promise<void>;
  /** How long a call of one message may take to send it. */
  readonly receiveTimeoutMs: number;
  /** As in `HostOptions`, for calls that are refused here. */
  onError(error: unknown, method: string): void;
  onEnd?(method: string, status: number, seconds: number): void;
};

const NOTHING_YET = new Uint8Array();

export function admitting({ admit, receiveTimeoutMs, onError, onEnd }: RpcAdmission): ServerInterceptor {
  return ({ path, requestStream }, call) => {
    const method = path.slice(1);
    const startedMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const received = (go: () => void) => {
      clearTimeout(timer);
      go();
    };
    const refuse = (thrown: unknown) => {
      const status = toStatus(thrown, (error) => onError(error, method));
      call.sendStatus(status);
      onEnd?.(method, status.code, (performance.now() - startedMs) / 1000);
    };
    const late = () => refuse(new BeaconError('deadline_exceeded', 'the request was not received in time'));
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
            admit(asked).then(() => {
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
