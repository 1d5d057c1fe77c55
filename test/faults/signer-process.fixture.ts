// A signer of the pool's tests in a process of its own: started, killed, stopped and asked by them.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect } from 'vitest';
import type { CallContext } from '../../core/principal.ts';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';
import type { Mesh } from '../../services/mesh.ts';

const SCRIPT = fileURLToPath(new URL('./signer.fixture.ts', import.meta.url));
const LEASE_MS = 60_000;

type Client = Service<typeof pb.ReceiptSignerService, CallContext>;
export type Signer = {
  readonly address: string;
  readonly decision: Client;
  readonly killSwitch: Client;
  start(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** The exit status; null after a signal. */
  ended(): Promise<number | null>;
  /** Streams opened so far. */
  streams(): number;
};

export const callFor = (timeoutMs: number): CallContext => ({
  principal: { role: 'agent', provenance: 'asserted', subject: 'asserted' },
  deadlineMs: Date.now() + timeoutMs,
  requestDigest: '',
  traceId: 'e'.repeat(32),
});

export type Meshes = { readonly asDecision: Mesh; readonly asKillSwitch: Mesh };

/** Not started yet; `closers` gets what ends it. */
export async function newSigner(
  dataDir: string,
  tokens: string,
  meshes: Meshes,
  closers: (() => Promise<void> | void)[],
  ageMs?: number,
): Promise<Signer> {
  await mkdir(dataDir, { mode: 0o700 });
  const address = `unix:${join(dataDir, 'socket')}`;
  const dialed = [
    await meshes.asDecision.dial(pb.ReceiptSignerService, 'receipt-signer', address),
    await meshes.asKillSwitch.dial(pb.ReceiptSignerService, 'receipt-signer', address),
  ] as const;
  const words = [SCRIPT, dataDir, tokens, address, ...(ageMs === undefined ? [] : [String(ageMs)])];
  let streams = 0;
  let status: number | null = null;
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  closers.push(async () => {
    for (const { close } of dialed) close();
    child?.kill('SIGKILL');
    await ended;
  });
  return {
    address,
    decision: dialed[0].service,
    killSwitch: dialed[1].service,
    signal: (name) => void child?.kill(name),
    ended: async () => {
      await ended;
      return status;
    },
    streams: () => streams,
    async start() {
      const started = spawn(process.execPath, words);
      child = started;
      ended = new Promise((resolve) => {
        started.once('exit', (code) => {
          status = code;
          resolve();
        });
      });
      let told = '';
      started.stderr.on('data', (text) => {
        told += text;
      });
      await new Promise<void>((resolve, reject) => {
        started.stdout.on('data', (text) => {
          streams += String(text).split('stream').length - 1;
          resolve();
        });
        started.once('exit', (code) => reject(new Error(`a signer ended with ${code}: ${told}`)));
      });
      // The client may still be waiting before it tries a signer that was gone.
      await expect
        .poll(
          () =>
            lease(dialed[1].service).then(
              () => true,
              () => false,
            ),
          { timeout: 5_000 },
        )
        .toBe(true);
    },
  };
}

export async function lease(signer: Client, forMs = LEASE_MS): Promise<void> {
  const grant = create(pb.GrantLeaseRequestSchema, {
    term: BigInt(Date.now()),
    notAfter: timestampFromMs(Date.now() + forMs),
    epoch: 1n,
    complete: true,
  });
  await signer.grantLease(grant, callFor(5_000));
}
