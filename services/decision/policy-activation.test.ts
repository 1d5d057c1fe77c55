import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import type { PolicyCase } from '../../core/policy-cases.ts';
import { PolicyRefused } from '../../core/policy-manifest.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  type DecisionAnswer,
  ExecuteRequestSchema,
  GuardRequestSchema,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { type SealRequest, SealResponseSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { PolicyBundle, PolicyEngine, PolicySnapshot } from '../../ports/policy-engine/port.ts';
import type { KeptPolicy, SignedFiles } from '../../ports/policy-source/port.ts';
import { type Made, makeBundle, policyKey, strangerKey } from '../../test/policy-bundle.ts';
import { callAs, makeWorld, START_MS, shell } from './decision.fixture.ts';
import { PolicyActivation } from './policy-activation.ts';
import type { PolicyStatus } from './policy-status.ts';

const MANIFEST = 'manifest.dsse.json';
const admin = callAs({ role: 'admin', provenance: 'authenticated', subject: 'token:admin' });

function signedFiles({ files }: Made): SignedFiles {
  return { envelope: files.get(MANIFEST), files: new Map([...files].filter(([name]) => name !== MANIFEST)) };
}

/** Swaps without looking at the bundle; what it would have to say is the engine's own contract. */
class PlainEngine implements PolicyEngine {
  active = this.#of('built-in', Number.POSITIVE_INFINITY);
  refuse = false;
  /** What it is asked to try apart, of each activation. */
  readonly tried: boolean[] = [];
  loading = () => {};

  snapshot(): PolicySnapshot {
    return this.active;
  }

  async activate(bundle: PolicyBundle, beforeSwap?: (checked: PolicySnapshot) => Promise<void>) {
    this.tried.push(bundle.trial !== undefined);
    this.loading();
    if (this.refuse) throw new BeaconError('failed_precondition', 'canary 0 was not denied by the policy');
    const next = this.#of(bundle.revision, bundle.expiresAtMs ?? Number.POSITIVE_INFINITY);
    await beforeSwap?.(next);
    this.active = next;
    return next;
  }

  #of(revision: string, expiresAtMs: number): PolicySnapshot {
    return { digest: revision, revision, expiresAtMs, evaluate: () => undefined };
  }
}

function world() {
  const engine = new PlainEngine();
  const state = {
    now: Date.now(),
    folder: undefined as SignedFiles | undefined,
    stamp: 0,
    away: false,
    agreed: 0,
    required: false,
    kept: undefined as KeptPolicy | undefined,
    /** What happened, in order. */
    steps: [] as string[],
    predicates: [] as Record<string, unknown>[],
    signerAway: false,
    /** As the signer words it; empty when it seals. */
    sealRefused: '',
    diskFull: false,
    cases: [] as PolicyCase[],
    changed: () => {},
  };
  const activation = () =>
    new PolicyActivation({
      engine,
      required: state.required,
      source: {
        kind: 'folder',
        async stamp() {
          if (state.away) throw new PolicyRefused('unreachable', 'the server did not answer');
          return String(state.stamp);
        },
        async read() {
          if (state.away) throw new PolicyRefused('unreachable', 'the server did not answer');
          return state.folder;
        },
        watch(changed) {
          state.changed = changed;
          return () => {};
        },
      },
      keep: {
        load: async () => state.kept,
        async save(kept) {
          if (state.diskFull) throw new Error('ENOSPC');
          state.steps.push(`kept ${kept.version} under ${engine.active.revision}`);
          state.kept = kept;
        },
      },
      trustedKeys: async () => [policyKey.publicKey],
      prepare: () => ({
        bundle: { wasm: new Uint8Array(), data: new Uint8Array(), revision: '', canaries: [] },
        rehearsal: { cases: state.cases, canaries: [] },
      }),
      signer: {
        async seal(request: SealRequest, { deadlineMs }: CallContext) {
          if (deadlineMs <= state.now) throw new BeaconError('deadline_exceeded', 'too late to seal');
          if (state.signerAway) throw new BeaconError('unavailable', 'no signer can seal now');
          if (state.sealRefused !== '') return create(SealResponseSchema, { refused: state.sealRefused });
          const predicate = JSON.parse(Buffer.from(request.drafts[0]?.predicateJson ?? []).toString());
          state.predicates.push(predicate);
          state.steps.push(`sealed ${predicate.version} under ${engine.active.revision}`);
          return create(SealResponseSchema, { receipts: [{ receiptId: `0123456789ab-${state.predicates.length}` }] });
        },
      },
      ownCall: () => ({ ...callAs({ role: 'admin', subject: 'service:decision' }), deadlineMs: state.now + 5_000 }),
      now: () => state.now,
      told: {
        activated: (status: PolicyStatus) => state.steps.push(`active ${status.version}`),
        refused: ({ reason }) => state.steps.push(`refused ${reason}`),
        agreed: () => {
          state.agreed += 1;
        },
      },
    });
  const put = (made: Made | undefined) => {
    state.folder = made && signedFiles(made);
    state.stamp += 1;
  };
  return { engine, state, activation, put };
}

