// Plain connections and named pipes: who is at the other end decides what is said through them.

import { emit, SILENT, type Special, target } from './call.ts';
import { payload } from './special-network.ts';

const telnet: Special = (call) => {
  const { stdin } = call.invocation.frame;
  const [host] = call.given.operands;
  emit(call, {
    effect: stdin.origins.includes('session') ? 'remote_shell' : call.effect,
    targets: host ? [{ id: `host:${host.text}`, known: host.known, glob: false }] : [],
    flags: ['remote'],
    externality: payload(stdin.origins),
  });
  return { origins: ['download'] };
};

/** A pipe with a name: whoever reads it gets what somebody else wrote. */
const fifo: Special = (call) => {
  const targets = call.given.operands.slice(0, call.tool === 'mknod' ? 1 : undefined).map((word) => target(call, word));
  emit(call, { targets, residue: [] });
  for (const { id } of targets) call.invocation.state.files.set(id, { origins: ['channel'] });
  return SILENT;
};

export const CHANNEL_SPECIALS: { readonly [name: string]: Special } = { telnet, fifo };
