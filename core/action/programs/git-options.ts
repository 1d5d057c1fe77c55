// git's own options, before the subcommand: where it acts, and settings for one command, some of which run programs.

import { type Invocation, type Walk, withBound } from '../../shell/frame.ts';
import { forkState } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { resolvePath } from '../paths.ts';
import type { Arguments } from './arguments.ts';
import type { Meaning } from './call.ts';
import { RUNS, weakensGit } from './git-settings.ts';

/** Settings that change what is shown only. */
const SHOWS = /^(?:color|advice|log|pager|column|diff)\.|^core\.(?:pager=(?:cat|less|)$|quotepath=)/i;

/** `git -C dir …` moves; `git -c key=value …` may run a program. */
export function prepareGit(invocation: Invocation, above: Arguments, meaning: Meaning, walk: Walk): Invocation {
  const folders = [...(above.options.get('-C') ?? []), ...(above.options.get('--work-tree')?.slice(-1) ?? [])];
  const named = ['--git-dir', '--namespace'].flatMap((name) =>
    (above.options.get(name) ?? []).map((value) => `${name} ${value.text}`),
  );
  const settings = (above.options.get('-c') ?? []).map((setting) => setting.text).filter((text) => !SHOWS.test(text));
  const frame = withBound(invocation.frame, ...named, ...settings.sort());
  for (const setting of above.options.get('-c') ?? []) {
    const [key, ...rest] = setting.text.split('=');
    if (!RUNS.test(key ?? '') || /^(?:cat|less|true|)$/.test(rest.join('='))) continue;
    // What it runs is judged, too; that it runs by way of git is not forgotten.
    const text = rest.join('=');
    const command = /^alias\./i.test(key ?? '') ? (text.startsWith('!') ? text.slice(1) : '') : text.replace(/^!/, '');
    if (/\s/.test(command)) walk.text(command, forkState(invocation.state), invocation.frame);
    const weakens = /hookspath|sslverify/i.test(key as string) || weakensGit(key as string, text, false);
    meaning.add({
      tool: 'git',
      operation: 'config',
      effect: weakens ? 'security_disable' : 'run_opaque',
      targets: [plainTarget(`git-config:${key}`)],
      flags: invocation.frame.flags,
      residue: [rest.join('=')],
      range: invocation.frame.range,
    });
  }
  const state = folders.length === 0 ? invocation.state : forkState(invocation.state);
  for (const folder of folders) {
    const sure = folder.known && (state.cwd !== undefined || /^[/~]/.test(folder.text));
    if (!sure) state.exported.set('PWD', `${state.exported.get('PWD') ?? ''}/${folder.text}`);
    state.cwd = folder.known ? resolvePath(folder.text, state.cwd, meaning.where.home) : undefined;
  }
  return { ...invocation, state, frame };
}
