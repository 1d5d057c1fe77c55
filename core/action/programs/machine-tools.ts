// What watches and measures a machine, web servers and their settings, and macOS' own programs.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true, scope: 'machine' };
const FILES: Rule = { effect: 'read', operands: 'files' };
const CHANGE: Rule = { effect: 'system_change', operands: 'residue' };
const GUARD: Rule = { effect: 'security_disable', operands: 'residue' };
/** Tests and shows its settings, or runs as a server of one's own, or is told to change. */
const server = (reads: string, changes: string): Rule => ({
  effect: 'process_own',
  operands: 'residue',
  values: '-f -c --config -p -s --adapter',
  options: {
    [reads]: { effect: 'read', operation: 'check' },
    ...(changes !== '' && { [changes]: { effect: 'system_change' } }),
  },
});

export const MACHINE_TOOLS: Programs = {
  ...rows(
    'btop atop glances nmon iotop iftop nethogs bmon dstat collectl pidstat tload slabtop powertop turbostat s-tui nvtop radeontop intel_gpu_top lshw dmidecode inxi neofetch fastfetch screenfetch hwinfo lsmem lsirq lslogins numactl cpuid acpi upower systemd-analyze systemd-cgls systemd-cgtop systemd-detect-virt systemd-path coredumpctl lastb ac smartctl iwlist getcap getpcaps needrestart checkrestart debsecan pcp pmstat vmtouch biosdecode fc-list fc-match xrandr xdpyinfo glxinfo vulkaninfo lpstat lpq busctl udevadm sos ec2-metadata dpkg-architecture',
    READ,
  ),
  ...rows('perf bpftrace truss dtruss dtrace opensnoop execsnoop fs_usage sample spindump', {
    effect: 'process_own',
    operands: 'residue',
    operation: 'trace',
  }),
  perf: {
    effect: 'build',
    operands: 'residue',
    subcommands: {
      'report|annotate|script|list|diff|evlist|buildid-list|version|help': READ,
      '*': { effect: 'build', operands: 'residue' },
    },
  },
  ...rows(
    'fstrim growpart dmsetup lvresize vgextend vgrename lvrename vgchange lvchange pvresize pvmove mkinitramfs locale-gen update-locale systemd-sysusers sysupgrade',
    CHANGE,
  ),
  ...rows('rsnapshot kopia bup duplicati autorestic resticprofile borgmatic', {
    effect: 'send',
    special: 'backup-tool',
  }),
  ...rows('anacron fcron fcrontab', { effect: 'schedule', operands: 'residue', scope: 'system' }),
  ...rows('firejail bwrap systemd-nspawn capsh flatpak-spawn', {
    effect: 'run_unknown',
    special: 'wrapped',
    stopAtOperand: true,
    values: '-D -M --directory --machine --user',
  }),
  shx: { effect: 'run_unknown', special: 'wrapped', stopAtOperand: true },
  ...rows('direnv devenv devbox flox', {
    effect: 'build',
    operands: 'residue',
    subcommands: {
      'status|version|help|list|info|search|show_dump|export|hook|print-dev-env': READ,
      // Lets a file of the folder run whenever the folder is entered.
      'allow|permit|grant': { effect: 'schedule', operands: 'files', scope: 'home' },
      exec: { effect: 'build', special: 'wrapped', stopAtOperand: true },
      '*': { effect: 'build', operands: 'residue' },
    },
  }),
  ...rows(
    'home-manager nix-collect-garbage xbps-install xbps-remove emerge pkg_add pkg_delete eopkg swupd nala tlmgr',
    {
      effect: 'install_system',
      operands: 'residue',
      subcommands: {
        'list|search|info|show|packages|generations|news|option|history|check': READ,
        '*': { effect: 'install_system', operands: 'residue' },
      },
    },
  ),
  ...rows('iperf iperf3 speedtest speedtest-cli fast', { effect: 'fetch', operands: 'residue', operation: 'measure' }),
  'zerotier-cli': {
    effect: 'system_change',
    operands: 'residue',
    subcommands: { 'info|status|listnetworks|listpeers|peers': READ, '*': CHANGE },
  },
  logger: { effect: 'write', operation: 'log', operands: 'residue', scope: 'machine' },
  mesg: { effect: 'none', operands: 'none' },

  // Web servers.
  nginx: server('-t|-T|-v|-V|-h', '-s'),
  ...rows('apachectl apache2ctl httpd apache2', {
    effect: 'system_change',
    operands: 'residue',
    subcommands: {
      'configtest|status|fullstatus|help': READ,
      'start|stop|restart|graceful|graceful-stop': CHANGE,
    },
    options: { '-t|-S|-M|-l|-L|-v|-V': { effect: 'read', operation: 'check' } },
  }),
  ...rows('a2ensite a2dissite a2enmod a2dismod a2enconf a2disconf lighty-enable-mod phpenmod phpdismod', CHANGE),
  a2query: READ,
  haproxy: server('-vv|-v|-c', ''),
  ...rows('traefik envoy squid varnishd php-fpm uwsgi lighttpd', server('-t|-v|-k|--version|--mode', '')),
  caddy: {
    effect: 'process_own',
    operands: 'residue',
    subcommands: {
      'validate|adapt|fmt|list-modules|version|environ|help|build-info|hash-password': READ,
      'reload|stop|trust|untrust|add-package|remove-package|upgrade': CHANGE,
      '*': { effect: 'process_own', operands: 'residue' },
    },
  },
  ...rows('varnishadm varnishreload monit', {
    effect: 'system_change',
    operands: 'residue',
    subcommands: {
      'status|summary|vcl.list|backend.list|ban.list|param.show|report|procmatch|validate': READ,
      '*': CHANGE,
    },
  }),
  'fail2ban-client': {
    effect: 'system_change',
    operands: 'residue',
    subcommands: {
      'status|ping|version|get|banned|-d|-t': READ,
      'stop|unban': GUARD,
      '*': CHANGE,
    },
  },
  ...rows('aide tripwire rkhunter chkrootkit lynis clamscan clamdscan freshclam maldet unhide debsums', {
    effect: 'build',
    operands: 'none',
    operation: 'scan',
  }),
  ...rows('restorecon fixfiles aa-enforce', CHANGE),
  certbot: {
    effect: 'system_change',
    operands: 'residue',
    values: '-d --domain --domains -m --email --webroot-path -w --cert-name --deploy-hook',
    options: { '--dry-run|--test-cert': { flags: ['dry_run'] } },
    subcommands: {
      'certificates|show_account|plugins': READ,
      'revoke|delete|unregister': { effect: 'identity_change', operands: 'residue' },
      '*': CHANGE,
    },
  },
  ...rows('acme.sh lego dehydrated', { effect: 'identity_change', operands: 'residue' }),

  // macOS.
  ...rows(
    'mdfind mdls vm_stat system_profiler ioreg qlmanage dscacheutil lsregister GetFileInfo kextstat networkQuality airport nettop leaks heap vmmap malloc_history footprint stringdups',
    READ,
  ),
  ...rows('mdutil', {
    effect: 'system_change',
    operands: 'residue',
    options: { '-s|-L|-P': { effect: 'read', operation: 'status' } },
  }),
  dscacheutil: { ...READ, options: { '-flushcache': { effect: 'system_change' } }, longSingleDash: true },
  ...rows('afplay afinfo', { effect: 'read', operands: 'files' }),
  sips: {
    effect: 'write',
    operation: 'image',
    operands: 'files',
    values: '-s --setProperty -z -Z --resampleHeightWidthMax -c --cropToHeightWidth -r -f',
    options: { '-g|--getProperty': { effect: 'read', value: 'ignored' }, '-o|--out': { value: 'target-file' } },
  },
  textutil: {
    effect: 'build',
    operands: 'files',
    longSingleDash: true,
    options: { '-info|-cat': {}, '-stdout': { effect: 'read' } },
  },
  ditto: {
    effect: 'write',
    operation: 'copy',
    operands: 'source-dest',
    options: { '-c|-k|-x|-V|-v|--rsrc|--sequesterRsrc|--keepParent|--noextattr': {} },
  },
  hdiutil: {
    effect: 'system_change',
    operands: 'residue',
    subcommands: {
      'info|imageinfo|isencrypted|verify|checksum|help|plugins|burn-list|pmap': READ,
      'create|convert|makehybrid|compact|resize|segment': { effect: 'write', operands: 'residue', scope: 'workspace' },
      'attach|detach|mount|unmount|eject|mountvol': CHANGE,
      erasekeys: { effect: 'disk_destroy', operands: 'files' },
    },
  },
  ...rows('softwareupdate installer asr', {
    effect: 'install_system',
    operands: 'residue',
    longSingleDash: true,
    options: { '-l|--list|--history|-pkginfo|-dominfo|-volinfo|-query': { effect: 'read', operation: 'list' } },
  }),
  mas: {
    effect: 'install_system',
    operands: 'residue',
    subcommands: {
      'list|search|info|outdated|account|version|help|home|vendor|open|config': READ,
      '*': { effect: 'install_system', operands: 'residue' },
    },
  },
  pkgutil: {
    effect: 'read',
    operands: 'residue',
    options: { '--forget': { effect: 'system_change' }, '--expand|--expand-full|--flatten': { effect: 'write' } },
  },
  ...rows('dseditgroup createhomedir', {
    effect: 'identity_change',
    operands: 'residue',
    options: { '-o': { value: 'content' } },
  }),
  profiles: {
    effect: 'security_disable',
    operands: 'residue',
    subcommands: {
      'list|show|status|validate|version|help': READ,
      'remove|delete': GUARD,
      '*': CHANGE,
    },
    options: { '-P|-L|-l|-C|-H|-e': { effect: 'read', operation: 'list' } },
  },
  ...rows('afscexpand tccplus', GUARD),
  // What watches the machine, by its own control.
  ...rows('sentinelctl falconctl mdatp osqueryctl wazuh-control ossec-control sophosctl cbctl esctl', {
    ...GUARD,
    subcommands: { 'status|version|health|info|list|get|stats|ping|help|definitions': READ, '*': GUARD },
  }),
  ...rows('duti dockutil m1ddc yabai skhd', { effect: 'write', operands: 'residue', scope: 'home' }),

  // Editors with a window, which open a file, and the whole machine to whoever signs in.
  ...rows('code code-insiders cursor codium windsurf', {
    effect: 'run_unknown',
    operation: 'open',
    options: {
      '--install-extension': { effect: 'install_system', operation: 'install', value: 'name:extension' },
      '--uninstall-extension': { value: 'name:extension' },
      '--add-mcp': { effect: 'schedule', operation: 'add server', value: 'content' },
      '--list-extensions|--status|--version|-v': { effect: 'read', operation: 'list' },
    },
    subcommands: {
      'tunnel|serve-web': { effect: 'remote_shell', operation: 'tunnel', operands: 'residue', flags: ['tunnel'] },
      '*': { effect: 'run_unknown', operation: 'open', operands: 'files' },
    },
  }),

  // Filters and readers that are no part of the base system.
  ...rows('hexyl dust duf b3sum md5 zstdcat lz4cat brotlicat zipinfo lsix bingrep lnav angle-grinder', FILES),
};
