// The machine's own programs where a table cannot tell reading from changing, or one process from many.

import { plainTarget } from '../draft.ts';
import type { Effect } from '../types.ts';
import { byRule, emit, emitNone, has, optionValue, residueOf, SILENT, type Special, target } from './call.ts';

const GUARDS =
  /(?:auditd|firewalld|ufw|iptables|nftables|fail2ban|apparmor|selinux|falco|osquery|crowdstrike|falcon|clamav|clamd|rsyslog|syslog|journald|sentinel|defender|mdatp|wazuh|ossec|tripwire|aide|carbonblack|cbdaemon|crond?$|chronyd|sysmon|snort|suricata)/i;
const OURS = /(?:^|[^a-z])(?:beacon|beacond)(?:[^a-z]|$)/i;

const service: Special = (call) => {
  const names = call.given.operands.map((word) => word.text);
  const verbs =
    /^(?:status|list|ls|show|jlist|prettylist|describe|logs|monit|print|info|id|blame|env|tail|avail|print-disabled|dumpstate)$/;
  const text = [call.operation, ...names].join(' ');
  const separate = !/^systemctl$/.test(call.tool);
  const verb = separate
    ? (names.find(
        (name) =>
          verbs.test(name) ||
          /^(?:start|stop|restart|reload|delete|kill|enable|disable|bootout|bootstrap|load|unload|remove|kickstart|save|startup|scale|force-reload)$/.test(
            name,
          ),
      ) ??
      names[0] ??
      '')
    : (call.operation.split(' ').at(-1) as string);
  if (separate && (verbs.test(verb) || names.length === 0 || names.includes('--status-all'))) {
    emit(call, { effect: 'read', operation: 'status', metadata: true, scope: 'machine' });
    return { origins: ['file'] };
  }
  const targets = names
    .filter((name) => name !== verb && !name.startsWith('-'))
    .map((name) => plainTarget(`service:${name.replace(/\.service$/, '')}`));
  const stops = /stop|disable|mask|kill|delete|bootout|unload|remove/.test(verb);
  const user = call.flags.includes('user') || call.tool === 'pm2' || call.tool === 'supervisorctl';
  let effect: Effect = call.tool === 'pm2' ? 'process_own' : 'system_change';
  if (/enable|bootstrap|load|startup|link/.test(verb) && !stops) effect = 'schedule';
  if (stops && GUARDS.test(text)) effect = 'security_disable';
  if (OURS.test(text)) effect = 'self_governance';
  emit(call, {
    effect,
    operation: verb.slice(0, 32),
    targets,
    residue: residueOf(call),
    scope: user ? 'home' : 'system',
  });
  return SILENT;
};

const crontab: Special = (call) => {
  if (has(call, '-l')) {
    emit(call, { effect: 'read', operation: 'list', metadata: true });
    return { origins: ['file'] };
  }
  const { stdin } = call.invocation.frame;
  if (has(call, '-r')) emit(call, { operation: 'remove', flags: ['destructive'], residue: [] });
  else {
    const file = call.given.operands[0];
    emit(call, {
      operation: has(call, '-e') ? 'edit' : 'install',
      targets: file && file.text !== '-' ? [target(call, file)] : [],
      residue: [stdin.text ?? ''],
      metadata: true,
    });
    walkSchedule(call, stdin.text);
  }
  return SILENT;
};

