/** Finds out before anything is started whether the demo can have its ports. */
import { createServer } from 'node:net';
import { DemoError } from './demo-error.ts';

export interface WantedPort {
  /** For people, such as `gateway`. */
  readonly name: string;
  /** 0 lets the system choose, and is always free. */
  readonly port: number;
  /** How to choose another one. */
  readonly hint: string;
}

/** @throws DemoError in one line, for the first port that is in use, not allowed, or wanted twice. */
export async function expectFreePorts(host: string, wanted: readonly WantedPort[]): Promise<void> {
  const asked = wanted.filter(({ port }) => port !== 0);
  for (const { name, port, hint } of asked) {
    const twin = asked.find((other) => other.port === port);
    if (twin !== undefined && twin.name !== name) {
      throw new DemoError(`port ${port} is wanted by the ${twin.name} and the ${name}; ${hint}`);
    }
  }
  for (const { name, port, hint } of asked) {
    const problem = await tryPort(host, port);
    if (problem !== undefined) throw new DemoError(`port ${port} (${name}) ${problem}; ${hint}`);
  }
}

function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = 'code' in error ? error.code : undefined;
      if (code === 'EADDRINUSE') resolve('is in use');
      else if (code === 'EACCES') resolve('is not allowed for this user');
      else resolve(`cannot be used (${error.message})`);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
