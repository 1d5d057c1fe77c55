// `beacon policy …` from a clone: the command line, handed the tools of policy packages.

import { run as runCli } from '../clients/cli/main.ts';
import { processWorld } from '../clients/cli/world.ts';

export function run(argv: readonly string[]): Promise<number> {
  const policyTools = async () => (await import('../policies/package/tools.ts')).policyTools;
  return runCli(argv, { ...processWorld(), policyTools });
}
