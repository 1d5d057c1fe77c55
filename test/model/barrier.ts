// Fences, leases and the barrier as a state machine: what services/kill-switch and services/receipt-signer promise each
// other, with every protection as a switch. docs/decisions/011-barrier-model.md says what is left out and why.

import type { Model } from './explorer.ts';

export type Protections = {
  /** ALLOWs only under a lease, and an unreachable signer is waited for until its lease ends. */
  readonly lease: boolean;
  /** A lease is not taken by a signer whose fences do not reflect the lease's epoch. */
  readonly epoch: boolean;
  /** A fence that skips an epoch does not make the fences complete. */
  readonly gap: boolean;
  /** The lease is checked again between sync and answer. */
  readonly recheck: boolean;
  /** What is checked again is the lease the ALLOW was signed under, not one granted since. */
  readonly ownLease: boolean;
  /** The barrier waits for every signer's fence. */
  readonly fence: boolean;
  /** A fence is acknowledged only when what was signed before it has been answered. */
  readonly order: boolean;
  /** Leases are not used for the last tick of their term: the bound on clock error. */
  readonly clockBound: boolean;
  /** A kill-switch that starts counts on leases it does not remember. */
  readonly restart: boolean;
  /** A leader that was followed grants on what it knew before: it asks whether it leads after it noted the time. */
  readonly asks: boolean;
  /** A signer remembers across its starts which leader it follows, and takes nothing from an earlier one. */
  readonly follows: boolean;
  /** What was under way to a signer dies with it: a grant never reaches the process that comes after. */
  readonly connection: boolean;
};

export const ALL_ON: Protections = {
  lease: true,
  epoch: true,
  gap: true,
  recheck: true,
  ownLease: true,
  fence: true,
  order: true,
  clockBound: true,
  restart: true,
  asks: true,
  follows: true,
  connection: true,
};

export type World = {
  readonly signers: number;
  /** Revocations, one after the other: change c stops scope c at epoch c + 1. */
  readonly changes: number;
  /** Whether messages may be late; else each arrives at once or never. */
  readonly late: boolean;
  /** How far a signer's clock may be from the kill-switch's, in ticks; every combination is looked at. */
  readonly clocks: readonly number[];
  readonly protections: Protections;
  /** Whether another kill switch may take the log over while the one before lives on, paused or cut off. */
  readonly followed?: boolean;
};

/** Ticks of a lease; the bound on clock error is one. */
const LEASE = 2;
/** Ticks left of a lease so long over that no clock within the bound believes in it. */
const OVER = -1;
const OPEN = -1;
const FENCED = -2;

type Grant = {
  readonly epoch: number;
  readonly complete: boolean;
  readonly left: number;
  readonly former?: boolean;
};
type Stage = 'none' | 'signed' | 'synced';

type Signer = {
  readonly skew: number;
  /** Epoch up to which its fences are complete, highest fence seen, scopes fenced (bits). Forgotten in a crash. */
  readonly known: number;
  readonly seen: number;
  readonly blocked: number;
  /** All times are ticks left by the kill-switch's clock, so that the model needs no end of time. */
  readonly lease: number;
  /** Has heard of the leader that took over; not forgotten in a crash. */
  readonly follows: boolean;
  readonly job: Stage;
  readonly jobScope: number;
  readonly jobLease: number;
  readonly fence: Stage;
  readonly fenceEpoch: number;
  /** Under way to the signer, and back. */
  readonly grant: Grant | undefined;
  readonly fenceSent: number;
  readonly ack: number;
  /** What the kill-switch knows of it: when its last lease ends; OPEN, FENCED, or ticks it still waits. */
  readonly end: number;
  readonly wait: number;
};

export type State = {
  /** Leaves of the kill-switch's log: a revocation, its barrier, the next revocation, … */
  readonly log: number;
  readonly signers: readonly Signer[];
  /** Of a former leader that lives on: the longest lease it can still grant, in ticks left, and the epoch it knows. */
  readonly former?: { readonly left: number; readonly epoch: number };
  readonly fault: string;
};

const FRESH = {
  known: 0,
  seen: 0,
  blocked: 0,
  lease: OVER,
  job: 'none',
  jobScope: 0,
  jobLease: OVER,
  fence: 'none',
  fenceEpoch: 0,
} as const;

export function barrierModel(world: World): Model<State> {
  return {
    initial: combinations(world.signers, world.clocks).map((skews) => ({
      log: 0,
      fault: '',
      signers: skews.map((skew) => ({
        ...FRESH,
        skew,
        follows: false,
        grant: undefined,
        fenceSent: 0,
        ack: 0,
        end: 0,
        wait: OPEN,
      })),
    })),
    next: (state) => (state.fault === '' ? next(state, world) : []),
    key,
    fault: ({ fault }) => (fault === '' ? undefined : fault),
  };
}

