/**
 * What the processes of the benchmark that are written in Node have in common: they take free ports, tell the
 * orchestrator, and end when it does, however it ends.
 */
import type { Server } from 'node:http';

export interface ReadyMessage {
  readonly ports: readonly number[];
}

/** @param keepAliveMs how long an idle connection of a client is kept, milliseconds */
export async function announceReady(
  servers: readonly Server[],
  { keepAliveMs }: { keepAliveMs: number },
): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
  const ports: number[] = [];
  for (const server of servers) {
    server.keepAliveTimeout = keepAliveMs;
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      if (server.listening) done();
      else server.listen(0, '127.0.0.1', done);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    ports.push(address.port);
  }
  const message: ReadyMessage = { ports };
  process.send?.(message);
}
