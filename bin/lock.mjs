// One holder at a time, across processes: a lock folder (making one is atomic everywhere) with the holder's process
// id in it. A folder whose holder has died is taken over.

import fs from 'node:fs';
import path from 'node:path';

const POLL_MS = 100;
const UNSIGNED_MS = 10_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function make(folder) {
  try {
    fs.mkdirSync(folder);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** A holder that died, or one that never came to write its id. */
function isAbandoned(folder) {
  try {
    const pid = Number(fs.readFileSync(path.join(folder, 'pid'), 'utf8'));
    if (Number.isInteger(pid) && pid > 0) return !alive(pid);
  } catch {
    // no id yet
  }
  try {
    return Date.now() - fs.statSync(folder).mtimeMs > UNSIGNED_MS;
  } catch {
    return false; // given back meanwhile
  }
}

// Two waiters must not both clear the same dead lock: the second would clear the first one's new lock.
function takeOver(folder) {
  const guard = `${folder}.takeover`;
  if (!make(guard)) {
    if (isAbandoned(guard)) fs.rmSync(guard, { recursive: true, force: true });
    return;
  }
  try {
    if (isAbandoned(folder)) fs.rmSync(folder, { recursive: true, force: true });
  } finally {
    fs.rmSync(guard, { recursive: true, force: true });
  }
}

/** Waits for the lock, runs `work`, gives the lock back. Throws when it is not free within `limitMs`. */
export async function withLock(folder, { say = () => {}, limitMs }, work) {
  const until = Date.now() + limitMs;
  let told = false;
  while (!make(folder)) {
    if (isAbandoned(folder)) {
      takeOver(folder);
      continue;
    }
    if (Date.now() > until) throw new Error(`${folder} is still held after ${Math.round(limitMs / 1000)} s`);
    if (!told) say('waiting for another start that is installing …');
    told = true;
    await pause(POLL_MS);
  }
  const release = () => fs.rmSync(folder, { recursive: true, force: true });
  process.on('exit', release);
  try {
    fs.writeFileSync(path.join(folder, 'pid'), String(process.pid));
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
