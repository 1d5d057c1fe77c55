// Shells of Windows and the programs they carry, read by their words, so that they are routed safely.

import { literal } from '../../shell/values.ts';
import { readPowershell } from '../powershell.ts';
import type { Effect } from '../types.ts';
import { transferOf, unseenProgram } from '../unseen-download.ts';
import { type Call, emit, type Special, target } from './call.ts';

/** Options before the text that say how the shell starts; some take a value. */
const STARTING =
  /^-(?:noprofile|nop|nologo|nol|noninteractive|noni|noexit|sta|mta|mp|executionpolicy|ep?x?|exec|windowstyle|w|version|inputformat|outputformat|outputencoding|login)$/i;
const VALUED = /^-(?:executionpolicy|ex?p?|exec|windowstyle|w|version|inputformat|outputformat|outputencoding)$/i;

/** `pwsh -NoProfile -Command TEXT`, `cmd /c TEXT`, `powershell -EncodedCommand BASE64`. */
function commandText(call: Call): string | undefined {
  const words = call.args.map((arg) => arg.text);
  if (call.args.some((arg) => !arg.known)) return undefined;
  if (call.tool === 'cmd') {
    const at = words.findIndex((word) => /^\/[ckCK]$/.test(word));
    return at < 0
      ? undefined
      : words
          .slice(at + 1)
          .join(' ')
          .replaceAll('^', '');
  }
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (/^-(?:e|ec|enc|enco\w*)$/i.test(word)) return decoded(words[at + 1] ?? '');
    if (/^-c(?:ommand)?$/i.test(word)) return words.slice(at + 1).join(' ');
    if (STARTING.test(word)) at += VALUED.test(word) ? 1 : 0;
    else return word.startsWith('-') ? undefined : words.slice(at).join(' ');
  }
  return undefined;
}

/** Base64 over UTF-16. */
function decoded(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{4,}={0,2}$/.test(text)) return undefined;
  const script = Buffer.from(text, 'base64').toString('utf16le');
  return /^[\t\n\r\x20-\x7e]+$/.test(script) ? script : undefined;
}

const REMOVES = /\/s\b.*|-recurse|-r\b/i;
const CONTROLS =
  /vssadmin\s+delete|wevtutil\s+cl|recoveryenabled\s+no|bootstatuspolicy|advfirewall.*off|firewall\s+set\s+opmode.*disable/i;

/** Programs of Windows by what their words say. */
function byWords(call: Call, text: string): Effect {
  const lower = `${call.tool} ${text}`.toLowerCase();
  if (/\blsass|sekurlsa|mimikatz|\breg\s+save\s+"?hklm\\?(?:sam|security|system)/.test(lower)) return 'read_credential';
  if (CONTROLS.test(lower)) return 'security_disable';
  if (/disableantispyware|enablelua|disablerealtime|windows defender/.test(lower) && /\badd\b|\bdelete\b/.test(lower))
    return 'security_disable';
  if (/(?:certutil.*-urlcache|bitsadmin.*\/transfer)/.test(lower)) return 'fetch';
  if (
    /^(?:mshta|regsvr32|rundll32|hh|cscript|wscript|installutil|regasm|regsvcs|odbcconf|cmstp)\b.*(?:https?:|\\\\[\w.-]+\\)/.test(
      lower,
    )
  )
    return 'download_execute';
  // A form of output that is fetched is a script.
  if (/^wmic\b.*\/format:\s*"?(?:https?:|ftp:|\\\\|[%$])/.test(lower)) return 'download_execute';
  if (/^reg\s+add.*\\run(?:once)?\b|^sc\s+create|^(?:schtasks|at)\s/.test(lower)) return 'schedule';
  if (
    /^(?:reg\s+query|sc\s+(?:query|qc|queryex)|net\s+(?:view|share|use|start|user|localgroup|accounts|config|statistics|time|session|file)$|wmic\s.*\b(?:get|list)\b|certutil\s+(?:-user\s+)?-(?:dump|hashfile|verify|store|viewstore|v|asn)(?!\w)|icacls\s+\S+$|bcdedit(?:\s+\/enum.*)?$)/.test(
      lower,
    )
  )
    return 'read';
  if (/^net\s+(?:user|localgroup|group)\s.*\/(?:add|delete|active)/.test(lower)) return 'identity_change';
  if (/^cipher\s+\/w/.test(lower)) return 'security_disable';
  return call.effect;
}

export const windows: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join(' ');
  const shell = /^(?:pwsh|powershell|cmd)$/.test(call.tool);
  const encoded = shell && call.tool !== 'cmd' && /(?:^|\s)-e(?:nc\w*|c)?\s/i.test(text);
  const command = shell ? commandText(call) : undefined;
  if (command !== undefined && call.invocation.frame.depth < MAX_DEPTH) {
    const { frame, state } = call.invocation;
    const inner = { ...frame, depth: frame.depth + 1 };
    const read = readPowershell(command, call.meaning.where, (words) => call.walk.words(words, state, inner), true);
    if (read) {
      for (const draft of read.drafts) emit(call, draft);
      // Nobody wrote it so that it could be read.
      if (encoded && read.drafts.some((draft) => !HARMLESS.has(draft.effect)))
        emit(call, { effect: 'run_opaque', operation: 'encoded', residue: [text], flags: ['windows', 'encoded'] });
      return { origins: read.drafts.some((draft) => draft.effect === 'fetch') ? ['download'] : ['file'] };
    }
  }
  const transfer = transferOf([call.tool, ...call.args.map((arg) => arg.text)]);
  if (transfer?.file !== undefined) {
    emit(call, {
      effect: 'write',
      operation: 'write',
      targets: [target(call, { ...literal(transfer.file), known: !/[$%]/.test(transfer.file) })],
      flags: ['truncate', 'from_network'],
      residue: ['download'],
    });
    if (unseenProgram(transfer.address ?? '', transfer.file))
      emit(call, { effect: 'run_opaque', operation: 'download', residue: [text], flags: ['windows'] });
  }
  const effect =
    shell && call.tool === 'cmd' && REMOVES.test(text) && /\b(?:rd|rmdir|del|erase)\b/i.test(text)
      ? 'delete_many'
      : byWords(call, text);
  const fetches =
    shell &&
    /downloadstring|downloadfile|invoke-webrequest|\biwr\b|\birm\b|invoke-restmethod/i.test(text) &&
    /\biex\b|invoke-expression|start-process/i.test(text);
  emit(call, {
    effect: fetches ? 'download_execute' : shell && /tcpclient/i.test(text) ? 'remote_shell' : effect,
    operation: 'run',
    residue: [text],
    flags: ['windows', ...(encoded ? ['encoded'] : [])],
  });
  return { origins: ['generated'] };
};

const MAX_DEPTH = 20;
const HARMLESS = new Set<Effect>(['none', 'read']);
