// Places that mean more than a file: keys, hooks, profiles, schedulers, devices, logs, what can be made again. Data, and its lookup.
// Home folders are written `~`; the tables are looked up by name, so their size costs nothing.

import { placeKey, scopeOf, type Where } from './paths.ts';
import { tagsOfPattern } from './place-patterns.ts';
import type { Scope } from './types.ts';

export type Tag =
  | 'credential'
  | 'governance'
  | 'schedule'
  | 'identity'
  | 'audit'
  | 'device'
  | 'null_device'
  | 'socket_device'
  | 'control_socket'
  | 'kernel'
  /** Holds settings of a project, secrets among them. */
  | 'env_file'
  /** The like, as people check it in. */
  | 'dotenv'
  | 'regenerable'
  | 'backup'
  | 'root'
  | 'home'
  | 'system_root'
  | 'workspace_root'
  | 'git_dir';

export type Place = { readonly scope: Scope; readonly tags: readonly Tag[] };

type Table = { readonly [pattern: string]: Tag };

function table(rows: readonly (readonly [Tag, string])[]): Table {
  const out: { [pattern: string]: Tag } = Object.create(null);
  for (const [tag, names] of rows) for (const name of names.split(/\s+/)) out[name] = tag;
  return out;
}

/** One file. */
export const FILES: Table = table([
  [
    'identity',
    '~/.ssh/authorized_keys ~/.ssh/authorized_keys2 /etc/passwd /etc/group /etc/sudoers /etc/doas.conf /etc/ssh/sshd_config /etc/hosts.allow /etc/security/access.conf ~/.ssh/config',
  ],
  [
    'credential',
    '/etc/shadow /etc/gshadow /etc/shadow- /etc/master.passwd /etc/krb5.keytab /etc/ssl/private /etc/NetworkManager/system-connections',
  ],
  [
    'credential',
    '~/.netrc ~/_netrc ~/.pgpass ~/.my.cnf ~/.mylogin.cnf ~/.npmrc ~/.yarnrc.yml ~/.pypirc ~/.git-credentials ~/.config/git/credentials ~/.docker/config.json ~/.dockercfg ~/.kube/config',
  ],
  [
    'credential',
    '~/.aws/credentials ~/.boto ~/.s3cfg ~/.vault-token ~/.terraform.d/credentials.tfrc.json ~/.terraformrc ~/.cargo/credentials ~/.cargo/credentials.toml ~/.gem/credentials ~/.bundle/config ~/.m2/settings.xml ~/.gradle/gradle.properties ~/.config/gh/hosts.yml ~/.config/hub ~/.config/glab-cli/config.yml ~/.config/rclone/rclone.conf ~/.config/stripe/config.toml ~/.composer/auth.json ~/.config/composer/auth.json ~/.huggingface/token ~/.cache/huggingface/token ~/.kaggle/kaggle.json ~/.databrickscfg ~/.snowsql/config ~/.rediscli_auth ~/.config/doctl/config.yaml ~/.fly/config.yml ~/.netlify/config.json ~/.config/heroku ~/.wrangler/config/default.toml ~/.bitcoin/wallet.dat ~/.claude/.credentials.json ~/.codex/auth.json ~/.config/filezilla/sitemanager.xml ~/.purple/accounts.xml ~/.vault_pass ~/.vault_pass.txt ~/.ansible/vault_pass ~/.ansible/vault_pass.txt ~/.config/sops/age/keys.txt ~/.azure/accessTokens.json ~/.azure/msal_token_cache.json',
  ],
  [
    'credential',
    '/etc/mysql/debian.cnf /run/secrets /var/run/secrets /proc/self/environ /etc/kubernetes/admin.conf /etc/rancher/k3s/k3s.yaml /var/lib/kubelet/pki',
  ],
  [
    'schedule',
    '~/.bashrc ~/.bash_aliases ~/.zlogout ~/.aliases ~/.kshrc ~/.cshrc ~/.tcshrc ~/.login ~/.mkshrc ~/.Rprofile ~/.irbrc ~/.pryrc ~/.gdbinit ~/.lldbinit ~/.psqlrc ~/.pythonrc ~/.pdbrc ~/.emacs ~/.emacs.d/init.el ~/.config/nvim/init.lua ~/.config/nvim/init.vim ~/.wezterm.lua ~/.xsession ~/.xsessionrc ~/.config/direnv/direnvrc ~/.bash_profile ~/.bash_login ~/.bash_logout ~/.profile ~/.zshrc ~/.zprofile ~/.zshenv ~/.zlogin ~/.config/fish/config.fish ~/.inputrc ~/.xprofile ~/.xinitrc ~/.gitconfig ~/.config/git/config ~/.pam_environment ~/.vimrc ~/.tmux.conf',
  ],
  [
    'schedule',
    '/etc/crontab /etc/profile /etc/bash.bashrc /etc/zshenv /etc/zsh/zshrc /etc/rc.local /etc/environment /etc/ld.so.preload /etc/anacrontab',
  ],
  [
    'audit',
    '~/.bash_history ~/.zsh_history ~/.history ~/.python_history ~/.psql_history ~/.mysql_history ~/.node_repl_history ~/.sh_history ~/.local/share/fish/fish_history',
  ],
  ['governance', '/etc/codex /etc/claude-code ~/.claude.json ~/.claude/settings.json'],
  [
    'control_socket',
    '/var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /var/run/crio/crio.sock /run/podman/podman.sock',
  ],
  ['null_device', '/dev/null /dev/stdout /dev/stderr /dev/stdin /dev/tty /dev/zero /dev/random /dev/urandom /dev/full'],
  ['kernel', '/proc/sysrq-trigger /proc/kcore /dev/mem /dev/kmem /dev/port'],
  [
    'system_root',
    '/etc /usr /bin /sbin /lib /lib64 /boot /var /dev /proc /sys /run /opt /home /Users /root /srv /mnt /media /System /Library /Applications /private /usr/bin /usr/lib /usr/local /usr/sbin /usr/share /var/lib /var/log /C:/Windows /C:/Users /c:/windows /c:/users /C: /c:',
  ],
]);