const steps = (state: { steps: string[] }) => state.steps.splice(0);

test('seals, then keeps, then swaps', async () => {
  const { engine, state, activation, put } = world();
  put(makeBundle({ version: 2, strict: true }));
  const one = activation();
  await one.start();
  expect(steps(state)).toEqual(['sealed 2 under built-in', 'kept 2 under built-in', 'active 2']);
  expect(engine.active.revision).toBe('0.1.0-2');
  expect(one.status()).toMatchObject({ version: 2, receiptId: '0123456789ab-1', refused: undefined });
  expect(state.predicates[0]).toMatchObject({ cause: 'start', previous_digest: 'built-in', forced: false });
});

test('without a receipt nothing changes; it is tried again until the signer is back', async () => {
  const { engine, state, activation, put } = world();
  const one = activation();
  await one.start();
  state.signerAway = true;
  put(makeBundle({ version: 2, strict: true }));
  const look = async () => {
    state.changed();
    await one.stop();
  };
  await look();
  await look();
  expect(steps(state)).toEqual(['refused unsealed', 'refused unsealed']);
  expect(engine.active.revision).toBe('built-in');
  await expect(one.activate(false, admin)).rejects.toMatchObject({ code: 'unavailable' });
  state.signerAway = false;
  state.sealRefused = 'no_lease';
  await expect(one.activate(false, admin)).rejects.toMatchObject({ code: 'unavailable' });
  expect(engine.active.revision).toBe('built-in');
  state.sealRefused = '';
  await look();
  expect(engine.active.revision).toBe('0.1.0-2');
});

test('however long loading takes, there is time to seal; what was tried once is not tried again', async () => {
  const { engine, state, activation, put } = world();
  const one = activation();
  await one.start();
  engine.loading = () => {
    state.now += 60_000;
  };
  put(makeBundle({ version: 2, strict: true }));
  state.signerAway = true;
  const admins = { ...admin, deadlineMs: state.now + 5_000 };
  await expect(one.activate(false, admins)).rejects.toMatchObject({ code: 'unavailable' });
  state.signerAway = false;
  state.changed();
  await one.stop();
  expect(steps(state)).toEqual(['refused unsealed', 'sealed 2 under built-in', 'kept 2 under built-in', 'active 2']);
  put(makeBundle({ version: 3, strict: true }));
  expect(await one.activate(false, { ...admin, deadlineMs: state.now + 5_000 })).toBe(true);
  expect(state.predicates.at(-1)).toMatchObject({ version: 3, actor: 'token:admin' });
  expect(engine.tried).toEqual([true, false, true]);
});

test('a version that cannot be kept, or a bundle that cannot be loaded, is refused once', async () => {
  const { engine, state, activation, put } = world();
  const one = activation();
  await one.start();
  const look = async () => {
    state.changed();
    await one.stop();
  };
  state.diskFull = true;
  put(makeBundle({ version: 2, strict: true }));
  await look();
  await look();
  expect(steps(state)).toEqual(['sealed 2 under built-in', 'refused not_kept']);
  state.diskFull = false;
  engine.refuse = true;
  put(makeBundle({ version: 3, strict: true }));
  await look();
  await look();
  expect(steps(state)).toEqual(['refused not_loadable']);
  expect(engine.active.revision).toBe('built-in');
  engine.refuse = false;
  expect(await one.activate(false, admin)).toBe(true);
  expect(state.predicates.at(-1)).toMatchObject({ version: 3, cause: 'admin', actor: 'token:admin' });
});

test('goes on with what was kept, even expired, and not without it', async () => {
  const { engine, state, activation, put } = world();
  put(makeBundle({ version: 5, strict: true, expiresAtMs: state.now + 1_000 }));
  await activation().start();
  state.now += 2_000;
  put(makeBundle({ version: 4, strict: false }));
  engine.active = new PlainEngine().active;
  const again = activation();
  await again.start();
  expect(again.status()).toMatchObject({ version: 5, refused: { reason: 'rollback' } });
  state.kept = { ...(state.kept as KeptPolicy), id: 'f'.repeat(64) };
  await expect(activation().start()).rejects.toMatchObject({ code: 'failed_precondition' });
  put(makeBundle({ version: 6, strict: true }));
  const newer = activation();
  await newer.start();
  expect(newer.status().version).toBe(6);
});

