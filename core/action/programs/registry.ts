// All tables in one: program name → rule. A program stands in one table alone: of two rows one would say nothing.

import { BUILD_TOOLS } from './build-tools.ts';
import { BUILDS } from './builds.ts';
import { CLOUDS } from './clouds.ts';
import { CLUSTER_CLOUD_TOOLS } from './cluster-cloud-tools.ts';
import { CONTAINERS } from './containers.ts';
import { COREUTILS } from './coreutils.ts';
import { DATA_SYSTEMS } from './data-systems.ts';
import { DATABASES } from './databases.ts';
import { GIT } from './git.ts';
import { INFRASTRUCTURE } from './infrastructure.ts';
import { LANGUAGE_TOOLS } from './language-tools.ts';
import { MACHINE_TOOLS } from './machine-tools.ts';
import { NETWORK } from './network.ts';
import { PACKAGES } from './packages.ts';
import { PROGRAM_NAMES } from './program-names.ts';
import { PROVISION } from './provision.ts';
import type { Programs } from './rule.ts';
import { SECRETS } from './secrets.ts';
import { SECURITY_TOOLS } from './security-tools.ts';
import { SHELLS } from './shells.ts';
import { SYSTEM } from './system.ts';
import { SYSTEM_PACKAGES } from './system-packages.ts';
import { TEXT_TOOLS } from './text-tools.ts';
import { VERSION_CONTROL } from './version-control.ts';
import { WALLETS } from './wallets.ts';

export const TABLES: readonly Programs[] = [
  LANGUAGE_TOOLS,
  TEXT_TOOLS,
  MACHINE_TOOLS,
  SECURITY_TOOLS,
  CLUSTER_CLOUD_TOOLS,
  VERSION_CONTROL,
  BUILDS,
  BUILD_TOOLS,
  COREUTILS,
  GIT,
  NETWORK,
  CONTAINERS,
  INFRASTRUCTURE,
  CLOUDS,
  PROVISION,
  DATABASES,
  DATA_SYSTEMS,
  SYSTEM,
  SECRETS,
  SHELLS,
  PACKAGES,
  SYSTEM_PACKAGES,
  WALLETS,
];

export const PROGRAMS: Programs = Object.assign({}, ...TABLES);

for (const name of Object.keys(PROGRAMS)) PROGRAM_NAMES.add(name);
