// What the command line is handed for policy packages (clients/cli/policy-tools.ts says what each promises).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenBundle, PolicyTools } from '../../clients/cli/policy-tools.ts';
import { BeaconError } from '../../core/errors.ts';
import { caseFault, readCases } from '../../core/policy-cases.ts';
import { loadBundle, readCanaries } from '../../ports/policy-engine/bundle-folder.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import { evaluate } from '../../services/decision/judge.ts';
import { BUNDLE, findOpa } from '../build.ts';
import { decideOn } from './cases.ts';
import { explainBy } from './explain.ts';
import { makePackage } from './make.ts';
import { isPackage } from './read.ts';
import { scaffold } from './scaffold.ts';

export const policyTools: PolicyTools = {
  scaffold,
  isPackage,
  make: async (folders, env, output) => makePackage(folders, opaOf(env), output),
  open,
};

type Manifest = {
  readonly name?: unknown;
  readonly digest?: unknown;
  readonly platform?: { readonly digest?: unknown };
};

async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
}

function opaOf(env: NodeJS.ProcessEnv): string {
  try {
    return findOpa(env);
  } catch (cause) {
    throw new BeaconError('failed_precondition', (cause as Error).message, { cause });
  }
}

/** As a Beacon opens it: the pack's own canaries hold beside the bundle's. */
async function open(folder: string): Promise<OpenBundle> {
  const bundle = await loadBundle(folder);
  const packs = readCanaries(await readFile(join(BUNDLE, 'canaries.json')));
  const policy = await new WasmPolicyEngine().activate({ ...bundle, canaries: [...packs, ...bundle.canaries] });
  const { name, platform } = await manifestOf(folder);
  const own = (await manifestOf(BUNDLE)).digest;
  return {
    name: typeof name === 'string' ? name : '',
    revision: policy.revision,
    digest: policy.digest,
    otherPack: platform?.digest === undefined ? undefined : platform.digest !== own,
    evaluate: (input) => evaluate(policy, input),
    decide: (body, standing) => decideOn(policy, body, standing).verdict,
    explain: (body, standing) => explainBy(policy, body, standing),
    runCases: async () => {
      const cases = readCases(await readFile(join(folder, 'cases.json')));
      const failing = cases.flatMap((one) => {
        const fault = caseFault(one, evaluate(policy, one.input));
        return fault === undefined ? [] : [`${one.name} (${fault})`];
      });
      return { cases: cases.length, failing };
    },
  };
}
