// Settings of git: some run programs, some drop its guards, wherever they are set.

import { forkState } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { emit, has, SILENT, type Special } from './call.ts';

/** Settings by which git runs programs or drops its guards. */
export const RUNS =
  /^(?:core\.(?:pager|editor|sshcommand|fsmonitor|askpass|gitproxy|hookspath|attributesfile)|alias\..*|credential\..*helper|credential\.helper|diff\..*\.(?:command|textconv)|diff\.external|merge\..*\.driver|filter\..*\.(?:clean|smudge|process)|pager\..*|sequence\.editor|gpg\.program|gpg\..*\.program|protocol\.ext\.allow|uploadpack\..*hook|remote\..*\.(?:receivepack|uploadpack|proxy)|url\..*insteadof|http\.(?:sslverify|proxy)|init\.templatedir|include\.path|includeif\..*|safe\.directory)$/i;

/** Whether it stops checking who it talks to, who signed, or what its hooks check. */
export function weakensGit(key: string, value: string, wide: boolean): boolean {
  const off = /^(?:false|0|no|off)$/i.test(value);
  if (/^http\.(?:.*\.)?sslverify$/i.test(key)) return off;
  if (/^(?:commit|tag|push)\.gpgsign$/i.test(key)) return off && wide;
  if (/^(?:receive\.denynonfastforwards|receive\.denydeletes|transfer\.fsckobjects|receive\.fsckobjects)$/i.test(key))
    return off;
  return /^core\.hookspath$/i.test(key) && /^(?:\/dev\/null|)$/.test(value);
}

export const config: Special = (call) => {
  const { operands } = call.given;
  const words = /^(?:get|list|set|unset|edit)$/.test(operands[0]?.text ?? '') ? operands.slice(1) : operands;
  const reads =
    has(call, '--get') ||
    has(call, '-l') ||
    /^(?:get|list)$/.test(operands[0]?.text ?? '') ||
    (words.length < 2 && !has(call, '--unset') && operands[0]?.text !== 'unset');
  const [first] = words;
  // What is sent along to prove who one is.
  if (reads && /extraheader$|(?:^|\.)(?:\w*token|\w*password|\w*secret|smtppass)$/i.test(first?.text ?? '')) {
    emit(call, { effect: 'secret_fetch', operation: 'config read', flags: ['printed'] });
    return { origins: ['secret', 'stored'] };
  }
  if (reads) {
    emit(call, { effect: 'read', operation: 'config read', metadata: true });
    return { origins: ['file'] };
  }
  const key = words[0]?.text ?? '';
  const wide = has(call, '--global') || has(call, '--system');
  const value = words[1]?.text ?? '';
  const unset = has(call, '--unset') || operands[0]?.text === 'unset';
  const weakens = weakensGit(key, unset ? 'false' : value, wide);
  // Where the repository sends to: the same as `git remote set-url`.
  const remote = /^remote\.(.+)\.(?:push)?url$/.exec(key)?.[1];
  if (remote !== undefined && words[1]?.known)
    call.invocation.state.files.set(`remote:${remote}`, { text: value, origins: words[1].origins });
  const effect = weakens ? 'security_disable' : RUNS.test(key) ? 'schedule' : wide ? 'write' : 'vcs_local';
  // What it will run is seen now.
  const command = /^alias\./i.test(key) ? (value.startsWith('!') ? value.slice(1) : '') : value.replace(/^!/, '');
  if (RUNS.test(key) && /\s/.test(command))
    call.walk.text(command, forkState(call.invocation.state), call.invocation.frame);
  emit(call, {
    effect,
    targets: [plainTarget(`git-config:${wide ? 'global/' : ''}${key}`)],
    flags: remote === undefined ? [] : ['remote_changed'],
    scope: has(call, '--system') ? 'system' : wide ? 'home' : 'workspace',
    residue: [
      words
        .slice(1)
        .map((word) => word.text)
        .join('\0'),
    ],
  });
  return SILENT;
};