/** A folder and everything in it. */
export const TREES: Table = table([
  [
    'credential',
    '~/.ssh ~/.gnupg ~/.aws/sso ~/.aws/cli ~/.config/gcloud ~/.azure ~/.config/op ~/.password-store ~/.local/share/keyrings ~/Library/Keychains ~/.config/1Password ~/.electrum ~/.ethereum/keystore ~/.config/solana ~/.oci ~/.config/Bitwarden ~/.mozilla/firefox ~/.config/google-chrome ~/.config/chromium ~/.config/BraveSoftware ~/.config/github-copilot ~/.subversion/auth ~/.config/configstore ~/.local/state/beacon/keys /var/lib/beacon/keys',
  ],
  [
    'credential',
    '~/.aws ~/.kube /run/secrets /var/run/secrets /etc/ssl/private /etc/kubernetes/pki /etc/letsencrypt/live /etc/letsencrypt/archive /etc/wireguard /etc/openvpn /etc/NetworkManager/system-connections',
  ],
  ['identity', '/etc/sudoers.d /etc/pam.d /etc/polkit-1 /etc/ssh'],
  [
    'schedule',
    '/etc/cron.d /etc/cron.daily /etc/cron.hourly /etc/cron.weekly /etc/cron.monthly /var/spool/cron /etc/systemd /lib/systemd /usr/lib/systemd ~/.config/systemd ~/.config/autostart ~/Library/LaunchAgents /Library/LaunchAgents /Library/LaunchDaemons /etc/init.d /etc/profile.d ~/.config/fish/conf.d /etc/udev/rules.d /var/spool/at ~/.config/git/hooks',
  ],
  ['audit', '/var/log /var/audit /private/var/log'],
  [
    'governance',
    '~/.claude ~/.codex ~/.gemini ~/.cursor /etc/codex /etc/claude-code ~/.local/state/beacon ~/.config/beacon /var/lib/beacon /etc/beacon ~/.continue ~/.aider ~/.config/opencode ~/.copilot',
  ],
  [
    'regenerable',
    '~/.cache ~/.npm/_cacache ~/.npm/_npx ~/.gradle/caches ~/.m2/repository ~/.cargo/registry ~/Library/Caches ~/.local/share/pnpm/store ~/go/pkg/mod',
  ],
  ['kernel', '/proc/sys /sys/kernel'],
]);

/** Exceptions inside the trees above; null means an ordinary file. */
const EXCEPTIONS: { readonly [path: string]: Tag | null } = {
  '~/.ssh/known_hosts': null,
  '~/.ssh/known_hosts.old': null,
  '~/.ssh/config': 'identity',
  '~/.ssh/authorized_keys': 'identity',
  '~/.aws/config': null,
  '~/.kube/cache': null,
  '~/.claude/.credentials.json': 'credential',
  '~/.codex/auth.json': 'credential',
};

