// Services of a compose file: the file says what runs and what of this machine it gets. The project's own was read when it was
// written; one from elsewhere is code that nobody saw.

import type { Origin, Stream } from '../../shell/values.ts';
import { hostAccess } from '../host-access.ts';
import { byRule, type Call, emit, type Special, target } from './call.ts';
import { containerRun } from './special-remote.ts';
import { passing } from './surroundings.ts';

const ADDRESS = /^(?:https?|oci|git|ssh):|^git@|^github\.com\//;

function readFiles(call: Call): void {
  const { frame, state } = call.invocation;
  const files = ['-f', '--file'].flatMap((name) => call.given.options.get(name) ?? []);
  for (const file of files) {
    if (ADDRESS.test(file.text)) unseen(call, file.text, ['download']);
    else if (file.text === '-') readText(call, frame.stdin);
    else {
      const written = state.files.get(
        target(call, file.text.includes('/') ? { ...file, text: last(file.text) } : file).id,
      );
      if (written) readText(call, written);
      else if (passing(call.invocation, call.meaning.where, file.text)) unseen(call, file.text, []);
    }
  }
}

/** The call is judged in the folder of its file. */
function last(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function readText(call: Call, { text, origins }: Stream): void {
  if (text === undefined) unseen(call, '', origins);
  else if (hostAccess(text).length > 0)
    emit(call, { effect: 'system_change', flags: ['container', 'privileged'], residue: [text], scope: 'machine' });
}

function unseen(call: Call, text: string, origins: readonly Origin[]): void {
  call.walk.judge.opaque('compose file', text, origins, call.invocation.frame);
}

const compose: Special = (call) => {
  readFiles(call);
  return byRule(call);
};

const composeRun: Special = (call) => {
  readFiles(call);
  return containerRun(call);
};

export const COMPOSE_SPECIALS: { readonly [name: string]: Special } = { compose, 'compose-run': composeRun };