test('activations take turns, and the same bundle is activated once', async () => {
  const { state, activation, put } = world();
  const one = activation();
  await one.start();
  put(makeBundle({ version: 2, strict: true }));
  const changed = await Promise.all([1, 2, 3].map(() => one.activate(true, admin)));
  expect(changed).toEqual([true, false, false]);
  expect(state.predicates).toHaveLength(1);
  put(undefined);
  await expect(one.activate(false, admin)).rejects.toMatchObject({ reason: 'missing_file' });
});

test('a source that is away changes nothing, is told of once, and is taken up again', async () => {
  const { engine, state, activation, put } = world();
  put(makeBundle({ version: 2, strict: true }));
  const one = activation();
  await one.start();
  steps(state);
  const look = async () => {
    state.changed();
    await one.stop();
  };
  state.away = true;
  await look();
  await look();
  expect(steps(state)).toEqual(['refused unreachable']);
  expect(one.status()).toMatchObject({ version: 2, refused: { reason: 'unreachable' } });
  await expect(one.activate(true, admin)).rejects.toMatchObject({ reason: 'unreachable' });
  expect(engine.active.revision).toBe('0.1.0-2');
  expect(state.agreed).toBe(1);
  state.away = false;
  await look();
  expect(one.status().refused).toBeUndefined();
  expect(state.agreed).toBe(2);
  // Away only while an admin asked.
  state.away = true;
  await expect(one.activate(false, admin)).rejects.toMatchObject({ reason: 'unreachable' });
  state.away = false;
  await look();
  expect(one.status().refused).toBeUndefined();
  put(makeBundle({ version: 3, strict: true }));
  await look();
  expect(one.status().version).toBe(3);
});

test('where a signed bundle must decide, there is no start without one; what was kept is enough', async () => {
  const { state, activation, put } = world();
  state.required = true;
  await expect(activation().start()).rejects.toMatchObject({ reason: 'missing_file' });
  state.away = true;
  await expect(activation().start()).rejects.toMatchObject({ reason: 'unreachable' });
  state.away = false;
  put(makeBundle({ version: 2, strict: true, key: strangerKey }));
  await expect(activation().start()).rejects.toMatchObject({ reason: 'unknown_key' });
  put(makeBundle({ version: 2, strict: true }));
  await activation().start();
  state.away = true;
  const again = activation();
  await again.start();
  expect(again.status()).toMatchObject({ version: 2, refused: { reason: 'unreachable' } });
});

test('a bundle that fails a case of its own is refused before it is sealed', async () => {
  const { engine, state, activation, put } = world();
  const one = activation();
  await one.start();
  // The plain engine gives no verdict, which denies: and still is no DENY that a policy gave.
  state.cases = [{ name: 'x', input: new Uint8Array(), expect: { route: 'DENY', codes: [] } }];
  put(makeBundle({ version: 2, strict: true }));
  await expect(one.activate(true, admin)).rejects.toMatchObject({ reason: 'failed_case' });
  expect(steps(state)).toEqual(['refused failed_case']);
  expect(engine.active.revision).toBe('built-in');
  state.cases = [];
  expect(await one.activate(false, admin)).toBe(true);
});

test('an expired policy denies what it would allow, and no permit outlives it', async () => {
  const decided = async (expiresAtMs: number): Promise<DecisionAnswer> => {
    const evaluate = () => ({ route: 'ALLOW', reasons: [], obligations: [] });
    const snapshot = () => ({ digest: '0'.repeat(64), revision: 'test', expiresAtMs, evaluate });
    const { maker } = await makeWorld({ policy: { snapshot, activate: () => Promise.reject(new Error('not here')) } });
    const { answer } = await maker.guard(create(GuardRequestSchema, { proposal: shell('ls') }), callAs());
    const { answer: executed } = await maker.execute(create(ExecuteRequestSchema, { proposal: shell('ls') }), callAs());
    expect(executed?.route).toBe(answer?.route);
    return answer as DecisionAnswer;
  };
  const expired = await decided(START_MS);
  expect(expired.permit).toBeUndefined();
  expect(expired.reasons.map(({ code }) => code)).toEqual(['policy_expired']);
  const last = await decided(START_MS + 5);
  expect(Number(last.permit?.notAfter?.seconds) * 1_000 + (last.permit?.notAfter?.nanos ?? 0) / 1e6).toBe(START_MS + 5);
});