/** Folders, by one or two names, anywhere in a path. */
export const FOLDERS: Table = table([
  [
    'governance',
    '.claude .codex .gemini .cursor/rules .cursor/hooks .cursor/mcp.json .cursor/hooks.json .cursor/permissions.json .cursor/cli.json .vscode/mcp.json .windsurf .clinerules .roo .continue .beacon .aider .kiro .junie .amazonq .qwen .goose .github/instructions .github/prompts .github/chatmodes .github/agents',
  ],
  [
    'schedule',
    '.git/hooks .husky .github/workflows .github/actions .gitlab/ci .circleci .buildkite .woodpecker .drone .tekton .forgejo/workflows .gitea/workflows .githooks .vscode/tasks.json',
  ],
  [
    'regenerable',
    'node_modules __pycache__ .venv .tox .nox .nyc_output .next .nuxt .svelte-kit .turbo .parcel-cache .cache .pytest_cache .mypy_cache .ruff_cache .gradle .terraform .angular .vite .hypothesis .ipynb_checkpoints .dart_tool DerivedData .eggs site-packages bower_components .serverless .vercel .output',
  ],
  ['git_dir', '.git'],
  ['backup', 'backups backup .snapshots'],
]);

/** Names that mean output only inside a project. */
const OUTPUT = new Set(
  'dist build target venv coverage out obj htmlcov storybook-static Pods _build tmp temp .tmp'.split(' '),
);

/** File names anywhere. */
export const NAMES: Table = table([
  [
    'credential',
    'id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk .netrc .pgpass .git-credentials .htpasswd credentials.json service-account.json serviceaccount.json client_secret.json kubeconfig .vault-token wallet.dat .dockercfg logins.json key4.db key3.db signons.sqlite master.key secring.gpg admin.token admin-token .s3cfg private.key private.pem privkey.pem server.key tls.key',
  ],
  // Who must agree to a change.
  ['identity', 'CODEOWNERS'],
  [
    'governance',
    'CLAUDE.md CLAUDE.local.md AGENTS.md AGENTS.override.md GEMINI.md .cursorrules .windsurfrules copilot-instructions.md .mcp.json .aider.conf.yml .roomodes opencode.json opencode.jsonc crush.json .crush.json QWEN.md guardrails.yaml guardrails.yml',
  ],
  [
    'schedule',
    '.gitlab-ci.yml .gitlab-ci.yaml .travis.yml Jenkinsfile azure-pipelines.yml azure-pipelines.yaml bitbucket-pipelines.yml .drone.yml .pre-commit-config.yaml lefthook.yml .woodpecker.yml .woodpecker.yaml .cirrus.yml .semaphore.yml circle.yml wercker.yml bitrise.yml codemagic.yaml .appveyor.yml .overcommit.yml lefthook.yaml cloudbuild.yml cloudbuild.yaml buildspec.yml .envrc appveyor.yml .lefthook.yml crontab',
  ],
  ['dotenv', 'secrets.yml secrets.yaml secrets.json terraform.tfvars'],
  ['regenerable', '.DS_Store Thumbs.db .eslintcache tsconfig.tsbuildinfo .coverage nohup.out'],
]);

const EXTENSIONS: Table = table([
  ['credential', '.key .p12 .pfx .jks .keystore .kdbx .ppk .asc .ovpn .agekey'],
  ['regenerable', '.pyc .pyo .o .obj .class .tmp .swp .swo .tsbuildinfo .log .bak~ .orig .gcda .gcno'],
  ['backup', '.dump .bak .backup'],
  ['schedule', '.jenkinsfile'],
]);

const DISKS = /^\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|disk|rdisk|loop|dm-|md|mapper\/|sr)/;
const BROWSER_LOGINS = new Set(['Login Data', 'Login Data For Account', 'Cookies', 'Web Data', 'Local State']);
/** What a pattern makes worse; that something can be made again, or is a root, is never read off a pattern. */
const GRAVE = new Set<Tag>(['credential', 'identity', 'governance', 'schedule', 'audit', 'env_file']);
const grave = (entries: Table) => Object.entries(entries).filter(([, tag]) => GRAVE.has(tag));
const PATTERN_TABLES = {
  files: grave(FILES),
  trees: grave(TREES),
  names: [...grave(NAMES), ['.env', 'env_file'] as const],
  folders: grave(FOLDERS),
};