type Step = readonly [string, State];

function next(state: State, world: World): Step[] {
  const steps: Step[] = [['tick', tick(state)], ...killSwitch(state, world)];
  state.signers.forEach((signer, i) => {
    const put = (name: string, change: Partial<Signer>, fault = '') =>
      steps.push([`${name} ${i}`, { ...state, fault, signers: state.signers.with(i, { ...signer, ...change }) }]);
    grantsAndFences(signer, state, world, put);
    formerGrants(signer, state, world, put);
    signs(signer, state, world, put);
    const lost = world.protections.connection ? { grant: undefined, fenceSent: 0 } : {};
    put('signer crashes and starts', { ...FRESH, ...lost });
  });
  return steps;
}

function tick(state: State): State {
  const down = (left: number, least: number) => Math.max(least, left - 1);
  const signers = state.signers.map((signer) => ({
    ...signer,
    lease: down(signer.lease, OVER),
    jobLease: down(signer.jobLease, OVER),
    grant: signer.grant && { ...signer.grant, left: down(signer.grant.left, OVER) },
    end: down(signer.end, 0),
    wait: signer.wait > 0 ? signer.wait - 1 : signer.wait,
  }));
  const former = state.former && { former: { ...state.former, left: down(state.former.left, OVER) } };
  return { ...state, ...former, signers };
}

const epochOf = (state: State) => 1 + Math.ceil(state.log / 2);
const isStopping = (state: State) => state.log % 2 === 1;
const scopesAt = (epoch: number) => 2 ** (epoch - 1) - 1;
const scopeBit = (scope: number) => 2 ** (scope - 1);

function killSwitch(state: State, { changes, protections, followed }: World): Step[] {
  const steps: Step[] = [];
  const all = (change: Partial<Signer>) => state.signers.map((signer) => ({ ...signer, ...change }));
  if (!isStopping(state) && state.log < 2 * changes) {
    steps.push([`revoke scope ${state.log / 2 + 1}`, { ...state, log: state.log + 1, signers: all({ wait: OPEN }) }]);
  }
  const stopped = state.signers.every(({ wait }) => wait === FENCED || wait === 0);
  if (isStopping(state) && (stopped || !protections.fence)) {
    steps.push(['BARRIER', { ...state, log: state.log + 1, signers: all({ wait: OPEN }) }]);
  }
  // It grants anew before it counts on the end of anything, so no lease granted before it fell can outlive that.
  const end = protections.restart ? LEASE : 0;
  const begun = { ...state, signers: all({ wait: OPEN, ack: 0, end }) };
  steps.push(['kill-switch crashes and starts', begun]);
  if (followed && state.former === undefined) {
    const former = { left: LEASE, epoch: epochOf(state) };
    // What the former has under way may arrive; its fences could only stop more, and are acknowledged to it alone.
    const signers = begun.signers.map((signer) => ({
      ...signer,
      ...(signer.grant && { grant: { ...signer.grant, former: true } }),
      ...({ fence: 'none', fenceEpoch: 0, fenceSent: 0 } as const),
    }));
    steps.push(['another kill-switch takes over', { ...begun, signers, former }]);
  }
  return steps;
}

type Put = (name: string, change: Partial<Signer>, fault?: string) => void;

function formerGrants(signer: Signer, { former }: State, { protections }: World, put: Put): void {
  if (former === undefined || signer.grant !== undefined) return;
  if (protections.asks && former.left === OVER) return;
  const left = protections.asks ? former.left : LEASE;
  for (const complete of [false, true]) {
    put('former leader grants to', { grant: { epoch: former.epoch, complete, left, former: true } });
  }
}

