// A gRPC server's life: limits, listening (with a left-over unix socket out of the way), health, drain.

import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, isAbsolute } from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { BeaconError } from '../core/errors.ts';
import { admitting, type RpcAdmission } from './rpc-admission.ts';
import { whyFolderIsOpen } from './secret-file.ts';

export type RpcServerOptions = {
  maxMessageBytes?: number;
  maxConcurrentStreams?: number;
  /** After this, give or take a tenth by chance, a connection takes no new calls (GOAWAY). Default: it lives on. */
  maxConnectionAgeMs?: number;
  /** How long calls may go on after that; long streams must be renewed by their clients sooner. */
  maxConnectionAgeGraceMs?: number;
  /** For listeners that strangers reach. Health and reflection ask it too. */
  admission?: RpcAdmission;
};
export type Health = { set(service: string, serving: boolean): void };

export function createRpcServer(options: RpcServerOptions = {}): Server {
  const maxMessageBytes = options.maxMessageBytes ?? 4 * 1024 * 1024;
  const { maxConnectionAgeMs, maxConnectionAgeGraceMs, admission } = options;
  return new Server({
    ...(maxConnectionAgeMs === undefined ? {} : { 'grpc.max_connection_age_ms': maxConnectionAgeMs }),
    ...(maxConnectionAgeGraceMs === undefined ? {} : { 'grpc.max_connection_age_grace_ms': maxConnectionAgeGraceMs }),
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams': options.maxConcurrentStreams ?? 1024,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    ...(admission ? { interceptors: [admitting(admission)] } : {}),
  });
}

/**
 * Listens on `host:port` (port 0 takes a free one) or `unix:/absolute/path`; gives the address as bound.
 * A unix socket nobody answers on is left over and replaced; one that answers is `failed_precondition`.
 */
export async function listenRpc(server: Server, address: string, credentials = ServerCredentials.createInsecure()) {
  const path = unixPath(address);
  if (path === undefined) {
    const port = await bind(server, address, credentials);
    return `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
  }
  // Only after this may we bind: grpc-js remembers a failed address and never tries it again.
  await clearSocketPath(address);
  await bind(server, address, credentials);
  await chmod(path, 0o600);
  return address;
}

/** The path of a unix address, free to be bound; `failed_precondition` when somebody answers there. */
export async function clearSocketPath(address: string): Promise<string> {
  const path = unixPath(address) ?? '';
  if (await answers(path)) throw new BeaconError('failed_precondition', `${address} is already served`);
  if (await isSocket(path)) await unlink(path);
  return path;
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

/**
 * Throws `failed_precondition` unless `address` is one that plain, unencrypted gRPC may use: loopback, or a unix socket
 * in a folder that belongs to this user and is closed to all others.
 */
export async function requirePrivateAddress(address: string): Promise<void> {
  const refuse = (why: string) => new BeaconError('failed_precondition', `${address}: plain gRPC ${why}`);
  const path = unixPath(address);
  if (path === undefined) {
    const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
    // A name could be pointed elsewhere; these cannot.
    if (host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)) return;
    throw refuse('is only for 127.0.0.0/8, ::1 and unix sockets');
  }
  if (!isAbsolute(path)) throw refuse('needs an absolute path');
  const open = await whyFolderIsOpen(dirname(path));
  if (open !== undefined) throw refuse(open);
}

export function isUnixAddress(address: string): boolean {
  return unixPath(address) !== undefined;
}

function unixPath(address: string): string | undefined {
  if (address.startsWith('unix://')) return address.slice('unix://'.length);
  return address.startsWith('unix:') ? address.slice('unix:'.length) : undefined;
}

async function isSocket(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSocket() ?? false;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Refuses new calls, lets those under way end, and cuts what is left after `graceMs`. */
export function drainRpc(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * grpc.health.v1 (Check, Watch, List) for each service and for the server as a whole (''); all begin as not serving.
 * The library reads its .proto relative to __dirname; a bundle has to bring it along.
 */
export async function addHealth(server: Server, services: readonly DescService[]): Promise<Health> {
  const { HealthImplementation } = await import('grpc-health-check');
  const names = ['', ...services.map((service) => service.typeName)];
  const health = new HealthImplementation(
    Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'] as [string, 'NOT_SERVING'])),
  );
  health.addToServer(server);
  return { set: (service, serving) => health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING') };
}
