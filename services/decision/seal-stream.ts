// The long stream to one signer. A failure says whether the signer may have sealed all the same.

import { BeaconError, ERROR_CODES, type ErrorCode } from '../../core/errors.ts';
import type {
  SealRequest,
  SealResponse,
  SealStreamRequest,
  SealStreamResponse,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { Exchange, type ExchangeDeps } from '../../runtime/exchange.ts';

export { ExchangeFailure as SealFailure } from '../../runtime/exchange.ts';
export type SealStream = Exchange<SealRequest, SealResponse, SealStreamRequest, SealStreamResponse>;

type Deps = ExchangeDeps<SealRequest, SealResponse, SealStreamRequest, SealStreamResponse>;

export function sealStream(deps: Omit<Deps, 'write' | 'read'>): SealStream {
  return new Exchange<SealRequest, SealResponse, SealStreamRequest, SealStreamResponse>({
    ...deps,
    write: (sequence, request) => ({ $typeName: 'beacon.v1.SealStreamRequest', sequence, request }),
    read({ sequence, response, failureCode }) {
      if (failureCode === '' && response) return { sequence, response };
      const code = Object.hasOwn(ERROR_CODES, failureCode) ? (failureCode as ErrorCode) : 'internal';
      return { sequence, error: new BeaconError(code, 'the signer could not seal this') };
    },
  });
}
