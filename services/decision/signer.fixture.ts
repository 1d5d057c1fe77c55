// A receipt signer as a process of its own, for tests: `node signer.fixture.ts DATA TOKENS ADDRESS`. Prints its address.

import { ReceiptSignerService } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { host } from '../../runtime/rpc.ts';
import { openMesh } from '../mesh.ts';
import { sealingOnlyTheirs } from '../peers.ts';
import { composeReceiptSigner } from '../receipt-signer/compose.ts';

const [dataDir = '', tokenFolder = '', address = ''] = process.argv.slice(2);
const failed = (error: unknown) => process.stderr.write(`${String(error)}\n`);
const signer = await composeReceiptSigner({
  dataDir,
  role: 'receipt-signer',
  bus: new MemoryEventBus(),
  now: Date.now,
  failed,
});
const mesh = await openMesh({ self: 'receipt-signer', tokenFolder, now: Date.now, failed });
const server = mesh.createServer();
host(server, ReceiptSignerService, sealingOnlyTheirs(signer.service), {
  authenticate: mesh.authenticate,
  onError: failed,
});
process.stdout.write(`${await mesh.listen(server, address)}\n`);
