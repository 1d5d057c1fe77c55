// The master key of the tenant keys, in a file only its owner can read.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { BeaconError } from '../../core/errors.ts';
import { HmacTenantKeys, MASTER_KEY_BYTES } from './hmac.ts';

/**
 * Loads the master key, or creates it (mode 0600, synced) where there is none. Throws `failed_precondition` when others
 * may read the file or it is not a key.
 */
export function openTenantKeys(path: string): HmacTenantKeys {
  if (!existsSync(path)) createWhole(path);
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new BeaconError('failed_precondition', `${path} must not be readable by group or others (chmod 600)`);
  }
  const master = readFileSync(path);
  if (master.length !== MASTER_KEY_BYTES) throw new BeaconError('failed_precondition', `${path} is not a tenant key`);
  return new HmacTenantKeys(master);
}

/** Whole or absent, whenever the process ends: written aside, synced, then linked into place. */
function createWhole(path: string): void {
  const aside = `${path}.${process.pid}`;
  rmSync(aside, { force: true });
  const fd = openSync(aside, 'wx', 0o600);
  try {
    writeSync(fd, randomBytes(MASTER_KEY_BYTES));
    fsyncSync(fd);
    linkSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(fd);
    rmSync(aside, { force: true });
  }
}
