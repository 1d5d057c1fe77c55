// Readings that no table can hold, by the name a rule gives them.

import type { Special } from './call.ts';
import { EDIT_SPECIALS } from './edits.ts';
import { ARCHIVE_SPECIALS } from './special-archives.ts';
import { CARRIER_SPECIALS } from './special-carriers.ts';
import { CHANNEL_SPECIALS } from './special-channels.ts';
import { CLOUD_SPECIALS } from './special-clouds.ts';
import { COMPOSE_SPECIALS } from './special-compose.ts';
import { DATABASE_SPECIALS } from './special-databases.ts';
import { DISK_SPECIALS } from './special-disks.ts';
import { EDITOR_SPECIALS } from './special-editors.ts';
import { environment, printenv } from './special-environment.ts';
import { FILE_SPECIALS } from './special-files.ts';
import { GIT_SPECIALS } from './special-git.ts';
import { HANDED_SPECIALS } from './special-handed.ts';
import { KEY_SPECIALS } from './special-keys.ts';
import { KUBERNETES_SPECIALS } from './special-kubernetes.ts';
import { NETWORK_SPECIALS } from './special-network.ts';
import { PACKAGE_SPECIALS } from './special-packages.ts';
import { PROVISION_SPECIALS } from './special-provision.ts';
import { REMOTE_SPECIALS } from './special-remote.ts';
import { RUN_SPECIALS } from './special-run.ts';
import { SEARCH_SPECIALS } from './special-search.ts';
import { SHELL_SPECIALS } from './special-shells.ts';
import { SYSTEM_SPECIALS } from './special-system.ts';
import { TEXT_SPECIALS } from './special-text.ts';
import { WALLET_SPECIALS } from './special-wallets.ts';
import { windows } from './special-windows.ts';

export const SPECIALS: { readonly [name: string]: Special } = {
  ...ARCHIVE_SPECIALS,
  ...CARRIER_SPECIALS,
  ...CHANNEL_SPECIALS,
  ...CLOUD_SPECIALS,
  ...COMPOSE_SPECIALS,
  ...DATABASE_SPECIALS,
  ...DISK_SPECIALS,
  ...EDIT_SPECIALS,
  ...EDITOR_SPECIALS,
  ...FILE_SPECIALS,
  ...SEARCH_SPECIALS,
  ...GIT_SPECIALS,
  ...HANDED_SPECIALS,
  ...KEY_SPECIALS,
  ...KUBERNETES_SPECIALS,
  ...NETWORK_SPECIALS,
  ...PROVISION_SPECIALS,
  ...PACKAGE_SPECIALS,
  ...REMOTE_SPECIALS,
  ...RUN_SPECIALS,
  ...SHELL_SPECIALS,
  ...SYSTEM_SPECIALS,
  ...TEXT_SPECIALS,
  ...WALLET_SPECIALS,
  environment,
  printenv,
  windows,
};