/** The commands that a crontab text would run are judged, too. */
function walkSchedule(call: Parameters<Special>[0], text: string | undefined): void {
  for (const line of (text ?? '').split('\n').slice(0, 64)) {
    const command = /^\s*(?:@\w+|(?:[\d*,/LW#?-]+\s+){5})\s*(.+)$/.exec(line)?.[1];
    if (command) call.walk.text(command, call.invocation.state, call.invocation.frame);
  }
}

const at: Special = (call) => {
  const file = optionValue(call, '-f');
  const { stdin } = call.invocation.frame;
  emit(call, {
    operation: 'at',
    targets: file ? [target(call, file)] : [],
    residue: [stdin.text ?? '', ...call.given.operands.map((word) => word.text)],
    metadata: true,
  });
  if (stdin.text !== undefined)
    call.walk.text(stdin.text, call.invocation.state, { ...call.invocation.frame, stdin: { origins: [] } });
  return SILENT;
};

const firewall: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join(' ');
  if (
    /(?:^|\s)(?:-[A-Za-z]*L|-S|--list\S*|list|status|show|-s\s|--state|--get-\S+|--query-\S+)(?:\s|$)/.test(text) &&
    !/(?:^|\s)-[A-Z]*F/.test(text)
  ) {
    emit(call, { effect: 'read', operation: 'list', metadata: true, scope: 'machine' });
    return { origins: ['file'] };
  }
  const opens =
    /(?:^|\s)(?:-F|--flush|-X|-P\s+\w+\s+ACCEPT|disable|reset|flush|-d|--panic-off|off|delete\s+(?:table|chain|rule))(?:\s|$)/i.test(
      text,
    );
  emit(call, {
    effect: opens ? 'security_disable' : 'system_change',
    operation: opens ? 'open' : 'rule',
    residue: [call.args.map((arg) => arg.text).join('\0')],
  });
  return SILENT;
};

const kill: Special = (call) => {
  const words = call.args.map((arg) => arg.text);
  if (words.includes('-l') || words.includes('-L') || words.length === 0) return emitNone(call, 'list');
  let signal: string | undefined;
  const ids = words.filter((word, index) => {
    if (word === '-s' || word === '-n') return false;
    if (words[index - 1] === '-s' || words[index - 1] === '-n') return false;
    if (
      signal === undefined &&
      /^-(?:\d{1,2}|[A-Z]+\d?)$/.test(word) &&
      words.length > 1 &&
      !(word === '-1' && words.length === 1)
    ) {
      signal = word.slice(1);
      return false;
    }
    return word !== '--';
  });
  if (signal === '0') return emitNone(call, 'test');
  const many =
    ids.some((id) => /^-\d/.test(id) || id === '1' || id === '0') ||
    (signal === '1' && ids.length === 0) ||
    ids.length > 20;
  const unknown = call.args.some((arg) => !arg.known) ? ['unresolved_process'] : [];
  // Handed over one by one, they are still those that a name or a port stands for.
  const named = ids.length > 0 && ids.every((id) => id.startsWith('named-'));
  const { frame } = call.invocation;
  const few = { ...call.invocation, frame: { ...frame, flags: frame.flags.filter((flag) => flag !== 'bulk') } };
  emit(named ? { ...call, invocation: few } : call, {
    effect: owned(many ? 'process_many' : 'process_own', ids),
    operation: 'kill',
    targets: ids.map((id) => plainTarget(`process:${id}`)),
    flags: [...unknown, ...(signal === '9' || signal === 'KILL' ? ['force'] : [])],
  });
  return SILENT;
};

/** What it prints are numbers; whose they are goes on to whatever ends them. */
const processIds: Special = (call) => {
  emit(call, { residue: [] });
  const names = call.given.operands;
  const known = names.length > 0 && names.every((word) => word.known && /^[\w.-]{1,64}$/.test(word.text));
  return known
    ? { text: `${names.map((word) => `named-${word.text}`).join('-')}\n`, origins: ['file'] }
    : { origins: ['file'] };
};

/** `lsof -t -i :3000`: whoever holds that port or file. */
const holders: Special = (call) => {
  emit(call, { residue: [] });
  const words = [...(call.given.options.get('-i') ?? []), ...call.given.operands].map((word) => word.text);
  const what = words.find((word) => /:\d{1,5}$/.test(word))?.replace(/^.*:/, 'port-');
  return has(call, '-t') && what !== undefined ? { text: `named-${what}\n`, origins: ['file'] } : { origins: ['file'] };
};

/** Where Beacon listens unless told otherwise. */
const OUR_PORT = /(?:^|[^\d])(?:port-)?750[01](?:[^\d]|$)/;

/** Whose process it is counts before how many there are. */
function owned(effect: Effect, names: readonly string[]): Effect {
  if (names.some((name) => OURS.test(name) || OUR_PORT.test(name))) return 'self_governance';
  return names.some((name) => GUARDS.test(name)) ? 'security_disable' : effect;
}

const killName: Special = (call) => {
  const names = call.given.operands.map((word) => word.text);
  if (has(call, '-l')) return emitNone(call, 'list');
  const user = ['-u', '-U', '-g', '-G', '--user', '--uid'].some((name) => has(call, name));
  const wide = names.some((name) => /^[.*^$]*$|^\.[*+]/.test(name) || name.length < 3) || (user && names.length === 0);
  const essential = names.some((name) =>
    /^(?:systemd|init|sshd|dbus|dockerd|containerd|kubelet|launchd|Xorg|gnome-shell|explorer|postgres|mysqld|nginx)$/.test(
      name,
    ),
  );
  let effect: Effect = wide || essential || user ? 'process_many' : 'process_own';
  effect = owned(effect, names);
  emit(call, {
    effect,
    operation: 'kill',
    targets: names.map((name) => plainTarget(`process:${name}`)),
    flags: [...(has(call, '-v') ? ['inverted'] : []), ...(call.tool === 'killall' ? ['bulk'] : [])],
    residue: residueOf(call),
  });
  return SILENT;
};

const mount: Special = (call) => {
  if (call.given.operands.length === 0) {
    emit(call, { effect: 'read', operation: 'list', metadata: true, scope: 'machine' });
    return { origins: ['file'] };
  }
  emit(call, {
    targets: call.given.operands.map((word) => target(call, word)),
    residue: residueOf(call),
    metadata: true,
  });
  return SILENT;
};

const sysctl: Special = (call) => {
  const sets = call.given.operands.filter((word) => word.text.includes('='));
  if (sets.length === 0 && call.effect === 'read') {
    emit(call, { operation: 'list' });
    return { origins: ['file'] };
  }
  const weakens = sets.some((word) =>
    /randomize_va_space|ptrace_scope|kptr_restrict|dmesg_restrict|unprivileged_bpf|core_pattern|syncookies/.test(
      word.text,
    ),
  );
  emit(call, {
    effect: weakens ? 'security_disable' : 'system_change',
    operation: 'set',
    targets: sets.map((word) => plainTarget(`sysctl:${word.text.split('=')[0]}`)),
    residue: sets.map((word) => word.text),
    metadata: false,
  });
  return SILENT;
};

const READS =
  /^(?:show|list|ls|status|get|help|monitor|-V|--version|-a|-h|-s|dump|brief|-br|device|con|connection|general|info|log|netns|timesync-status|show-timesync|list-timezones|list-sessions|list-users|session-status)$/;
const CHANGES =
  /^(?:add|del|delete|set|change|replace|flush|up|down|append|modify|mod|delif|addif|set-\w+|on|off|rescan-write|terminate-\w+|kill-\w+|lock-\w+|enable-linger|disable-linger|attach|exec|reload|import|remove)$/;

const statusOrChange: Special = (call) => {
  const words = call.given.operands.map((word) => word.text);
  const changes =
    words.some((word) => CHANGES.test(word)) ||
    (call.tool === 'ifconfig' && words.length > 1) ||
    /^(?:wg-quick|openvpn)$/.test(call.tool) ||
    call.args.some((arg) => /^-[sd]$/.test(arg.text) && call.tool === 'arp');
  const reads = words.length === 0 || words.some((word) => READS.test(word)) || !changes;
  if (!changes && reads) {
    emit(call, { effect: 'read', operation: 'status', metadata: true, scope: 'machine', residue: [] });
    return { origins: ['file'] };
  }
  if (call.tool === 'ip' && words.includes('exec')) {
    const rest = call.given.operands.slice(words.indexOf('exec') + 2);
    return rest.length > 0 ? call.walk.words(rest, call.invocation.state, call.invocation.frame) : emitNone(call);
  }
  emit(call, { operation: 'change', residue: residueOf(call, call.given.operands) });
  return SILENT;
};

const guard: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join(' ');
  const acts = /^(?:aa-(?:teardown|disable|complain)|auditd-stop|aureport-clear|faillock-reset)$/.test(call.tool);
  const reads = (text === '' && !acts) || /^(?:-l|-s|status|--status|list|show|version|-v)(?:\s|$)/.test(text);
  const strengthens =
    /^(?:1|[Ee]nforcing|enable|--master-enable|on)$/.test(text) ||
    (call.tool === 'auditctl' && /^-[wa]\s/.test(text)) ||
    (call.tool === 'semanage' && /\s-(?:l|a)\b/.test(text));
  emit(call, {
    effect: reads ? 'read' : strengthens ? 'system_change' : 'security_disable',
    operation: reads ? 'status' : 'change',
    residue: reads ? [] : [text],
    metadata: reads,
  });
  return SILENT;
};

const clipboard: Special = (call) => {
  const reads = call.args.some((arg) => /^(?:-o|--output|-out)$/.test(arg.text));
  emit(call, reads ? { effect: 'read', operation: 'clipboard', metadata: true, scope: 'machine' } : { effect: 'none' });
  return { origins: reads ? ['file'] : [] };
};

/** What is stopped may be what guards the agent. */
/** Taken away, what guards the machine guards it no longer. */
const machinePackages: Special = (call) => {
  const text = [call.operation, ...call.args.map((arg) => arg.text)].join(' ');
  const removes = /(?:^|\s)(?:remove|purge|uninstall|erase|del|-r|-P|--remove|--purge)(?:\s|$)/.test(text);
  const guards = call.given.operands.some((word) => GUARDS.test(word.text) || OURS.test(word.text));
  const dry = call.flags.includes('dry_run');
  return byRule(removes && guards && !dry ? { ...call, effect: 'security_disable' } : call);
};

const ownOrGuard: Special = (call) => {
  const names = call.given.operands.map((word) => word.text);
  const effect = call.effect === 'process_own' ? owned(call.effect, names) : call.effect;
  // Not those one started: whatever a list holds when it runs.
  const listed =
    call.operation === 'remove' && call.flags.includes('force') && call.given.operands.some((word) => !word.known);
  return byRule({ ...call, effect, flags: listed ? [...call.flags, 'bulk'] : call.flags });
};

/** Settings of macOS: some start programs, some are guards. */
const defaults: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join(' ');
  const starts = /\b(?:loginhook|logouthook|autolaunched\w+|loginitems)\b|\/launch(?:agents|daemons)\//i.test(text);
  const guards =
    /\blsquarantine\b|\.alf\b.*\bglobalstate\b|\baskforpassword\w*\b|\bautomatic(?:check|download)\w*\b|\bcriticalupdateinstall\b|\bdisableguestaccount\b/i.test(
      text,
    );
  const system = /(?:^|\s)\/Library\//.test(text);
  emit(call, {
    effect: guards ? 'security_disable' : starts ? 'schedule' : system ? 'system_change' : call.effect,
    residue: residueOf(call),
    ...((starts || guards || system) && { scope: 'machine' as const }),
  });
  return SILENT;
};

