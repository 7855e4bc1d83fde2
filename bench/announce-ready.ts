/**
 * What the processes of the benchmark that are written in Node have in common: they take free ports, tell the
 * orchestrator, and end when it does, however it ends.
 */
import { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';

export interface ReadyMessage {
  readonly ports: readonly number[];
}

/** @param keepAliveMs how long HTTP servers keep an idle connection of a client, milliseconds */
export async function announceReady(
  servers: readonly Server[],
  { keepAliveMs }: { readonly keepAliveMs?: number } = {},
): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
  const ports: number[] = [];
  for (const server of servers) {
    if (server instanceof HttpServer && keepAliveMs !== undefined) server.keepAliveTimeout = keepAliveMs;
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
