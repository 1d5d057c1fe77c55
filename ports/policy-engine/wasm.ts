// The policy engine: Rego compiled to Wasm, evaluated in process. Every fault is thrown as an Error and leaves a fresh
// instance behind; no evaluation sees anything of another. The only file that imports the OPA Wasm package.

import { setImmediate as nextTurn } from 'node:timers/promises';
import * as opaPackage from '@open-policy-agent/opa-wasm';
import { BeaconError } from '../../core/errors.ts';
import { policyDigest } from '../../core/policy-digest.ts';
import { readVerdict } from '../../core/route.ts';
import { MAX_INPUT_BYTES, type PolicyBundle, type PolicyEngine, type PolicySnapshot } from './port.ts';
import { tryApart } from './trial.ts';

export const ENTRYPOINT = 'beacon/decide';
/** Deeper input would exhaust the Wasm stack, which does not always trap. */
export const MAX_INPUT_NESTING = 64;
/** Wasm memory only grows; an instance that has so much more than at its start is replaced after the evaluation that grew it. */
export const REPLACE_ABOVE_BYTES = 16 * 1024 * 1024;
/** No evaluation gets more than this; one that wants more fails. 64 KiB each. */
const MAX_MEMORY_PAGES = 2_048;
const PAGE_BYTES = 65_536;
const INITIAL_MEMORY_PAGES = 16;
/** Host functions a bundle may call: none. Wasm's own builtins are enough, and a missing one fails only when reached. */
const PROVIDED_BUILTINS: ReadonlySet<string> = new Set();
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Brackets and braces differ in this bit alone. */
const BRACE_BIT = 0x20;
const WARM_UP_EVALUATIONS = 2_000;
/** A policy that is slow, yet not too slow, is not warmed for minutes. */
const WARM_UP_MS = 2_000;
/** Evaluated without a pause; decisions go on between. */
const SLICE_MS = 10;

// The package's types lack its default export and Node's lack WebAssembly: the parts used here, as they are.
type Instance = {
  readonly mem: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly wasmInstance: { readonly exports: Record<'builtins' | 'opa_json_dump' | 'opa_eval', WasmFunction> };
  readonly dataAddr: number;
  readonly dataHeapPtr: number;
  readonly minorVersion: number;
  readonly entrypoints: Record<string, number>;
  setData(data: ArrayBuffer): void;
};
type WasmFunction = (...values: number[]) => number;
type Loader = (module: object, memory: { initial: number; maximum: number }) => Instance;
const { loadPolicySync } = (opaPackage as unknown as { default: { loadPolicySync: Loader } }).default;
const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (wasm: Uint8Array) => object } }).WebAssembly;

export class WasmPolicyEngine implements PolicyEngine {
  #active: PolicySnapshot | undefined;

  snapshot(): PolicySnapshot {
    if (this.#active === undefined) throw new BeaconError('unavailable', 'no policy is active');
    return this.#active;
  }

  async activate(
    bundle: PolicyBundle,
    beforeSwap?: (checked: PolicySnapshot) => Promise<void>,
  ): Promise<PolicySnapshot> {
    const snapshot = await prepare(bundle);
    await beforeSwap?.(snapshot);
    this.#active = snapshot;
    return snapshot;
  }
}

async function prepare(bundle: PolicyBundle): Promise<PolicySnapshot> {
  // Copies: what was tried and checked is what stays, whatever the caller does with its arrays.
  const owned = { ...bundle, wasm: new Uint8Array(bundle.wasm), data: new Uint8Array(bundle.data) };
  if (owned.trial) await tryApart({ ...owned, trial: owned.trial });
  const snapshot = loadSnapshot(owned);
  const canaries = bundle.canaries.map((bytes) => new Uint8Array(bytes));
  if (canaries.length === 0) throw new BeaconError('failed_precondition', 'the policy bundle has no canary');
  const began = performance.now();
  let sliceAt = began;
  for (let done = 0; done < canaries.length + WARM_UP_EVALUATIONS; done += 1) {
    const canary = canaries[done % canaries.length] as Uint8Array;
    if (done < canaries.length) requireDenied(snapshot, canary, done);
    else snapshot.evaluate(canary);
    const now = performance.now();
    if (done >= canaries.length && now - began > WARM_UP_MS) break;
    if (now - sliceAt < SLICE_MS) continue;
    await nextTurn();
    sliceAt = performance.now();
  }
  return snapshot;
}

/** As it stands there, neither checked on canaries nor warm. Throws `failed_precondition`. */
export function loadSnapshot(bundle: PolicyBundle): PolicySnapshot {
  try {
    return new WasmSnapshot(new Uint8Array(bundle.wasm), new Uint8Array(bundle.data), bundle);
  } catch (thrown) {
    throw new BeaconError('failed_precondition', `the policy bundle cannot be loaded: ${faultText(thrown)}`);
  }
}

/** The policy itself must say DENY: a missing or unreadable verdict denies too, and tells nothing about the policy. */
function requireDenied(snapshot: PolicySnapshot, canary: Uint8Array, index: number): void {
  let result: unknown;
  try {
    result = snapshot.evaluate(canary);
  } catch (thrown) {
    throw new BeaconError('failed_precondition', `canary ${index} could not be evaluated: ${faultText(thrown)}`);
  }
  const verdict = readVerdict(result);
  if (verdict.route !== 'DENY' || verdict.reasons.every((reason) => reason.rule === 'beacon.builtin')) {
    throw new BeaconError('failed_precondition', `canary ${index} was not denied by the policy`);
  }
}

class WasmSnapshot implements PolicySnapshot {
  readonly digest: string;
  readonly revision: string;
  readonly expiresAtMs: number;
  readonly #module: object;
  readonly #data: ArrayBuffer;
  readonly #entrypoint: number;
  #instance: Instance | undefined;
  /** Of an instance that has evaluated nothing: large tables lie in it and are no growth. */
  #ownBytes = 0;