export const SYSTEM_SPECIALS: { readonly [name: string]: Special } = {
  defaults,
  'machine-packages': machinePackages,
  'own-or-guard': ownOrGuard,
  'holders-kill': ownOrGuard,
  service,
  crontab,
  at,
  firewall,
  kill,
  'kill-name': killName,
  'process-ids': processIds,
  holders,
  mount,
  sysctl,
  'status-or-change': statusOrChange,
  guard,
  clipboard,
  pacman: (call) => {
    const text = call.args.map((arg) => arg.text).join(' ');
    const reads = /^-(?:Q|Ss|Si|Sg|Sl|F|T|V|h)/.test(text) && !/^-Q\S*[DR]/.test(text);
    emit(call, {
      effect: reads ? 'read' : 'install_system',
      operation: reads ? 'query' : 'install',
      targets: reads ? [] : call.given.operands.map((word) => plainTarget(`package:${word.text}`)),
      metadata: reads,
      residue: reads ? [] : residueOf(call),
    });
    return { origins: ['file'] };
  },
  rpm: (call) => {
    const reads = call.args.some((arg) => /^-(?:q|V|K)|^--(?:query|verify|checksig|eval|showrc)/.test(arg.text));
    emit(call, {
      effect: reads ? 'read' : 'install_system',
      operation: reads ? 'query' : 'install',
      targets: reads ? [] : call.given.operands.map((word) => plainTarget(`package:${word.text}`)),
      metadata: reads,
      residue: reads ? [] : residueOf(call),
    });
    return { origins: ['file'] };
  },
};
