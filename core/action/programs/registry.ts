// All tables in one: program name → rule. A later table wins, so the order is from general to particular.

import { BUILDS } from './builds.ts';
import { CLOUDS } from './clouds.ts';
import { CONTAINERS } from './containers.ts';
import { COREUTILS } from './coreutils.ts';
import { DATABASES } from './databases.ts';
import { GIT } from './git.ts';
import { INFRASTRUCTURE } from './infrastructure.ts';
import { NETWORK } from './network.ts';
import { PACKAGES } from './packages.ts';
import { PROGRAM_NAMES } from './program-names.ts';
import type { Programs } from './rule.ts';
import { SECRETS } from './secrets.ts';
import { SHELLS } from './shells.ts';
import { SYSTEM } from './system.ts';
import { SYSTEM_PACKAGES } from './system-packages.ts';

export const PROGRAMS: Programs = {
  ...BUILDS,
  ...COREUTILS,
  ...GIT,
  ...NETWORK,
  ...CONTAINERS,
  ...INFRASTRUCTURE,
  ...CLOUDS,
  ...DATABASES,
  ...SYSTEM,
  ...SECRETS,
  ...SHELLS,
  ...PACKAGES,
  ...SYSTEM_PACKAGES,
};

for (const name of Object.keys(PROGRAMS)) PROGRAM_NAMES.add(name);
