// Floors without a service of ours: what the disk, the policy engine, the signature and Redis cost by themselves.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as opaPackage from '@open-policy-agent/opa-wasm';
import { caseInput, encode } from '../policies/case-input.ts';
import { loadBundle } from '../ports/policy-engine/bundle-folder.ts';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { openRedis } from '../runtime/redis.ts';
import type { Call } from './load.ts';

const PREALLOCATED_BYTES = 256 * 1024 * 1024;
const APPEND_BYTES = 4_096;
const RECEIPT_BYTES = 1_536;

const BUNDLE = join(import.meta.dirname, '..', 'policies', 'bundle');

export type Floor = { readonly call: Call; close(): void };

/** One append of 4 KiB into space the file already has, made durable, as the ledger does it. */
export function appendAndSync(folder: string): Floor {
  const path = join(folder, 'append.bin');
  const fd = openSync(path, 'w');
  const zeros = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < PREALLOCATED_BYTES; at += zeros.length) writeSync(fd, zeros, 0, zeros.length, at);
  ftruncateSync(fd, PREALLOCATED_BYTES);
  fdatasyncSync(fd);
  const block = randomBytes(APPEND_BYTES);
  let at = 0;
  return {
    call() {
      writeSync(fd, block, 0, APPEND_BYTES, at);
      fdatasyncSync(fd);
      at = (at + APPEND_BYTES) % PREALLOCATED_BYTES;
    },
    close() {
      closeSync(fd);
      rmSync(path);
    },
  };
}

export function ed25519Sign(): Floor {
  const { privateKey } = generateKeyPairSync('ed25519');
  const message = randomBytes(RECEIPT_BYTES);
  return { call: () => void sign(null, message, privateKey), close() {} };
}

/** Two simple reads in a workspace, as the policy sees them. */
export function typicalInput(): Uint8Array {
  const part = { effect: 'read', tool: 'git', operation: 'status' };
  return encode(caseInput({ parts: [part, { ...part, tool: 'grep', operation: 'grep' }] }));
}

type Exports = { opa_eval: (...values: number[]) => number };
type Instance = {
  mem: { buffer: ArrayBuffer };
  wasmInstance: { exports: Exports };
  dataAddr: number;
  dataHeapPtr: number;
  entrypoints: Record<string, number>;
  setData(data: ArrayBuffer): void;
};
type Package = { default: { loadPolicySync(wasm: Uint8Array, memory: { initial: number }): Instance } };

/** The compiled policy on a typical input, called as barely as it can be: bytes in, result parsed. */
export function bareOpaEval(input: Uint8Array): Floor {
  const { loadPolicySync } = (opaPackage as unknown as Package).default;
  const instance = loadPolicySync(readFileSync(join(BUNDLE, 'policy.wasm')), { initial: 64 });
  instance.setData(new Uint8Array(readFileSync(join(BUNDLE, 'data.json'))).buffer);
  const { mem, dataAddr, dataHeapPtr, wasmInstance } = instance;
  const entrypoint = instance.entrypoints['beacon/decide'] as number;
  const call = () => {
    const memory = new Uint8Array(mem.buffer);
    memory.set(input, dataHeapPtr);
    const heap = dataHeapPtr + input.length;
    const at = wasmInstance.exports.opa_eval(0, entrypoint, dataAddr, dataHeapPtr, input.length, heap, 0);
    const result = Buffer.from(mem.buffer);
    JSON.parse(result.toString('utf8', at, result.indexOf(0, at)));
  };
  return { call, close() {} };
}

/** The same through our port. */
export async function engineEvaluate(input: Uint8Array): Promise<Floor> {
  const snapshot = await new WasmPolicyEngine().activate(await loadBundle(BUNDLE));
  return { call: () => void snapshot.evaluate(input), close() {} };
}

/** One PING through the connection that Beacon uses: what is asked in one turn leaves in one write. */
export async function redisPing(at: { readonly host: string; readonly port: number }): Promise<Floor> {
  const redis = await openRedis({ ...at, prefix: 'bench', commandTimeoutMs: 10_000 });
  return { call: () => redis.command('PING').then(() => undefined), close: () => redis.close() };
}