function grantsAndFences(signer: Signer, state: State, { late, protections }: World, put: Put): void {
  const epoch = epochOf(state);
  // Noted before it is sent: a grant whose answer is lost may have been taken.
  const noted = { end: LEASE };
  if (signer.grant !== undefined) {
    const heard = !signer.grant.former && state.former !== undefined;
    put('grant reaches', {
      ...take(signer, signer.grant, protections),
      grant: undefined,
      ...(heard ? { follows: true } : {}),
    });
    put('grant lost to', { grant: undefined });
  } else if (late) {
    for (const complete of [false, true]) {
      put(`grant${complete ? ' with every scope' : ''} to`, { ...noted, grant: { epoch, complete, left: LEASE } });
    }
  } else {
    // Refused for want of fences, it comes again with every scope.
    const taken = take(signer, { epoch, complete: false, left: LEASE }, protections);
    put('grant taken by', {
      ...noted,
      ...(taken ?? take(signer, { epoch, complete: true, left: LEASE }, protections)),
    });
    put('grant lost to', noted);
  }
  if (isStopping(state) && signer.wait === OPEN) {
    if (!late) put('fence reaches', fenced(signer, epoch, protections));
    else if (signer.fenceSent === 0) put('fence to', { fenceSent: epoch });
    put('gives up on', { wait: protections.lease ? signer.end : 0 });
    if (signer.ack === epoch) put('acknowledgement from', { wait: FENCED, ack: 0 });
  }
  if (signer.fenceSent !== 0) {
    if (signer.fence === 'none') {
      const heard = state.former === undefined ? {} : { follows: true };
      put('fence reaches', { ...fenced(signer, signer.fenceSent, protections), ...heard, fenceSent: 0 });
    }
    put('fence lost to', { fenceSent: 0 });
  }
  if (signer.ack !== 0) put('acknowledgement lost from', { ack: 0 });
}

/** Undefined when the signer does not take it. */
function take(signer: Signer, grant: Grant, protections: Protections): Partial<Signer> | undefined {
  if (grant.former && signer.follows && protections.follows) return undefined;
  if (grant.epoch < Math.max(signer.known, signer.seen)) return undefined;
  if (grant.complete) {
    const { epoch, left } = grant;
    return { known: epoch, seen: epoch, blocked: scopesAt(epoch), lease: left };
  }
  if (protections.epoch && (grant.epoch > signer.known || signer.known === 0)) return undefined;
  return { lease: grant.left };
}

function fenced(signer: Signer, epoch: number, protections: Protections): Partial<Signer> {
  if (signer.fence !== 'none') return {};
  const written = { fence: 'signed', fenceEpoch: epoch } as const;
  if (epoch <= signer.known) return written;
  const isNext = signer.known > 0 && epoch === signer.known + 1;
  const known = isNext || !protections.gap ? epoch : signer.known;
  return { ...written, known, seen: Math.max(signer.seen, epoch), blocked: signer.blocked | scopeBit(epoch - 1) };
}

function signs(signer: Signer, state: State, { changes, protections }: World, put: Put): void {
  const bound = protections.clockBound ? 1 : 0;
  const holds = (left: number) => !protections.lease || left > signer.skew + bound;
  const leased = holds(signer.lease);
  for (let scope = 1; scope <= changes && signer.job === 'none'; scope++) {
    const isFenced = protections.fence && (signer.blocked & scopeBit(scope)) !== 0;
    if (leased && !isFenced)
      put(`ALLOW in scope ${scope} signed by`, { job: 'signed', jobScope: scope, jobLease: signer.lease });
  }
  if (signer.job === 'signed' || signer.fence === 'signed') {
    const synced = (stage: Stage) => (stage === 'signed' ? 'synced' : stage);
    put('sync by', { job: synced(signer.job), fence: synced(signer.fence) });
  }
  if (signer.job === 'synced') {
    const answered = holds(protections.ownLease ? signer.jobLease : signer.lease) || !protections.recheck;
    const behind = answered && state.log >= 2 * signer.jobScope;
    put(
      answered ? 'ALLOW answered by' : 'ALLOW voided by',
      { job: 'none', jobScope: 0, jobLease: OVER },
      behind ? 'ALLOW after BARRIER' : '',
    );
  }
  const before = signer.job !== 'none' && signer.jobScope === signer.fenceEpoch - 1;
  if (signer.fence === 'synced' && !(before && protections.order)) {
    put('fence acknowledged by', { fence: 'none', fenceEpoch: 0, ack: signer.fenceEpoch });
  }
}

/** Signers are alike: states that differ only in who is who are one. */
function key({ log, signers, former, fault }: State): string {
  const texts = signers.map((s) => {
    const from = s.grant?.former ? 'f' : '';
    const grant = s.grant ? `${s.grant.epoch}${s.grant.complete ? 'c' : 'i'}${s.grant.left}${from}` : '';
    const signing = `${s.job[1]}${s.jobScope}${s.jobLease}${s.fence[1]}${s.fenceEpoch}`;
    return `${s.skew}${s.follows ? 'f' : ''},${s.known}${s.seen}${s.blocked},${s.lease},${signing},${grant},${s.fenceSent}${s.ack},${s.end}${s.wait}`;
  });
  const left = former ? `${former.left}/${former.epoch}` : '';
  return `${log}${fault}${left}|${texts.sort().join('|')}`;
}

function combinations(signers: number, clocks: readonly number[]): number[][] {
  if (signers === 0) return [[]];
  return combinations(signers - 1, clocks).flatMap((rest) => clocks.map((skew) => [...rest, skew]));
}