/** Each path of a proposal is looked up by several readers. So many, of so many characters, are remembered. */
const MAX_KNOWN_PLACES = 256;
const MAX_KNOWN_CHARACTERS = 256;
const known = new WeakMap<Where, Map<string, Place>>();

/** Looks a resolved path up. A glob also has the tags of what it could match. */
export function placeOf(path: string, glob: boolean, where: Where): Place {
  let places = known.get(where);
  if (places === undefined) {
    places = new Map();
    known.set(where, places);
  }
  const key = glob ? `*${path}` : `.${path}`;
  const before = places.get(key);
  if (before !== undefined) return before;
  const place = lookUp(path, glob, where);
  if (places.size < MAX_KNOWN_PLACES && path.length <= MAX_KNOWN_CHARACTERS) places.set(key, place);
  return place;
}

function lookUp(path: string, glob: boolean, where: Where): Place {
  const scope = scopeOf(glob ? withoutGlob(path) : path, where);
  const tags = new Set<Tag>();
  const key = placeKey(path, where);
  const base = glob ? withoutGlob(key) : key;
  addRoots(path, key, base, glob, where, tags);
  addNamed(base, glob ? withoutGlob(path) : path, scope, where, tags);
  if (glob) {
    // `*.pyc` names what it matches by its ending.
    if (scope !== 'system' && scope !== 'machine') addRegenerable(path, scope, where, tags);
    for (const tag of tagsOfPattern(key, PATTERN_TABLES)) tags.add(tag);
    const name = key.slice(key.lastIndexOf('/') + 1);
    if (!/[*?[(]/.test(name)) addFileName(name, tags);
    // `*.key` takes every key there is.
    const extension = /^\*(\.[a-z0-9]+)$/i.exec(name)?.[1];
    if (extension && EXTENSIONS[extension] === 'credential') tags.add('credential');
  }
  return { scope, tags: [...tags] };
}

/** The folder a pattern reaches into: everything before its first wildcard segment. */
function withoutGlob(path: string): string {
  const at = path.search(/[*?[]|[@!+]\(/);
  if (at < 0) return path;
  const folder = path.slice(0, path.lastIndexOf('/', at));
  return folder === '' ? '/' : folder;
}

function addRoots(path: string, key: string, base: string, glob: boolean, where: Where, tags: Set<Tag>): void {
  // A pattern with a name in it (`*.log`) does not take the folder as a whole.
  const whole = !glob || wholeFolder(path);
  if ((whole && base === '/') || path === '/..' || (glob && base === '/' && path.split('/').length === 2))
    tags.add('root');
  if (base === '~' && whole) tags.add('home');
  if (whole && (base === '/home' || base === '/Users')) tags.add('home');
  if (where.workspace !== undefined && whole) {
    const actual = glob ? withoutGlob(path) : path;
    if (
      actual === where.workspace ||
      (actual.startsWith('/') && where.workspace.startsWith(`${actual === '/' ? '' : actual}/`))
    )
      tags.add('workspace_root');
  }
  if (path === '.' || path === './*' || path === '..' || path.startsWith('./..')) tags.add('workspace_root');
  if (whole && FILES[base] === 'system_root') tags.add('system_root');
  if (DISKS.test(key)) tags.add('device');
  if (/^\/dev\/(?:tcp|udp)\//.test(key)) tags.add('socket_device');
}

function wholeFolder(path: string): boolean {
  const at = path.search(/[*?[]|[@!+]\(/);
  const segment = path.slice(path.lastIndexOf('/', at) + 1);
  return /^[.]?[*?.]+(?:\/\*+)*$/.test(segment.replace(/\[[^\]]*\]/g, '?'));
}

/** Where some agents keep working copies: inside their own folder, and no part of their settings. */
const WORK_COPY = /^.*\/\.claude\/worktrees\/[^/]+(?=\/|$)/;

/** A person's own programs are found before the system's: who types the name of one of these runs this file, with what they type into it. */
const SHADOWS =
  /\/(?:\.local\/bin|bin|\.bin)\/(?:sudo|sudoedit|doas|su|pkexec|passwd|login|ssh|ssh-add|ssh-agent|scp|sftp|gpg|gpg2|git|env|sh|bash|zsh|fish|ls|cat|cp|mv|rm|cd|grep|find|sed|awk|ps|which|curl|wget)$/;

function addNamed(key: string, path: string, scope: Scope, where: Where, tags: Set<Tag>): void {
  if (Object.hasOwn(EXCEPTIONS, key)) {
    const tag = EXCEPTIONS[key];
    if (tag) tags.add(tag);
    return;
  }
  const exact = FILES[key];
  if (exact && exact !== 'system_root') tags.add(exact);
  const copy = WORK_COPY.exec(key)?.[0].length ?? 0;
  for (let at = key.length; at > copy; at = key.lastIndexOf('/', at - 1)) {
    const tag = TREES[key.slice(0, at)];
    if (tag) tags.add(tag);
  }
  if (/^\/proc\/[^/]+\/(?:environ|mem)$/.test(key) || /^\/etc\/ssh\/ssh_host_\w+_key$/.test(key))
    tags.add('credential');
  // What guards the agent, where it is installed.
  if (scope !== 'workspace' && /(?:^|\/)s?bin\/beacon(?:d|-[\w-]+)?$/.test(key)) tags.add('governance');
  if (scope === 'home' && SHADOWS.test(key)) tags.add('schedule');
  const segments = key.slice(copy).split('/');
  for (let index = 0; index < segments.length; index += 1) {
    const name = segments[index] as string;
    for (const tag of [FOLDERS[name], FOLDERS[`${name}/${segments[index + 1] ?? ''}`]]) {
      if (tag && tag !== 'regenerable') tags.add(tag);
    }
  }
  addFileName(segments.at(-1) as string, tags);
  if (scope !== 'system' && scope !== 'machine') addRegenerable(path, scope, where, tags);
  if (tags.has('credential') && (key.endsWith('.pub') || /\.(?:example|sample|template)$/.test(key)))
    tags.delete('credential');
}

/** Only what lies below the workspace's own folder says so: the workspace may itself be called `build`. */
function addRegenerable(path: string, scope: Scope, where: Where, tags: Set<Tag>): void {
  const inside = scope === 'workspace' && where.workspace !== undefined ? path.slice(where.workspace.length) : path;
  const project = scope === 'workspace' || (scope === 'unknown' && path.startsWith('./'));
  const segments = inside.split('/').filter((segment) => segment !== '' && segment !== '.');
  const found = segments.some(
    (name, index) =>
      FOLDERS[name] === 'regenerable' ||
      FOLDERS[`${name}/${segments[index + 1] ?? ''}`] === 'regenerable' ||
      (project && OUTPUT.has(name)),
  );
  const last = segments.at(-1) ?? '';
  const extension = EXTENSIONS[last.slice(last.lastIndexOf('.'))];
  if (found || NAMES[last] === 'regenerable' || (project && last.includes('.') && extension === 'regenerable'))
    tags.add('regenerable');
}

function addFileName(name: string, tags: Set<Tag>): void {
  const tag = NAMES[name];
  if (tag && tag !== 'regenerable') tags.add(tag);
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? EXTENSIONS[name.slice(dot)] : undefined;
  if (extension && extension !== 'regenerable') tags.add(extension);
  if (
    /^id_[a-z0-9]+(?:_sk)?$/.test(name) &&
    /^id_(?:rsa|dsa|ecdsa|ed25519|deploy|git\w*|ssh\w*|prod\w*|server\w*)/.test(name)
  )
    tags.add('credential');
  const env = envFile(name);
  if (env) tags.add(env);
  if (BROWSER_LOGINS.has(name)) tags.add('credential');
}

/**
 * `.env` and its kin hold the secrets of a project where it runs. Examples hold none; what is for development or tests
 * is checked in by most and is read with a warning.
 */
function envFile(name: string): Tag | undefined {
  if (!name.startsWith('.env') && !name.endsWith('.env')) return undefined;
  const rest = /^\.env(?:[._-](.+))?$/.exec(name)?.[1] ?? /^(.+)\.env$/.exec(name)?.[1];
  if (rest === undefined) return name === '.env' ? 'env_file' : undefined;
  if (/(?:^|[._-])(?:example|sample|template|tmpl|dist|defaults?|schema|d\.ts|md|vault|enc|encrypted)$/i.test(rest))
    return undefined;
  if (/(?:^|[._-])local(?:$|[._-])/i.test(rest)) return 'env_file';
  return /^(?:dev|development|test|testing|ci|docker-compose)$/i.test(rest) ? 'dotenv' : 'env_file';
}
