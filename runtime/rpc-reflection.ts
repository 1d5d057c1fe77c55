// Server reflection v1 and v1alpha, so that a tool such as grpcurl needs no files of ours.
// The library reads its .proto files relative to __dirname; a bundle has to bring them along.

import { type DescFile, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import type { EnumTypeDefinition } from '@grpc/proto-loader';

/** Describes `services` by the very files they were generated from, and health. */
export async function addReflection(server: Server, services: readonly DescService[]): Promise<void> {
  const { ReflectionService } = await import('@grpc/reflection');
  const files = new Map<string, DescFile>();
  for (const service of services) collectFiles(service.file, files);
  const protos = [...[...files.values()].map((file) => file.proto), ...(await healthFiles())];
  // The library takes descriptors from any definition of a package; this carries ours, file by file, unchanged.
  const definition: EnumTypeDefinition = {
    format: 'Protocol Buffer 3 EnumDescriptorProto',
    type: {},
    fileDescriptorProtos: protos.map((proto) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto))),
  };
  const names = [...services.map((service) => service.typeName), 'grpc.health.v1.Health'];
  new ReflectionService({ files: definition }, { services: names }).addToServer(server);
}

function collectFiles(file: DescFile, into: Map<string, DescFile>): void {
  if (into.has(file.name)) return;
  into.set(file.name, file);
  for (const dependency of file.dependencies) collectFiles(dependency, into);
}

async function healthFiles(): Promise<FileDescriptorProto[]> {
  const { service } = await import('grpc-health-check');
  const files = new Map<string, FileDescriptorProto>();
  for (const method of Object.values(service)) {
    for (const bytes of method.requestType.fileDescriptorProtos) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      for (const message of file.messageType) nameMapEntries(message);
      files.set(file.name, file);
    }
  }
  return [...files.values()];
}

/** protobufjs gives a map's entry type the field's own name, which other implementations refuse. */
function nameMapEntries(message: FileDescriptorProto['messageType'][number]): void {
  for (const nested of message.nestedType) {
    if (nested.options?.mapEntry !== true || nested.name.endsWith('Entry')) continue;
    for (const field of message.field) if (field.typeName === nested.name) field.typeName = `${nested.name}Entry`;
    nested.name = `${nested.name}Entry`;
  }
}
