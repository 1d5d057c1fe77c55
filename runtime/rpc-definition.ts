// What grpc-js needs to know of a service: paths and how bytes become messages. Requests reach the server as the
// bytes that were received, so that these can be hashed before they are read.

import { type DescMessage, type DescMethod, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** For a server: requests stay bytes. */
export function definitionOf(desc: DescService): ServiceDefinition {
  const definition: Record<string, MethodDefinition<unknown, unknown>> = {};
  for (const method of desc.methods) {
    definition[method.localName] = { ...methodDefinition(method), requestDeserialize: (bytes: Buffer) => bytes };
  }
  return definition as ServiceDefinition;
}

/** For a client: messages both ways. */
export function methodDefinition(method: DescMethod): MethodDefinition<unknown, unknown> {
  if (method.methodKind !== 'unary' && method.methodKind !== 'bidi_streaming') {
    throw new Error(`${method.name}: only unary and bidirectional streams are carried`);
  }
  const streams = method.methodKind === 'bidi_streaming';
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: serializer(method.input),
    requestDeserialize: deserializer(method.input),
    responseSerialize: serializer(method.output),
    responseDeserialize: deserializer(method.output),
  };
}

function serializer(desc: DescMessage): (message: unknown) => Buffer {
  return (message) => {
    const bytes = toBinary(desc, message as never);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function deserializer(desc: DescMessage): (bytes: Buffer) => unknown {
  return (bytes) => fromBinary(desc, bytes);
}
