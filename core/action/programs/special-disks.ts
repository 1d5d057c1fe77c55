// Disks, volumes and backups: what only looks, what changes one volume, and what takes a whole disk.

import type { Effect } from '../types.ts';
import { emit, has, residueOf, SILENT, type Special, target } from './call.ts';

const DISK_READS =
  /^(?:-l|--list|-p|--print|list|ls|status|show|print|info|luksDump|get|history|events|filesystem|--examine|--detail|-D|-I|-i|id-ctrl|smart-log|--dump|-d|version|isLuks)$/;
const DISK_SOFT =
  /^(?:create|import|export|set|mount|unmount|umount|snapshot|scrub|open|luksOpen|close|luksClose|replace|online|offline|attach|add|send|clone|share|resize|balance|subvolume|check)$/;

const disk: Special = (call) => {
  const words = call.args.map((arg) => arg.text);
  const subject = /^(?:zpool|zfs|btrfs|cryptsetup|mdadm|nvme|parted|sfdisk|sgdisk|fdisk|gdisk|hdparm)$/.test(call.tool);
  if (
    subject &&
    words.some((word) => DISK_READS.test(word)) &&
    !words.some((word) =>
      /^(?:destroy|mklabel|mkpart|rm|luksFormat|erase|format|--zap-all|-Z|-o|-z|--zero-superblock|--security-erase|sanitize)$/.test(
        word,
      ),
    )
  ) {
    emit(call, { effect: 'read', operation: 'list', metadata: true, scope: 'machine' });
    return { origins: ['file'] };
  }
  const soft =
    subject &&
    words.some((word) => DISK_SOFT.test(word)) &&
    !words.some((word) => /^(?:destroy|luksFormat|delete|rollback|labelclear)$/.test(word));
  const devices = call.given.operands.filter((word) => word.text.startsWith('/') || !subject);
  const image = devices.length > 0 && devices.every((word) => !word.text.startsWith('/dev/') && word.known);
  // One volume of a disk with others on it; the disk stays.
  const volume =
    call.tool === 'lvremove' ||
    (/^(?:zfs|btrfs)$/.test(call.tool) && words.some((word) => /^(?:destroy|rollback|delete)$/.test(word)));
  const effect: Effect = volume
    ? 'infra_destroy'
    : soft
      ? 'system_change'
      : image && /^(?:mkfs|mkswap|mke2fs)/.test(call.tool)
        ? 'overwrite'
        : 'disk_destroy';
  emit(call, {
    effect,
    operation: call.tool.slice(0, 32),
    targets: devices.map((word) => target(call, word)),
    residue: [words.join('\0')],
    scope: effect === 'overwrite' ? undefined : 'system',
    ...(volume && { flags: ['destructive'] }),
  });
  return SILENT;
};

const backup: Special = (call) => {
  const words = call.given.operands.map((word) => word.text);
  const removes =
    words.some((word) =>
      /^(?:delete|deletelocalsnapshots|forget|prune|remove|purge|thinlocalsnapshots|destroy|resize|rm|--delete|--delete-all)$/.test(
        word,
      ),
    ) ||
    has(call, '--delete') ||
    has(call, '--delete-all');
  const reads = words.some((word) =>
    /^(?:list|listbackups|latestbackup|listlocalsnapshots|status|snapshots|info|check|ls|stats|diff|find|cat|key-list|version|compare|destinationinfo|uniquesize)$/.test(
      word,
    ),
  );
  const system = /^(?:tmutil|vssadmin|wbadmin)$/.test(call.tool);
  // Single backups of tmutil; the copies that Windows would go back to, all at once.
  const stops = words.some((word) => /^(?:disable|removedestination|disablelocal)$/.test(word));
  const effect: Effect = stops
    ? 'security_disable'
    : removes
      ? system && call.tool !== 'tmutil'
        ? 'security_disable'
        : 'infra_destroy'
      : reads
        ? 'read'
        : words.some((word) => /^(?:restore|mount|extract|recover|rollback|undochange)$/.test(word))
          ? 'overwrite'
          : system
            ? 'system_change'
            : 'send';
  emit(call, {
    effect,
    operation: (words[0] ?? call.tool).slice(0, 32),
    flags: removes ? ['backup', 'destructive'] : ['backup'],
    residue: effect === 'read' ? [] : residueOf(call, call.given.operands),
    metadata: reads,
  });
  return SILENT;
};

export const DISK_SPECIALS: { readonly [name: string]: Special } = { disk, 'backup-tool': backup };
