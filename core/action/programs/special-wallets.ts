// What is signed and sent to a chain: on a network that is made for tests nothing is worth anything.

import { byRule, type Call, type Special } from './call.ts';

const NETWORKS = ['--rpc-url', '-r', '--fork-url', '--chain', '-u', '--url', '--network', '-rpcconnect'];
const TESTS =
  /^(?:https?:\/\/)?(?:localhost|127\.0\.0\.1|\[::1\]|anvil|hardhat|host\.docker\.internal)(?=[:/]|$)|(?:^|[/.:_-])(?:devnet|testnet|sepolia|goerli|holesky|hoodi|regtest|signet|amoy|mumbai|fuji|31337)(?=[/.:_-]|$)|^[dtl]$/i;

/** Whether it names a network, and none that anybody trades on. */
function onlyTests(call: Call): boolean {
  const named = NETWORKS.flatMap((name) => call.given.options.get(name) ?? []);
  const switched = call.args.some(({ text }) => /^--?(?:testnet|regtest|signet|devnet)$/.test(text));
  return switched || (named.length > 0 && named.every((word) => word.known && TESTS.test(word.text)));
}

const chain: Special = (call) =>
  byRule(call.effect === 'payment' && onlyTests(call) ? { ...call, effect: 'build' } : call);

export const WALLET_SPECIALS: { readonly [name: string]: Special } = { chain };
