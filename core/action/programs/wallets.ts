// Wallets and chains from the command line: what is looked up is free, what is signed and sent cannot be taken back.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const ASK: Rule = { effect: 'fetch', operands: 'residue' };
const PAY: Rule = { effect: 'payment', operands: 'residue' };
const KEYS: Rule = { effect: 'secret_fetch', operands: 'residue', flags: ['printed'] };
const ACCOUNT: Rule = { effect: 'identity_change', operands: 'residue' };
const SECRETS: Rule['options'] = {
  '--private-key|--mnemonic|--password|--passphrase|--keypair-passphrase': { value: 'secret' },
};

export const WALLETS: Programs = {
  cast: {
    effect: 'fetch',
    systems: ['chain'],
    values: '--rpc-url -r --from --value --gas-limit --nonce --chain --account --keystore -b --block --gas-price',
    options: SECRETS,
    subcommands: {
      'send|publish|mktx': { ...PAY, special: 'chain' },
      wallet: {
        effect: 'identity_change',
        operands: 'residue',
        subcommands: {
          'list|ls|address|addr|verify|vanity|help': READ,
          'private-key|decrypt-keystore|derive-private-key': KEYS,
          '*': ACCOUNT,
        },
      },
      '*': ASK,
    },
  },
  forge: {
    effect: 'build',
    values: '--rpc-url -r --fork-url --private-key --etherscan-api-key --root --contracts',
    options: { '--private-key|--mnemonic': { value: 'secret' } },
    subcommands: {
      create: { ...PAY, special: 'chain', options: { '--dry-run': { flags: ['dry_run'] } } },
      script: {
        effect: 'build',
        operands: 'residue',
        special: 'chain',
        options: { '--broadcast|--resume': { effect: 'payment' } },
      },
      'verify-contract|verify-bytecode': { effect: 'publish', operands: 'residue' },
      'install|update|remove|i': { effect: 'install_local', operands: 'residue' },
      '*': { effect: 'build', operands: 'residue' },
    },
  },
  solana: {
    effect: 'fetch',
    systems: ['chain'],
    values: '-u --url -k --keypair -C --config --commitment --from --fee-payer --output',
    subcommands: {
      'transfer|pay|create-stake-account|delegate-stake|withdraw-stake|split-stake|merge-stake|withdraw-from-nonce-account|withdraw-from-vote-account|create-nonce-account|deactivate-stake':
        { ...PAY, special: 'chain' },
      program: {
        effect: 'payment',
        operands: 'residue',
        special: 'chain',
        subcommands: {
          'show|dump': ASK,
          'deploy|write-buffer|upgrade|close|extend|set-upgrade-authority': { ...PAY, special: 'chain' },
        },
      },
      config: { effect: 'write', operands: 'residue', scope: 'home', subcommands: { get: READ } },
      airdrop: ASK,
      '*': ASK,
    },
  },
  'spl-token': {
    effect: 'payment',
    systems: ['chain'],
    operands: 'residue',
    special: 'chain',
    values: '-u --url --owner --fee-payer --config',
    subcommands: { 'accounts|balance|supply|display|address|account-info|gas': ASK, '*': { ...PAY, special: 'chain' } },
  },
  ...rows('bitcoin-cli litecoin-cli dogecoin-cli elements-cli', {
    effect: 'fetch',
    systems: ['chain'],
    longSingleDash: true,
    values: '-rpcconnect -rpcuser -rpcport -datadir -rpcwallet',
    options: { '-rpcpassword|-stdinrpcpass|-stdinwalletpassphrase': { value: 'secret' } },
    subcommands: {
      'sendtoaddress|sendmany|send|sendall|sendrawtransaction|bumpfee|psbtbumpfee|walletprocesspsbt|signrawtransactionwithwallet':
        { ...PAY, special: 'chain' },
      'dumpprivkey|dumpwallet|listdescriptors': KEYS,
      'importprivkey|importwallet|importdescriptors|walletpassphrase|encryptwallet|walletpassphrasechange': ACCOUNT,
      'stop|invalidateblock|pruneblockchain|abandontransaction|unloadwallet': {
        effect: 'system_change',
        operands: 'residue',
      },
      backupwallet: { effect: 'write', operands: 'files' },
      '*': ASK,
    },
  }),
  lncli: {
    effect: 'fetch',
    systems: ['chain'],
    subcommands: {
      'payinvoice|sendpayment|sendtoroute|sendcoins|sendmany|openchannel|closechannel|closeallchannels|abandonchannel':
        PAY,
      'create|unlock|changepassword|bakemacaroon': ACCOUNT,
      '*': ASK,
    },
  },
  // They use up the machine, for somebody.
  ...rows(
    'xmrig minerd cpuminer ccminer cgminer bfgminer ethminer t-rex phoenixminer nbminer lolminer nanominer xmr-stak srbminer-multi teamredminer',
    {
      effect: 'flood',
      operation: 'mine',
      operands: 'residue',
    },
  ),
  'monero-wallet-cli': { effect: 'payment', operands: 'residue' },
};
