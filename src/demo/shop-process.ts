/**
 * The process of one sample backend. It is told over its channel what to be, and it lives as long as that
 * channel: when the demo goes away, however it goes, the channel closes and this process ends.
 */
import { NO_FAULTS, SEEDED_FAULTS } from './new/faults.ts';
import {
  asCopyToMessage,
  asStartMessage,
  type CopyToMessage,
  type ShopMessage,
  type StartMessage,
} from './shop-messages.ts';
import { type RunningShop, startShop } from './start-shop.ts';

let server: RunningShop | undefined;
let otherShop: CopyToMessage | undefined;
let stopping = false;

process.on('message', (message: unknown) => {
  const start = asStartMessage(message);
  if (start !== undefined && server === undefined) void serve(start);
  const other = asCopyToMessage(message);
  if (other === undefined) return;
  otherShop = other;
  server?.copyTo(other.host, other.port);
});
process.on('disconnect', stop);
process.on('SIGTERM', stop);
// Ctrl-C, and the end of a terminal, reach every process of it. The demo lets the gateway finish first, then ends
// this one.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

// The channel may have closed while this module was being loaded.
if (process.connected) void tell({ kind: 'ready' });
else stop();

async function serve(start: StartMessage): Promise<void> {
  try {
    server = await startShop({
      ...start,
      faults: start.faults ? SEEDED_FAULTS : NO_FAULTS,
      now: () => new Date(),
      random: Math.random,
      onDefect: (error) => void tell({ kind: 'defect', reason: reasonOf(error) }),
    });
    // Before anybody can write: a shop that came back knows the other one already.
    if (otherShop !== undefined) server.copyTo(otherShop.host, otherShop.port);
    await tell({ kind: 'listening', port: server.port });
  } catch (error) {
    await tell({ kind: 'failed', reason: reasonOf(error) });
    stop();
  }
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  // Whatever the clean-up meets: this process may not outlive the demo.
  (server?.close() ?? Promise.resolve()).then(
    () => process.exit(0),
    () => process.exit(1),
  );
}

/** Resolves when the message is on its way, or the channel has closed: then `disconnect` ends this process. */
function tell(message: ShopMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') return 'the port is in use';
  return error.message;
}
