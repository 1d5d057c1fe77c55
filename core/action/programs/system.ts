// The machine: services, users, disks, network, power, schedulers, records.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true, scope: 'machine' };
const CHANGE: Rule = { effect: 'system_change', operands: 'residue' };
const IDENTITY: Rule = { effect: 'identity_change', operands: 'name:user', scope: 'system' };
const GUARD: Rule = { effect: 'security_disable', operands: 'residue' };
const DISK: Rule = {
  effect: 'disk_destroy',
  operands: 'files',
  options: { '-l|--list|-p|--print': { effect: 'read' }, '-n|--no-act|--dry-run': { flags: ['dry_run'] } },
};

export const SYSTEM: Programs = {
  systemctl: {
    effect: 'system_change',
    special: 'service',
    values: '-H --host -M --machine -t --type -p --property -n --lines -o --output --state -s --signal --job-mode',
    options: { '--user': { flags: ['user'] } },
    subcommands: {
      'status|is-active|is-enabled|is-failed|list-units|list-unit-files|list-timers|list-sockets|list-dependencies|list-jobs|list-machines|show|cat|help|get-default|show-environment|is-system-running':
        READ,
      'start|stop|restart|reload|try-restart|reload-or-restart|kill|isolate|enable|disable|mask|unmask|reenable|preset|link|edit|revert|set-property|daemon-reload|daemon-reexec|reset-failed|set-default|set-environment|unset-environment|import-environment|freeze|thaw|clean|add-wants|add-requires':
        { effect: 'system_change', special: 'service' },
      'reboot|poweroff|halt|suspend|hibernate|kexec|rescue|emergency|default|hybrid-sleep|soft-reboot': {
        effect: 'system_change',
        operation: 'power',
        flags: ['power'],
      },
    },
  },
  ...rows('service rc-service invoke-rc.d initctl sv supervisorctl pm2 launchctl', {
    effect: 'system_change',
    special: 'service',
  }),
  ...rows('rc-update update-rc.d chkconfig', { effect: 'schedule', operands: 'residue', scope: 'system' }),
  ...rows('shutdown reboot halt poweroff init telinit', {
    effect: 'system_change',
    operation: 'power',
    operands: 'residue',
    flags: ['power'],
    options: { '-c': { operation: 'cancel' } },
  }),
  crontab: {
    effect: 'schedule',
    operation: 'crontab',
    special: 'crontab',
    scope: 'home',
    values: '-u',
    options: { '-l': {}, '-r': {}, '-e': {}, '-i': {} },
  },
  ...rows('at batch', { effect: 'schedule', operation: 'at', special: 'at', scope: 'home', values: '-f -q -t' }),
  ...rows('atq', READ),
  atrm: { effect: 'schedule', operation: 'remove', operands: 'residue', scope: 'home' },
  ...rows('systemd-run', {
    effect: 'schedule',
    operands: 'residue',
    special: 'wrapped',
    stopAtOperand: true,
    values:
      '-u --unit -p --property --on-calendar --on-active -M -H --slice --description --uid --gid --working-directory',
  }),
  schtasks: { effect: 'schedule', operands: 'residue' },
  ...rows('iptables ip6tables nft ufw firewall-cmd pfctl ipfw netsh iptables-restore ebtables', {
    effect: 'system_change',
    special: 'firewall',
  }),
  ...rows('iptables-save', READ),
  ...rows(
    'useradd adduser usermod userdel deluser groupadd groupmod groupdel addgroup delgroup gpasswd passwd chpasswd chsh chfn newusers visudo vipw chage pwconv dscl sysadminctl newgrp su-setup realm authconfig authselect pam-auth-update',
    {
      ...IDENTITY,
      values: '-s --shell -d --home -u --uid -g --gid -G --groups -c --comment -e -f -k -M -P',
      options: { '-p|--password': { value: 'secret' } },
    },
  ),
  su: {
    effect: 'identity_change',
    special: 'su',
    values: '-s --shell -g -G',
    options: { '-c|--command': { value: 'ignored' }, '-l|--login|-|-m|-p': {} },
  },
  ...rows('sudo doas pkexec', {
    effect: 'identity_change',
    operation: 'elevate',
    operands: 'none',
    flags: ['via_sudo'],
    options: { '-l|--list|-v|--validate|-k|-K|-V|--version': { effect: 'read', operation: 'list' } },
  }),
  kill: { effect: 'process_own', special: 'kill' },
  ...rows('pkill killall skill', {
    effect: 'process_own',
    special: 'kill-name',
    values: '-u -U -g -G -P -s -t -o --signal --user --uid',
    options: { '-f|--full|-x|--exact|-i|-n|-v|-e|-q|-w': {} },
  }),
  ...rows('killall5 xkill', { effect: 'process_many', operands: 'none' }),
  ...rows('renice', { effect: 'process_own', operands: 'residue' }),
  fuser: {
    effect: 'read',
    metadata: true,
    operands: 'residue',
    scope: 'machine',
    values: '-n -s',
    special: 'holders-kill',
    options: { '-k|--kill': { effect: 'process_own', operation: 'kill' } },
  },
  ...rows(
    'mkfs mke2fs mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.fat mkfs.ntfs mkfs.f2fs mkfs.exfat mkswap wipefs blkdiscard sgdisk sfdisk fdisk gdisk cfdisk parted partprobe-write hdparm nvme mdadm cryptsetup lvremove vgremove pvremove lvreduce zpool zfs btrfs badblocks format diskpart newfs hdiutil-erase',
    { ...DISK, special: 'disk', values: '-t -L -U -b -N -O -E' },
  ),
  ...rows('pvs vgs lvs pvdisplay vgdisplay lvdisplay', READ),
  diskutil: {
    effect: 'disk_destroy',
    operands: 'residue',
    subcommands: {
      'list|info|activity|listFilesystems': READ,
      'mount|unmount|mountDisk|unmountDisk|eject|verifyVolume|repairVolume|rename': CHANGE,
      '*': { effect: 'disk_destroy', operands: 'residue' },
    },
  },
  ...rows('mount', { effect: 'system_change', special: 'mount', values: '-t -o -L -U' }),
  ...rows(
    'umount losetup swapon swapoff fsck e2fsck resize2fs xfs_growfs tune2fs partprobe kpartx lvcreate lvextend vgcreate pvcreate mount.nfs sshfs fusermount exportfs',
    CHANGE,
  ),
  ...rows(
    'modprobe insmod rmmod depmod kexec grub-install update-grub grub2-mkconfig efibootmgr bootctl dracut mkinitcpio update-initramfs ldconfig systemd-tmpfiles localectl loginctl machinectl update-ca-certificates trust nvram bless pmset systemsetup scutil networksetup defaults tzdata-config hwclock chronyc ntpdate ldconfig kextload kextunload',
    CHANGE,
  ),
  ...rows('hostnamectl timedatectl localectl loginctl networkctl nmcli bootctl', {
    effect: 'system_change',
    special: 'status-or-change',
    operands: 'residue',
  }),
  defaults: {
    effect: 'system_change',
    operands: 'residue',
    subcommands: {
      'read|domains|find|read-type|export': READ,
      '*': { effect: 'write', operands: 'residue', scope: 'home', special: 'defaults' },
    },
  },
  sysctl: {
    effect: 'read',
    special: 'sysctl',
    operands: 'none',
    metadata: true,
    options: { '-w|--write|-p|--load|--system': { effect: 'system_change', operation: 'set' } },
  },
  ...rows('ip ifconfig route arp tc brctl bridge ethtool iwconfig iw wg wg-quick openvpn', {
    effect: 'system_change',
    special: 'status-or-change',
    operands: 'residue',
  }),
  ...rows(
    'setenforce apparmor_parser aa-disable aa-teardown aa-complain csrutil spctl fdesetup tccutil auditctl auditd-stop aureport-clear faillock-reset setsebool semanage',
    { ...GUARD, special: 'guard' },
  ),
  ...rows('getenforce sestatus aa-status ausearch aureport semodule-list', READ),
  ...rows('journalctl', {
    effect: 'read',
    operands: 'none',
    metadata: true,
    scope: 'machine',
    values: '-u -n -p -S -U -t -o --since --until --unit --identifier --boot -b -g',
    options: {
      '--vacuum-size|--vacuum-time|--vacuum-files': {
        effect: 'security_disable',
        operation: 'vacuum',
        value: 'ignored',
      },
      '--rotate': { operation: 'rotate' },
      '--flush': {},
    },
  }),
  logrotate: { effect: 'system_change', operands: 'files', options: { '-d|--debug': { flags: ['dry_run'] } } },
  wevtutil: {
    effect: 'security_disable',
    operands: 'residue',
    subcommands: { 'qe|el|gl|query-events|enum-logs': READ, '*': GUARD },
  },
  ...rows('last-clear utmpdump', READ),
  ...rows('tmutil vssadmin wbadmin', { effect: 'security_disable', special: 'backup-tool' }),
  ...rows('restic borg duplicity rdiff-backup bacula timeshift snapper', { effect: 'send', special: 'backup-tool' }),
  ...rows('xclip xsel pbcopy wl-copy clip', { effect: 'none', operands: 'none', special: 'clipboard' }),
  ...rows('pbpaste wl-paste', { effect: 'read', operands: 'none', metadata: true, scope: 'machine' }),
  ...rows('screencapture scrot import gnome-screenshot grim maim ffplay', {
    effect: 'read',
    operation: 'screenshot',
    operands: 'none',
    scope: 'machine',
  }),
  ...rows('xdotool ydotool cliclick wmctrl xinput', { effect: 'run_unknown', operands: 'residue', scope: 'machine' }),
  ...rows(
    'bcdedit reg regedit sc net wmic cipher takeown icacls bitsadmin certutil rundll32 regsvr32 mshta installutil odbcconf regasm regsvcs cmstp',
    {
      effect: 'system_change',
      special: 'windows',
      operands: 'residue',
    },
  ),
  ...rows('cscript wscript hh', { effect: 'run_unknown', special: 'windows', operands: 'residue' }),
  ...rows('powershell pwsh cmd', { effect: 'run_opaque', special: 'windows', operands: 'residue' }),
};
