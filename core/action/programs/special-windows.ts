// Windows programs, recognised and read by their words, so that they are routed safely; their own grammar is not parsed.

import { readPowershell } from '../powershell.ts';
import type { Effect } from '../types.ts';
import { emit, type Special } from './call.ts';

/** `pwsh -NoProfile -Command TEXT`: undefined when it is no command line of PowerShell. */
function commandText(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => /^-c(?:ommand)?$/i.test(word));
  const before = words.slice(0, Math.max(at, 0));
  if (at < 0 || !before.every((word) => /^-(?:noprofile|nologo|noninteractive|nop)$/i.test(word))) return undefined;
  return words.slice(at + 1).join(' ');
}

export const windows: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join(' ');
  const plain = /^p(?:wsh|owershell)$/.test(call.tool) && call.args.every((arg) => arg.known);
  const command = plain ? commandText(call.args.map((arg) => arg.text)) : undefined;
  const drafts = command === undefined ? undefined : readPowershell(command, call.meaning.where);
  if (drafts) {
    for (const draft of drafts) emit(call, draft);
    return { origins: ['file'] };
  }
  const lower = text.toLowerCase();
  const encoded = /(?:^|\s)-e(?:nc|ncodedcommand|c)?\s/i.test(text);
  let effect: Effect = call.effect;
  if (/remove-item.*-recurse|rd\s+\/s|rmdir\s+\/s|del\s+\/[sfq]|format-volume|clear-disk|format\s+[a-z]:/.test(lower))
    effect =
      /[a-z]:\\?(?:\s|$|\*|'|")|windows|users(?:\\|\s|$)|\$env:(?:systemdrive|userprofile|home)|~(?:\s|$)|format-volume|clear-disk|format\s+[a-z]:/.test(
        lower,
      )
        ? 'disk_destroy'
        : 'delete_many';
  else if (
    /(?:iwr|invoke-webrequest|irm|invoke-restmethod|downloadstring|downloadfile|net\.webclient|curl|wget).*(?:iex|invoke-expression|start-process)|(?:iex|invoke-expression).*(?:iwr|irm|downloadstring|invoke-webrequest|invoke-restmethod|net\.webclient)/.test(
      lower,
    )
  )
    effect = 'download_execute';
  else if (
    /set-mppreference|disablerealtimemonitoring|add-mppreference|vssadmin\s+delete|wevtutil\s+cl|bcdedit.*recoveryenabled\s+no|netsh\s+advfirewall.*off|set-executionpolicy/.test(
      lower,
    ) ||
    (call.tool === 'Set-ExecutionPolicy' && lower !== '')
  )
    effect = 'security_disable';
  else if (
    /lsass|sekurlsa|mimikatz|reg\s+save\s+hklm\\(?:sam|security)/.test(lower) ||
    (call.tool === 'reg' && /save\s+hklm\\(?:sam|security|system)/.test(lower))
  )
    effect = 'read_credential';
  else if (/(?:certutil.*-urlcache|bitsadmin.*\/transfer)/.test(`${call.tool} ${lower}`.toLowerCase()))
    effect = 'fetch';
  else if (/tcpclient/.test(lower)) effect = 'remote_shell';
  else if (
    /^(?:query|\/query|query\s.*)|^(?:view|user|localgroup|share|use)$/.test(lower) &&
    /^(?:reg|sc|net)$/.test(call.tool)
  )
    effect = 'read';
  else if (/user\s.*\/add|localgroup\s.*\/add/.test(lower)) effect = 'identity_change';
  else if (
    !encoded &&
    /^(?:-(?:noprofile|nologo|noninteractive|command|c|file)\s+)*["']?(?:get-\w+|test-\w+|write-(?:output|host)|select-\w+|measure-\w+|dir|ls|echo|\$psversiontable)[^;|&]*["']?$/i.test(
      text,
    )
  )
    effect = 'read';
  emit(call, { effect, operation: 'run', residue: [text], flags: ['windows', ...(encoded ? ['encoded'] : [])] });
  return { origins: ['generated'] };
};
