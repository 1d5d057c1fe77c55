// The canonical action: what a raw proposal comes down to, whatever surface it came by.
// The fingerprint is SHA-256 over the RFC 8785 form of `CanonicalAction`.

import type { PartExternality, Reversibility } from '../externality.ts';

/**
 * What a part does to the world. A closed list: the policy pack has one row for each.
 * What no table knows is `unknown`, what cannot be resolved is `run_opaque`; neither is benign.
 */
export const EFFECTS = [
  'none', // echo, true, help, version, dry run
  'read',
  'read_credential', // private keys, credential files, cloud metadata
  'write', // creates or changes a file, can be undone
  'overwrite', // truncates or moves over a named file
  'delete', // removes a named file
  'delete_many', // recursive or globbed removal
  'build', // build, test, lint, the project's own scripts
  'run_unknown', // a program no table knows, with plain arguments
  'run_opaque', // code that cannot be seen: eval of the unknown, generated or decoded
  'download_execute', // downloaded code run unseen
  'fetch', // reads over the network
  'send', // payload leaves, or a remote system changes
  'message', // mail, chat, comment, ticket
  'publish', // persistent and public
  'share', // makes something readable to others
  'vcs_local', // commit, branch, tag, stash push
  'vcs_push',
  'vcs_force_push',
  'history_rewrite',
  'discard_work', // uncommitted work, stashes, unpushed branches
  'install_local',
  'install_system',
  'system_change', // system files, services, mounts, kernel
  'identity_change', // users, roles, access, keys
  'permission_change', // chmod, chown
  'process_own', // one's own processes
  'process_many', // other users' or many processes
  'schedule', // anything that runs later: cron, hooks, profiles, CI definitions
  'infra_change',
  'infra_destroy',
  'database_change',
  'database_destroy',
  'payment',
  'secret_fetch', // a secret taken from its store for use
  'disk_destroy', // a disk, a home, the system, a whole cluster
  'flood', // fork bombs, floods
  'remote_shell', // reverse shells, tunnels that open the machine
  'security_disable', // a control, audit or history weakened or destroyed
  'self_governance', // the agent's own hooks, rules, instructions, or Beacon
  'delegate', // another agent
  'prompt',
  'output',
  'unknown',
] as const;
export type Effect = (typeof EFFECTS)[number];

/** Where the targets lie. */
export type Scope = 'workspace' | 'temporary' | 'home' | 'system' | 'machine' | 'remote' | 'none' | 'unknown';

/** One simple command, call, file or request inside a proposal. */
export type ActionPart = {
  /** Verb in the tool's own terms: `push`, `delete`, `apply`, `POST`. At most 64 characters. */
  readonly operation: string;
  readonly effect: Effect;
  /** What acts (git, rm, stripe), not the surface it came by. At most 128 characters. */
  readonly tool: string;
  /** Canonical targets such as `file:/w/a.txt`, `branch:origin/main`, `url:https://…`; at most 64, no secrets. */
  readonly targets: readonly string[];
  /** Systems touched: `filesystem`, `github.com`, `kubernetes`. */
  readonly systems: readonly string[];
  readonly scope: Scope;
  readonly reversible: Reversibility;
  readonly externality: PartExternality;
  /** Facts rules may look at: `recursive`, `force`, `glob`, `regenerable`, `protected_branch`, `dry_run`, `root_target`, … */
  readonly flags: readonly string[];
  /** SHA-256 (hex) of contents that matter but are not kept. */
  readonly digests: readonly string[];
};

/** A proposal of several parts is one compound action; every part is judged, the strictest wins. */
export type CanonicalAction = {
  readonly parts: readonly ActionPart[];
};

/** A secret or personal datum found in the proposal; the datum itself is replaced wherever text is kept. */
export type Finding = {
  readonly kind: string;
  readonly class: 'secret' | 'pii' | 'injection';
  /** Dotted path in the proposal. */
  readonly where: string;
  readonly confidence: 'low' | 'medium' | 'high';
  /** HMAC-SHA-256 under the tenant's key, hex. */
  readonly digest: string;
};

/** What an adapter told about where the action would run; asserted by the caller. */
export type ActionContext = {
  readonly cwd?: string;
  readonly workspace?: string;
  readonly attended?: boolean;
  readonly git?: {
    readonly branch?: string;
    readonly head?: string;
    readonly dirty?: boolean;
    readonly tracked?: readonly string[];
    /** Files that are there and that git does not hold: given, what is in neither list does not exist. */
    readonly untracked?: readonly string[];
    /** What the index holds over HEAD: a commit takes it in. */
    readonly staged?: { readonly files?: number; readonly lines?: number; readonly bytes?: number };
  };
  readonly [other: string]: unknown;
};
