// Keys and secrets: stores, crypto tools; and the agent's own guards.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const FETCH: Rule = { effect: 'secret_fetch', operands: 'name:secret' };
const SET: Rule = { effect: 'identity_change', operation: 'set', operands: 'residue' };
const OWN: Rule = { effect: 'self_governance', operands: 'residue' };
const AGENT: Rule = {
  effect: 'delegate',
  operation: 'run',
  operands: 'residue',
  special: 'agent',
  values:
    '--model -m --output-format --input-format --max-turns --session-id --resume -r --cwd -C --profile --append-system-prompt --add-dir',
  options: {
    '--dangerously-skip-permissions|--dangerously-bypass-approvals-and-sandbox|--yolo|--full-auto|--allow-dangerously-skip-permissions|--no-hooks|--trust-all-tools|--yes-always|--skip-permissions':
      { effect: 'self_governance', flags: ['force'] },
    '--settings|--config|-c|--mcp-config|--permission-mode|--allowedTools|--allowed-tools|-a|--ask-for-approval|-s|--sandbox|--hooks':
      { value: 'ignored', flags: ['agent_settings'] },
    '-p|--print|--prompt': {},
  },
  subcommands: {
    'config|mcp|plugin|plugins|hooks|features|extensions|settings|logout|login|setup-token|migrate-installer|uninstall':
      OWN,
    'doctor|update|--version|help|completion|mcp-list|apply': { effect: 'delegate', operands: 'none' },
    '*': { effect: 'delegate', operation: 'run', operands: 'residue', special: 'agent' },
  },
};

