// Programs that talk to other machines.

import { type Programs, type Rule, rows } from './rule.ts';

const LOOKUP: Rule = {
  effect: 'fetch',
  operation: 'look up',
  special: 'lookup',
  values: '-c -i -t -w -W -s -p -m -q -I -n -f -b -x -k',
};
const TUNNEL: Rule = {
  effect: 'remote_shell',
  operation: 'tunnel',
  operands: 'residue',
  flags: ['tunnel'],
  subcommands: {
    'version|help': { effect: 'read', operands: 'none', flags: [] },
    '*': { effect: 'remote_shell', operation: 'tunnel', operands: 'residue', flags: ['tunnel'] },
  },
};

export const NETWORK: Programs = {
  curl: {
    effect: 'fetch',
    special: 'curl',
    values:
      '-e --referer -x --proxy --resolve --cacert --capath -C --continue-at -r --range -b --cookie -z --interface --dns-servers -P --ciphers --max-redirs -t -Q --noproxy --socks5 --socks5-hostname --local-port --proto --tls-max --unix-socket --connect-to --rate --url-query -U --proxy-user',
    options: {
      '-A|--user-agent': { value: 'ignored' },
      '-m|--max-time|--connect-timeout|--retry|--retry-delay|--retry-max-time|-w|--write-out|-Y|-y|--limit-rate': {
        value: 'ignored',
      },
      '-X|--request': { value: 'ignored' },
      '-d|--data|--data-ascii|--data-raw|--data-binary|--json': { value: 'ignored' },
      '--data-urlencode': { value: 'ignored' },
      '-F|--form|--form-string': { value: 'ignored' },
      '-T|--upload-file': { value: 'ignored' },
      '-H|--header': { value: 'ignored' },
      '-u|--user': { value: 'secret' },
      '--oauth2-bearer': { value: 'secret' },
      '-E|--cert': { value: 'read' },
      '--key': { value: 'read' },
      '-K|--config': { value: 'read' },
      '-c|--cookie-jar|-D|--dump-header|--trace|--trace-ascii|--stderr': { value: 'write' },
      '-o|--output': { value: 'ignored' },
      '--output-dir': { value: 'ignored' },
      '--url': { value: 'ignored' },
      '-O|--remote-name|--remote-name-all|-J|--remote-header-name': {},
      '-G|--get': {},
      '-I|--head': {},
      '-k|--insecure': { flags: ['insecure'] },
      '-s|--silent|-S|--show-error|-f|--fail|--fail-with-body|-L|--location|-v|--verbose|-i|--include|-#|--progress-bar|--compressed|-4|-6|-N|--no-buffer|-g|--http2|--http1.1|-q|-n|--netrc':
        {},
    },
  },
  wget: {
    effect: 'fetch',
    special: 'wget',
    values: '-l --level -A -R -D --domains -I -X -e -Q -a',
    options: {
      '-t|--tries|-T|--timeout|-w|--wait|--limit-rate': { value: 'ignored' },
      '-U|--user-agent|--referer': { value: 'ignored' },
      '--header': { value: 'ignored' },
      '-O|--output-document': { value: 'ignored' },
      '-P|--directory-prefix': { value: 'ignored' },
      '-o|--output-file': { value: 'write' },
      '-i|--input-file': { value: 'read' },
      '--post-data|--body-data': { value: 'ignored' },
      '--post-file|--body-file': { value: 'ignored' },
      '--method': { value: 'ignored' },
      '--user|--http-user': { value: 'ignored' },
      '--password|--http-password|--ftp-password': { value: 'secret' },
      '--no-check-certificate': { flags: ['insecure'] },
      '--spider': {},
      '-r|--recursive|-m|--mirror|-p|--page-requisites|-k|-np|-nc|-N|-c|-q|--quiet|-nv|-S|--show-progress|-b': {},
    },
  },
  ...rows('http https xh xhs curlie', {
    effect: 'fetch',
    special: 'httpie',
    values: '--timeout --session --verify --proxy --style',
    options: {
      '-a|--auth': { value: 'secret' },
      '-o|--output': { value: 'write' },
      '-f|--form|-j|--json|-b|--body|-h|--headers|-p|-d|--download|-F|--follow': {},
    },
  }),
  aria2c: {
    effect: 'fetch',
    operands: 'urls',
    special: 'download',
    values: '-x -s -j -k',
    options: { '-d|--dir': { value: 'write' }, '-o|--out': { value: 'write' }, '-i': { value: 'read' } },
  },
  ...rows('yt-dlp youtube-dl gallery-dl', {
    effect: 'fetch',
    operands: 'urls',
    values: '-f --format',
    options: { '-o|--output|-P|--paths|-d|--dest|-D|--directory': { value: 'write' } },
  }),
  sshpass: {
    effect: 'run_unknown',
    special: 'wrapped',
    stopAtOperand: true,
    values: '-P',
    options: { '-p': { value: 'secret' }, '-f': { value: 'handed' }, '-d': { value: 'ignored' }, '-e|-v': {} },
  },
  ssh: {
    effect: 'run_unknown',
    special: 'ssh',
    stopAtOperand: true,
    values: '-b -c -D -E -e -F -i -I -J -L -m -O -o -p -Q -R -S -W -w -B',
    options: { '-l': { value: 'ignored' }, '-A|-a|-C|-f|-G|-g|-K|-k|-M|-N|-n|-q|-s|-T|-t|-V|-v|-X|-x|-Y|-y|-4|-6': {} },
  },
  ...rows('pssh parallel-ssh pdsh clush dsh mussh', { effect: 'run_opaque', operands: 'residue', scope: 'remote' }),
  ...rows('mosh autossh', {
    effect: 'run_unknown',
    special: 'ssh',
    stopAtOperand: true,
    values: '-M -L -R -D -p -i -o',
  }),
  scp: {
    effect: 'send',
    special: 'copy-remote',
    values: '-c -F -i -J -l -o -P -S -D -X',
    options: { '-r|-R|-p|-q|-C|-B|-v|-3|-T|-O': {} },
  },
  rsync: {
    effect: 'send',
    special: 'copy-remote',
    values:
      '--exclude --include --exclude-from --include-from --files-from --bwlimit --port --timeout --filter -f --max-size --min-size --chmod --chown --out-format --partial-dir --backup-dir --suffix --compare-dest --link-dest --temp-dir -T --log-file --info --rsync-path --password-file --block-size -B',
    options: {
      '-e|--rsh': { value: 'ignored' },
      '-n|--dry-run': { flags: ['dry_run'] },
      '--delete|--delete-after|--delete-before|--delete-during|--delete-delay|--delete-excluded|--del': {
        flags: ['delete'],
      },
      '--remove-source-files': { flags: ['delete_source'] },
    },
  },
  rclone: {
    effect: 'send',
    special: 'copy-remote',
    operands: 'residue',
    options: { '-n|--dry-run': { flags: ['dry_run'] } },
    subcommands: {
      'ls|lsl|lsd|lsf|lsjson|size|check|listremotes|about|version|cat|tree|cryptcheck|ncdu|md5sum|sha1sum|hashsum': {
        effect: 'fetch',
        operands: 'residue',
      },
      'copy|copyto|sync|move|moveto|bisync|rcat|copyurl': { effect: 'send', special: 'copy-remote' },
      'delete|purge|deletefile|rmdir|rmdirs|cleanup|dedupe': { effect: 'infra_destroy', operands: 'residue' },
      config: {
        effect: 'identity_change',
        operands: 'residue',
        subcommands: { 'show|dump': { effect: 'read_credential', operands: 'none' } },
      },
      'mount|serve': { effect: 'share', operands: 'residue' },
      link: { effect: 'share', operands: 'residue' },
      mkdir: { effect: 'send', operands: 'residue' },
    },
  },
  ...rows('sftp ftp lftp tftp smbclient ncftp', {
    effect: 'send',
    operation: 'transfer',
    special: 'remote-session',
    values: '-P -i -o -b -u -e -c -f',
  }),
  telnet: { effect: 'send', operation: 'connect', special: 'telnet' },
  ...rows('nc ncat netcat nc.openbsd nc.traditional', {
    effect: 'send',
    special: 'netcat',
    values: '-e -c --exec --sh-exec -p -s -w -i -q -x -X -O -I -T -V -m -g -G --proxy',
  }),
  socat: { effect: 'send', special: 'socat' },
  ...rows(
    'dig nslookup host drill kdig doggo dog whois ping ping6 fping traceroute traceroute6 tracepath mtr nmap masscan arping resolvectl getent-hosts',
    LOOKUP,
  ),
  ...rows('nmap masscan zmap nikto sqlmap hydra gobuster ffuf dirb wfuzz', {
    effect: 'send',
    operation: 'scan',
    operands: 'name:host',
    flags: ['scan'],
  }),
  ...rows('tcpdump tshark wireshark dumpcap mitmproxy mitmdump bettercap ettercap', {
    effect: 'read_credential',
    operation: 'capture',
    operands: 'residue',
    scope: 'machine',
  }),
  ...rows(
    'ngrok localtunnel lt bore frpc frps chisel pagekite localxpose zrok sish gost revsocks ligolo tmate sshx upterm ttyd gotty gs-netcat gsocket wstunnel rathole inlets inletsctl iodine dnscat2 dnscat playit pinggy tunnelmole teleconsole wetty shellinabox shellinaboxd reptyr-net pwncat evil-winrm sliver-client msfconsole msfvenom x11vnc vncserver tigervncserver x0vncserver wayvnc krfb vino-server xrdp novnc_proxy rustdesk anydesk teamviewer',
    TUNNEL,
  ),
  // Whoever it lets in works as its user.
  ...rows('sshd dropbear tinysshd in.telnetd telnetd rlogind vsftpd', {
    effect: 'system_change',
    operation: 'serve',
    operands: 'residue',
    options: { '-t|-T|-G': { effect: 'read', operation: 'check' } },
  }),
  ...rows('wormhole magic-wormhole wormhole-william croc ffsend gdrive transferwee', {
    effect: 'fetch',
    operands: 'residue',
    values: '--code --code-length --relay-url --relay --port --name -d --downloads',
    subcommands: {
      'send|upload|files|push': { effect: 'send', special: 'hands-out' },
      '*': { effect: 'fetch', operands: 'residue' },
    },
  }),
  ipfs: {
    effect: 'fetch',
    operands: 'residue',
    subcommands: {
      add: { effect: 'publish', special: 'hands-out' },
      'daemon|name|pin|files|config|swarm': { effect: 'system_change', operands: 'residue' },
      '*': { effect: 'fetch', operands: 'residue' },
    },
  },
  devtunnel: {
    effect: 'fetch',
    operands: 'residue',
    subcommands: {
      'host|create|access|port': TUNNEL,
      'list|show|user|help': { effect: 'fetch', operands: 'none' },
      '*': TUNNEL,
    },
  },
  cloudflared: {
    effect: 'unknown',
    subcommands: {
      tunnel: TUNNEL,
      access: { effect: 'fetch', operands: 'residue' },
      'version|update': { effect: 'none', operands: 'none' },
    },
  },
  tailscale: {
    effect: 'system_change',
    subcommands: {
      'status|ip|ping|netcheck|version|whois|metrics': { effect: 'read', operands: 'none', metadata: true },
      'funnel|serve': TUNNEL,
      'up|down|login|logout|set|switch': { effect: 'system_change', operands: 'residue' },
      ssh: { effect: 'run_unknown', special: 'ssh', stopAtOperand: true },
      file: { effect: 'send', operands: 'residue' },
    },
  },
  ...rows('mail mailx sendmail mutt neomutt msmtp ssmtp swaks s-nail', {
    effect: 'message',
    operation: 'send',
    special: 'mail',
    values: '-s -a -r -c -b -S -A -f -t --to --from --server',
  }),
  ...rows('slack slackcat notify-slack telegram-send signal-cli discord-cli ntfy apprise', {
    effect: 'message',
    operation: 'send',
    operands: 'residue',
  }),
  ...rows('notify-send terminal-notifier say wall write', { effect: 'none', operands: 'none' }),
  'ssh-copy-id': { effect: 'identity_change', operation: 'authorise', operands: 'name:host' },
  'ssh-keyscan': { effect: 'fetch', operands: 'name:host' },
  ...rows('grpcurl websocat wscat evans', {
    effect: 'send',
    operands: 'residue',
    special: 'dial',
    values: '-import-path -proto -protoset -max-time -H -rpc-header -reflect-header -c --connect',
    options: { '-d': { value: 'ignored' } },
  }),
};
