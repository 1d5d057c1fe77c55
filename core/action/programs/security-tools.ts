// Scanners that look for faults, tools that attack, and small programs about keys and certificates.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const SCAN: Rule = { effect: 'build', operation: 'scan', operands: 'none', options: { '-o|--output': {} } };
const FETCH: Rule = { effect: 'secret_fetch', operands: 'name:secret' };
const SET: Rule = { effect: 'identity_change', operation: 'set', operands: 'residue' };
const KEYS: Rule = {
  effect: 'write',
  operation: 'keys',
  operands: 'none',
  scope: 'workspace',
  options: { '-o|--output|-out|--out|-p': { value: 'write' }, '--passphrase|--password': { value: 'secret' } },
};

export const SECURITY_TOOLS: Programs = {
  // They report what they found; what is found enters the output, which is redacted.
  ...rows(
    'gitleaks trufflehog detect-secrets ggshield whispers noseyparker secretlint talisman git-secrets codeql osv-scanner dependency-check dependency-check.sh kubescape kube-bench kube-hunter kubeaudit docker-bench-security cdxgen cyclonedx cyclonedx-npm cyclonedx-py spdx-sbom-generator scancode licensee fossa scorecard allstar slsa-verifier horusec njsscan mobsf dlint semgrep-core opengrep bearer gokart zap-baseline testssl.sh sslscan sslyze ssh-audit',
    SCAN,
  ),
  ...rows('scorecard testssl.sh sslscan sslyze ssh-audit', {
    effect: 'fetch',
    operation: 'scan',
    operands: 'name:host',
  }),
  // Against other people's systems.
  ...rows(
    'nuclei amass subfinder assetfinder theHarvester dirsearch feroxbuster wpscan joomscan droopescan arjun naabu rustscan zgrab2 enum4linux enum4linux-ng smbmap crackmapexec netexec nxc kerbrute responder patator ncrack commix xsstrike dalfox beef-xss setoolkit gophish evilginx2 aircrack-ng airodump-ng aireplay-ng wifite reaver hping3 slowloris goldeneye slowhttptest',
    { effect: 'send', operation: 'scan', operands: 'name:host', flags: ['scan'] },
  ),
  ...rows('hping3 slowloris goldeneye slowhttptest t50 hulk xerxes', { effect: 'flood', operands: 'residue' }),
  ...rows('empire sliver-server cobaltstrike villain pwncat-cs merlin havoc weevely', {
    effect: 'remote_shell',
    operands: 'residue',
  }),
  ...rows(
    'responder bloodhound-python mimipenguin LaZagne impacket-smbexec impacket-psexec impacket-wmiexec unshadow linpeas.sh linenum.sh',
    {
      effect: 'read_credential',
      operands: 'residue',
      scope: 'machine',
    },
  ),

  // Keys and certificates.
  ...rows('mkcert minisign signify cfssl cfssljson certstrap easyrsa step-ca ssh-to-age rage-keygen', KEYS),
  mkcert: {
    ...KEYS,
    options: { ...KEYS.options, '-install|-uninstall': { effect: 'system_change' } },
    longSingleDash: true,
  },
  keytool: {
    effect: 'write',
    operation: 'keys',
    longSingleDash: true,
    operands: 'none',
    scope: 'workspace',
    values: '-alias -dname -keyalg -keysize -validity -storetype',
    options: {
      '-list|-printcert|-printcertreq|-printcrl|-showinfo': { effect: 'read' },
      '-exportcert|-certreq': {},
      '-keystore|-destkeystore': { value: 'handed' },
      '-file': { value: 'target-file' },
      '-storepass|-keypass|-deststorepass|-srcstorepass': { value: 'secret' },
      '-cacerts': { effect: 'system_change' },
    },
  },
  step: {
    effect: 'unknown',
    subcommands: {
      certificate: {
        effect: 'write',
        operands: 'residue',
        scope: 'workspace',
        subcommands: {
          'inspect|verify|fingerprint|lint|format|key|p12-info': READ,
          'install|uninstall': { effect: 'system_change', operands: 'residue' },
          '*': { effect: 'write', operands: 'residue', scope: 'workspace' },
        },
      },
      'crypto|base64|beta|version|help|path|context|fileserver': {
        effect: 'write',
        operands: 'residue',
        scope: 'workspace',
      },
      'ca|ssh|oauth|api': SET,
    },
  },
  rage: {
    effect: 'write',
    operands: 'files',
    values: '-r -R',
    options: {
      '-d|--decrypt': { effect: 'secret_fetch' },
      '-i|--identity': { value: 'read' },
      '-o|--output': { value: 'write' },
    },
  },
  cosign: {
    effect: 'unknown',
    subcommands: {
      'verify|verify-attestation|verify-blob|tree|triangulate|download|version|manifest|public-key|dockerfile|env': {
        effect: 'fetch',
        operands: 'residue',
      },
      'generate-key-pair|import-key-pair|generate': KEYS,
      'sign-blob|attest-blob': { effect: 'write', operands: 'residue', scope: 'workspace' },
      'sign|attest|attach|copy|clean|upload|save|load|initialize': { effect: 'publish', operands: 'residue' },
      'login|piv-tool|pkcs11-tool': SET,
    },
  },
  'rekor-cli': {
    effect: 'fetch',
    operands: 'residue',
    subcommands: { upload: { effect: 'publish', operands: 'residue' }, '*': { effect: 'fetch', operands: 'residue' } },
  },
  ...rows('ykman pkcs11-tool p11tool opensc-tool fido2-token', {
    ...SET,
    subcommands: { 'list|info|version': READ, '*': SET },
  }),
  keyring: { effect: 'unknown', subcommands: { get: FETCH, 'set|del': SET, 'diagnose|--list-backends': READ } },
  ...rows('keepassxc-cli kpcli', {
    effect: 'unknown',
    subcommands: {
      'show|clip|export|attachment-export': FETCH,
      'ls|search|locate|db-info|generate|diceware|estimate|help': READ,
      '*': SET,
    },
  }),
  ...rows('credstash bao confd consul-template envconsul vaultenv', {
    effect: 'secret_fetch',
    operands: 'residue',
    scope: 'remote',
    subcommands: {
      'list|status|version|help': READ,
      '*': { effect: 'secret_fetch', operands: 'residue', scope: 'remote' },
    },
  }),
  dotenvx: {
    effect: 'unknown',
    subcommands: {
      run: { effect: 'build', special: 'wrapped', stopAtOperand: true, values: '-f --env-file -fk -e --env' },
      'get|decrypt|keypair': { effect: 'secret_fetch', operands: 'residue' },
      'ls|genexample|gitignore|prebuild|precommit|help|ext': READ,
      'set|encrypt|rotate': { effect: 'write', operands: 'residue', scope: 'workspace' },
    },
  },
  ...rows('gpg-agent gpgconf gpg-connect-agent pinentry', { effect: 'process_own', operands: 'residue' }),
  gpgv: { effect: 'read', operands: 'files' },
};