export const SECRETS: Programs = {
  openssl: {
    effect: 'unknown',
    longSingleDash: true,
    subcommands: {
      'x509|verify|version|ciphers|dgst|asn1parse|crl|ocsp|help|list|errstr|prime|speed|sha256|sha1|md5|s_time|ts': {
        effect: 'read',
        operands: 'files',
        options: {
          '-in': { value: 'read' },
          '-out': { value: 'write' },
          '-hmac|-sign': { value: 'ignored' },
          '-CAfile': { value: 'ignored' },
          '-noout|-text|-subject|-dates|-issuer|-fingerprint|-enddate|-sha256|-sha1|-r': {},
        },
      },
      rand: { effect: 'none', operands: 'none' },
      s_client: { effect: 'fetch', special: 's-client', values: '-connect -servername -CAfile -starttls' },
      s_server: { effect: 'share', operands: 'residue' },
      'genrsa|genpkey|req|ecparam|gendsa|dhparam|ca|pkcs12|pkey|rsa|ec|dsa|pkcs8|pkcs7|cms|smime|passwd|rsautl|pkeyutl|spkac|dsaparam':
        {
          effect: 'write',
          operands: 'none',
          operation: 'keys',
          scope: 'workspace',
          values: '-subj -days -newkey -config -name -pkeyopt -algorithm -curve -extensions -addext',
          options: {
            '-out|-keyout': { value: 'write' },
            '-in|-inkey|-key': { value: 'read' },
            '-passin|-passout|-pass|-password': { value: 'secret' },
            '-noout|-text|-pubout|-pubin': {},
          },
        },
      enc: {
        effect: 'read',
        operation: 'enc',
        special: 'openssl-enc',
        options: {
          '-in': { value: 'ignored' },
          '-out': { value: 'ignored' },
          '-d': { flags: ['decode'] },
          '-a|-base64|-A|-salt|-pbkdf2|-nosalt': {},
          '-k|-K|-pass|-iv': { value: 'secret' },
        },
      },
      base64: {
        effect: 'read',
        operation: 'enc',
        special: 'openssl-enc',
        options: { '-d': { flags: ['decode'] }, '-in': { value: 'ignored' }, '-out': { value: 'ignored' } },
      },
    },
  },
  ...rows('gpg gpg2', {
    effect: 'write',
    special: 'gpg',
    values:
      '-r --recipient -u --local-user --homedir --keyserver --default-key --cipher-algo --passphrase-file --status-fd --batch-file',
    options: {
      '-o|--output': { value: 'write' },
      '--passphrase': { value: 'secret' },
      '-d|--decrypt': {},
      '--export-secret-keys|--export-secret-subkeys': {},
      '--verify|-k|--list-keys|-K|--list-secret-keys|--list-sigs|--fingerprint|--check-sigs|--list-packets|--export|--print-md|--show-keys':
        {},
      '--import|--recv-keys|--delete-keys|--delete-secret-keys|--delete-secret-and-public-key|--gen-key|--full-gen-key|--generate-key|--quick-generate-key|--edit-key|--sign-key|--send-keys|--quick-add-key|--import-ownertrust|--dearmor':
        {},
    },
  }),
  'ssh-keygen': {
    effect: 'identity_change',
    special: 'ssh-keygen',
    values: '-t -b -C -N -P -f -m -R -F -Y -n -I -s -V -O',
    options: { '-l|-F|-E|-B|-L|-y|-e': {} },
  },
  'ssh-add': {
    effect: 'identity_change',
    operation: 'add key',
    operands: 'files',
    options: { '-l|-L': { effect: 'read', operation: 'list' }, '-D|-d': { operation: 'remove' } },
    values: '-t -E',
  },
  vault: {
    effect: 'unknown',
    systems: ['vault'],
    scope: 'remote',
    longSingleDash: true,
    values: '-address -namespace -format -field -mount',
    subcommands: {
      kv: {
        effect: 'unknown',
        subcommands: {
          get: FETCH,
          list: READ,
          metadata: {
            effect: 'unknown',
            subcommands: { 'get|list': READ, 'put|patch': SET, delete: { ...SET, flags: ['destructive'] } },
          },
          'put|patch|rollback|undelete|enable-versioning': SET,
          'delete|destroy': { ...SET, flags: ['destructive'] },
        },
      },
      'read|unwrap': FETCH,
      'status|list|path-help|version|audit-list|print': READ,
      token: {
        ...SET,
        // What it looks up shows the token with the rest.
        subcommands: { lookup: FETCH, capabilities: READ, 'create|renew|revoke': SET },
      },
      'write|patch|delete|policy|auth|secrets|lease|login|namespace|plugin|ssh|transit|pki': SET,
      audit: {
        effect: 'security_disable',
        operands: 'residue',
        subcommands: { list: READ, enable: SET, disable: { effect: 'security_disable', operands: 'residue' } },
      },
      'operator|server|agent|monitor|debug': { effect: 'security_disable', operands: 'residue' },
    },
  },
  op: {
    effect: 'unknown',
    scope: 'remote',
    systems: ['1password'],
    values: '--account --vault --format --fields',
    subcommands: {
      'read|inject': FETCH,
      item: { effect: 'unknown', subcommands: { get: FETCH, 'list|template': READ, '*': SET } },
      document: { effect: 'unknown', subcommands: { get: FETCH, list: READ, '*': SET } },
      run: { effect: 'secret_fetch', special: 'wrapped-secret', stopAtOperand: true, values: '--env-file' },
      'whoami|vault|account|user|group|--version': READ,
      'signin|signout|service-account|connect|plugin|events-api': SET,
    },
  },
  bw: {
    effect: 'unknown',
    scope: 'remote',
    subcommands: {
      get: FETCH,
      'list|export': { ...FETCH, flags: ['bulk'] },
      'status|sync|generate|encode': READ,
      '*': SET,
    },
  },
  ...rows('pass gopass', {
    effect: 'secret_fetch',
    operands: 'name:secret',
    subcommands: {
      'show|otp': FETCH,
      'ls|list|find|search|grep': READ,
      'insert|generate|edit|rm|remove|mv|cp|init|git|import': SET,
      '*': FETCH,
    },
  }),
  ...rows('lpass dashlane keeper infisical chamber doppler envchain aws-vault teller berglas summon', {
    effect: 'secret_fetch',
    operands: 'residue',
    scope: 'remote',
  }),
  ...rows('doppler infisical aws-vault chamber', {
    effect: 'secret_fetch',
    operands: 'residue',
    scope: 'remote',
    subcommands: {
      'run|exec': { effect: 'secret_fetch', special: 'wrapped-secret' },
      'secrets|get|read|export|list|download': FETCH,
      '*': SET,
    },
  }),
  security: {
    effect: 'unknown',
    subcommands: {
      'find-generic-password|find-internet-password|find-key': FETCH,
      'dump-keychain|export': { effect: 'read_credential', operands: 'residue' },
      'list-keychains|find-identity|find-certificate|show-keychain-info|help': READ,
      '*': SET,
    },
  },
  'secret-tool': { effect: 'unknown', subcommands: { 'lookup|search': FETCH, 'store|clear': SET } },
  keyctl: { effect: 'secret_fetch', operands: 'residue' },
  kwallet: { effect: 'secret_fetch', operands: 'residue' },
  'git-credential': { effect: 'secret_fetch', operands: 'none' },
  ...rows('sops', {
    effect: 'write',
    operands: 'files',
    options: {
      '-d|--decrypt': { effect: 'secret_fetch', operation: 'decrypt' },
      '-e|--encrypt|-i|--in-place': {},
      '--extract': { value: 'ignored' },
    },
    subcommands: {
      decrypt: { effect: 'secret_fetch', operands: 'files' },
      'encrypt|edit|rotate|updatekeys|set|unset': { effect: 'write', operands: 'files' },
      'exec-env|exec-file': { effect: 'secret_fetch', operands: 'residue' },
      '*': { effect: 'write', operands: 'files' },
    },
  }),
  age: {
    effect: 'write',
    operands: 'files',
    values: '-r -R',
    options: {
      '-d|--decrypt': { effect: 'secret_fetch' },
      '-i|--identity': { value: 'read' },
      '-o|--output': { value: 'write' },
      '-p': {},
    },
  },
  'age-keygen': { effect: 'write', operands: 'none', options: { '-o': { value: 'write' } } },
  ...rows('mimikatz laZagne lazagne gcore procdump pypykatz secretsdump.py impacket-secretsdump linpeas john hashcat', {
    effect: 'read_credential',
    operands: 'residue',
    scope: 'machine',
  }),
  ...rows('claude codex gemini aider goose cursor-agent opencode amp cline copilot q crush qwen droid', AGENT),
  beacon: {
    effect: 'unknown',
    systems: ['beacon'],
    values: '--url --token --data-dir',
    subcommands: {
      'verify|receipts|score|tail|execute|explain|status|doctor|version|help|guard|proof|replay|diff|log|logs|health|completeness|bundle':
        { effect: 'read', operands: 'none', metadata: true },
      policy: {
        effect: 'self_governance',
        operands: 'residue',
        subcommands: {
          'explain|simulate|test|show|lint|list': { effect: 'read', operands: 'none', metadata: true },
          '*': OWN,
        },
      },
      '*': OWN,
    },
  },
  beacond: OWN,
};
