// What of a file of services makes a container the host: the same as the mounts and switches of `docker run`.

/** Folders and sockets of a host by which whoever has them has the host. */
const HOST = String.raw`(?:\/|\/(?:etc|root|home|var|proc|sys|dev|boot|usr|lib|run)\/?|~\/?|\$\{?HOME\}?\/?|[^\s"',:]{0,200}\/(?:docker|containerd|podman|crio)\.sock)`;
const MAX_TEXT = 64 * 1024;
const GRANTS: readonly RegExp[] = [
  /^[ \t-]{0,80}["']?privileged["']?\s{0,8}:\s{0,8}["']?(?:true|yes|on)\b/gim,
  /(?:^|[{,])[ \t]{0,80}["']?(?:pid|ipc|uts|userns_mode)["']?\s{0,8}:\s{0,8}["']?host\b/gim,
  new RegExp(String.raw`(?:^[ \t]{0,80}-[ \t]{1,8}|[[,][ \t]{0,8})["']?${HOST}:\/[^\s"',\]]{0,200}`, 'gm'),
  new RegExp(String.raw`^[ \t-]{0,80}source[ \t]{0,8}:[ \t]{0,8}["']?${HOST}["']?[ \t]{0,40}$`, 'gm'),
  /\bcap_add\s{0,8}:(?:(?!cap_drop)[\s\S]){0,120}?\b(?:ALL|SYS_ADMIN|SYS_MODULE|SYS_PTRACE)\b/g,
  /\b(?:apparmor|seccomp)\s{0,2}[:=]\s{0,2}unconfined\b/g,
];

/** The lines of it, as written. */
export function hostAccess(whole: string): string[] {
  const text = whole.slice(0, MAX_TEXT);
  return GRANTS.flatMap((grant) => [...text.matchAll(grant)].map(([line]) => line.trim()));
}
