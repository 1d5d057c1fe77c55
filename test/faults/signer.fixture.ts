// A receipt signer as a process of its own, for tests: `node signer.fixture.ts DATA TOKENS ADDRESS [AGE]`. Prints its address,
// then a line for each stream; drains on SIGTERM.

import type { CallContext } from '../../core/principal.ts';
import { ReceiptSignerService } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { host } from '../../runtime/rpc.ts';
import { drainRpc } from '../../runtime/rpc-server.ts';
import { openMesh } from '../../services/mesh.ts';
import { sealingOnlyTheirs } from '../../services/peers.ts';
import { composeReceiptSigner } from '../../services/receipt-signer/compose.ts';

const [dataDir = '', tokenFolder = '', address = '', age] = process.argv.slice(2);
const failed = (error: unknown) => process.stderr.write(`${String(error)}\n`);
const signer = await composeReceiptSigner({
  dataDir,
  role: 'receipt-signer',
  bus: new MemoryEventBus(),
  now: Date.now,
  failed,
});
const mesh = await openMesh({ self: 'receipt-signer', tokenFolder, now: Date.now, failed });
const server = mesh.createServer(age === undefined ? {} : { maxConnectionAgeMs: Number(age) });
host<typeof ReceiptSignerService, CallContext>(server, ReceiptSignerService, sealingOnlyTheirs(signer.service), {
  authenticate(call) {
    if (call.method.endsWith('/SealStream')) process.stdout.write('stream\n');
    return mesh.authenticate(call);
  },
  onError: failed,
});
process.stdout.write(`${await mesh.listen(server, address)}\n`);
process.once('SIGTERM', async () => {
  await drainRpc(server, 10_000);
  await signer.stop();
  process.exit(0);
});
// A test that dies takes its signers with it.
process.stdin.resume().once('end', () => process.exit(1));
