/** Says that a port is taken before the stores are opened, which can take seconds. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Address } from '../config/model.ts';

/**
 * Binds the address and lets it go again. No promise for later: whoever listens for good finds out for sure.
 *
 * @throws the listener's own error, such as `EADDRINUSE`
 */
export async function expectFree({ host, port }: Address): Promise<void> {
  if (port === 0) return;
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
