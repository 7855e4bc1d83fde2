import net from 'node:net';
import type { Teardown } from '../harness/teardown.ts';

/**
 * A port of the loopback that refuses connections until the end of the test. It is the local port of an
 * outgoing connection: nobody listens on it, and nobody else can take it meanwhile.
 */
export async function refusingPort(t: Teardown): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = net.createServer((socket) => {
    t.teardown(() => {
      socket.destroy();
    });
  });
  t.teardown(() => {
    server.close();
  });
  server.once('error', reject);
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  const connected = Promise.withResolvers<void>();
  const socket = net.connect(address.port, '127.0.0.1', connected.resolve);
  socket.once('error', connected.reject);
  t.teardown(() => {
    socket.destroy();
  });
  await connected.promise;
  if (socket.localPort === undefined) throw new Error('the connection has no local port');
  return socket.localPort;
}