  constructor(wasm: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>, named: PolicyBundle) {
    this.digest = policyDigest(wasm, data);
    this.revision = named.revision;
    this.expiresAtMs = named.expiresAtMs ?? Number.POSITIVE_INFINITY;
    requireObject(data);
    this.#data = data.buffer;
    this.#module = new Module(wasm);
    this.#instance = this.#instantiate();
    const missing = requiredBuiltins(this.#instance).filter((name) => !PROVIDED_BUILTINS.has(name));
    if (missing.length > 0) throw new Error(`it calls builtins that are not there: ${missing.join(', ')}`);
    const entrypoint = Object.hasOwn(this.#instance.entrypoints, ENTRYPOINT) && this.#instance.entrypoints[ENTRYPOINT];
    if (typeof entrypoint !== 'number') throw new Error(`it has no entry point ${ENTRYPOINT}`);
    if (this.#instance.minorVersion < 2) throw new Error('it was compiled for an older engine (ABI below 1.2)');
    this.#entrypoint = entrypoint;
  }

  evaluate(input: Uint8Array): unknown {
    requireBounded(input);
    const instance = this.#instance ?? this.#instantiate();
    // Gone unless the evaluation ends well: after a trap the instance's stack is not to be trusted.
    this.#instance = undefined;
    let results: unknown;
    try {
      results = evaluateOn(instance, this.#entrypoint, input);
    } catch (thrown) {
      throw new Error(`policy evaluation failed: ${faultText(thrown)}`);
    }
    if (instance.mem.buffer.byteLength <= this.#ownBytes + REPLACE_ABOVE_BYTES) this.#instance = instance;
    return (results as { result?: unknown }[])[0]?.result;
  }

  #instantiate(): Instance {
    const instance = loadPolicySync(this.#module, { initial: INITIAL_MEMORY_PAGES, maximum: MAX_MEMORY_PAGES });
    instance.setData(this.#data);
    this.#ownBytes = instance.mem.buffer.byteLength;
    return instance;
  }
}

/** OPA's one-call evaluation (ABI 1.2): input bytes behind the data in memory, the heap behind the input. */
function evaluateOn(instance: Instance, entrypoint: number, input: Uint8Array): unknown {
  const { mem, wasmInstance, dataAddr, dataHeapPtr } = instance;
  const heap = dataHeapPtr + input.length;
  const lacking = heap - mem.buffer.byteLength;
  if (lacking > 0) mem.grow(Math.ceil(lacking / PAGE_BYTES));
  new Uint8Array(mem.buffer).set(input, dataHeapPtr);
  const address = wasmInstance.exports.opa_eval(0, entrypoint, dataAddr, dataHeapPtr, input.length, heap, 0);
  return jsonAt(instance, address);
}

function jsonAt(instance: Instance, address: number): unknown {
  const memory = Buffer.from(instance.mem.buffer);
  return JSON.parse(memory.toString('utf8', address, memory.indexOf(0, address)));
}

/** The builtins the module wants from its host, as its own `builtins` export lists them. */
function requiredBuiltins(instance: Instance): string[] {
  const { builtins, opa_json_dump } = instance.wasmInstance.exports;
  return Object.keys(jsonAt(instance, opa_json_dump(builtins())) as object);
}

function requireObject(data: Uint8Array): void {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('its data is not an object');
}

/**
 * An evaluation cannot be interrupted, so what goes in is bounded: bytes and nesting. And it is one object with nothing
 * around it: OPA's parser stops at the end of the first value, where another reader of the same bytes would not.
 */
function requireBounded(input: Uint8Array): void {
  if (input[0] !== OPEN_BRACE) throw new Error('policy input is not a JSON object');
  if (input.length > MAX_INPUT_BYTES) throw new Error(`policy input exceeds ${MAX_INPUT_BYTES} bytes`);
  const last = input.length - 1;
  let depth = 0;
  for (let at = 0; at <= last; at += 1) {
    const byte = input[at] as number;
    if (byte === QUOTE) {
      for (at += 1; at <= last && input[at] !== QUOTE; at += 1) if (input[at] === BACKSLASH) at += 1;
    } else if ((byte | BRACE_BIT) === OPEN_BRACE) {
      depth += 1;
      if (depth > MAX_INPUT_NESTING) throw new Error(`policy input nests deeper than ${MAX_INPUT_NESTING}`);
    } else if ((byte | BRACE_BIT) === CLOSE_BRACE) {
      depth -= 1;
      if (depth === 0 && at !== last) throw new Error('policy input goes on after its object');
    }
  }
  if (depth !== 0) throw new Error('policy input is not a whole JSON object');
}

/** The engine throws bare strings and plain objects too. Its texts name rules and positions, never input. */
function faultText(thrown: unknown): string {
  const text = typeof thrown === 'string' ? thrown : (thrown as { message?: unknown } | null)?.message;
  return typeof text === 'string' ? text.slice(0, 200) : 'unknown fault';
}
