// What a Beacon leaves in its data folder says where it listens, for as long as it runs. One that was killed could not take it
// back, and its port is anybody's since: who listens there now would be shown the token.

/** Whether the process that left this has ended. One whose number this user may not ask about, or that left none, has not. */
export function hasEnded({ pid }: { readonly pid?: unknown }): boolean {
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return false;
  try {
    process.kill(pid as number, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
