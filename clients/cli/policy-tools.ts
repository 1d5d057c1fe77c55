// What the verbs of policy packages need and no client may import: the compiler, the Wasm engine and Beacon's own admit and
// judge. A clone hands them in (bin/beacon-policy.ts); a release that has none says so.

import type { TrustLevel } from '../../core/envelope.ts';
import type { Provenance } from '../../core/principal.ts';
import type { Reason, Route, Verdict } from '../../core/route.ts';

export type RegoTest = { readonly name: string; readonly where: string; readonly fault?: string };
export type CaseFault = { readonly name: string; readonly was: Route; readonly is: Route };
type Part = { readonly tool: string; readonly operation: string; readonly effect: string };

/** What became of packages that were compiled and tried. */
export type MadePackage = {
  readonly ok: boolean;
  readonly name: string;
  readonly revision: string;
  readonly digest: string;
  readonly packages: readonly {
    readonly name: string;
    readonly revision: string;
    readonly tenants: readonly string[];
  }[];
  /** The pack they are laid over. */
  readonly platform: { readonly revision: string; readonly digest: string };
  readonly rego: readonly RegoTest[];
  readonly cases: readonly {
    readonly name: string;
    readonly route: Route;
    readonly expected: Route;
    readonly fault?: string;
    readonly reasons: readonly Reason[];
    readonly understood: readonly Part[];
  }[];
  /** Inputs asked of the pack with and without the packages, and those it routes milder with them. */
  readonly compared: number;
  readonly milder: readonly CaseFault[];
  /** Of them all; the list is cut. */
  readonly milderCount: number;
  /** One evaluation, p50, in microseconds. */
  readonly evaluationUs: { readonly pack: number; readonly package: number };
};

/** Who asks and what is taken to be known of them. */
export type Standing = {
  readonly level?: TrustLevel;
  readonly provenance?: Provenance;
  readonly score?: number;
  readonly valid_receipts?: number;
  readonly approved?: boolean;
};
/** A bundle that decides nothing: only asked. */
export type OpenBundle = {
  readonly name: string;
  readonly revision: string;
  readonly digest: string;
  /** True when it was built over another pack than the one in this clone; undefined when it does not say over which. */
  readonly otherPack: boolean | undefined;
  /** Never throws: what cannot be evaluated is DENY. */
  evaluate(input: Uint8Array): Verdict;
  /** `body`: as for POST /api/guard. Understood here, on facts as stated. Throws `invalid_argument` naming the field. */
  decide(body: object, standing: Standing): Verdict;
  /** The same as the answer of POST /api/explain. */
  explain(body: object, standing: Standing): Promise<Readonly<Record<string, unknown>>>;
  /** What fails of the cases it carries, and how many there are. */
  runCases(): Promise<{ readonly cases: number; readonly failing: readonly string[] }>;
};

type Env = Readonly<Record<string, string | undefined>>;

export type PolicyTools = {
  /** Writes a new package; the names of its files. Throws `conflict` when something is there. */
  scaffold(folder: string, named: { readonly name: string; readonly tenants: readonly string[] }): readonly string[];
  isPackage(folder: string): boolean;
  /** `output`: where the bundle goes when all is well. Throws `failed_precondition` for what cannot be compiled. */
  make(folders: readonly string[], env: Env, output?: string): Promise<MadePackage>;
  open(folder: string): Promise<OpenBundle>;
};
