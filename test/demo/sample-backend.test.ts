/** Sample backends as processes: they start, come back after a crash, and never outlive the demo. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SampleBackend } from '../../src/demo/sample-backend.ts';
import type { Backend } from '../../src/model.ts';
import { processGone } from './process-gone.ts';
import { tempFolder } from './with-shop.ts';

t.setTimeout(90_000);

const folder = await tempFolder();
t.teardown(() => folder.remove());

for (const shop of ['legacy', 'new'] as const) {
  await t.test(`the ${shop} sample backend serves, and is gone after stop`, async (t) => {
    const backend = sampleBackend(shop);
    await backend.start();
    t.teardown(() => backend.stop());
    t.equal(await whoAnswers(backend.port), shop);
    const pid = backend.pid ?? 0;
    t.not(pid, process.pid);
    await backend.stop();
    t.equal(backend.pid, undefined);
    await processGone(pid);
  });
}

await t.test(
  'a sample backend that dies is reported and comes back on its port, with its data',
  async (t) => {
    const lines: string[] = [];
    const back = Promise.withResolvers<void>();
    const backend = sampleBackend('new', (line) => {
      lines.push(line);
      if (line.endsWith('is back')) back.resolve();
    });
    await backend.start();
    t.teardown(() => backend.stop());
    const { port, pid = 0 } = backend;
    const written = await fetch(`http://127.0.0.1:${port}/api/profile`, {
      method: 'PATCH',
      headers: { 'x-user-id': 'u-17', 'content-type': 'application/json' },
      body: JSON.stringify({ userName: 'Kept Name' }),
    });
    t.equal(written.status, 200);
    await written.body?.cancel();
    process.kill(pid, 'SIGKILL');
    await back.promise;
    t.equal(backend.port, port);
    t.not(backend.pid, pid);
    const read = await fetch(`http://127.0.0.1:${port}/api/profile`, { headers: { 'x-user-id': 'u-17' } });
    t.match(await read.text(), /"name":"Kept Name"/);
    t.match(lines[0], /the new sample backend ended \(SIGKILL\); starting it again in 0\.25 s/);
  },
);

await t.test('a port in use is said in one line, and leaves no process', async (t) => {
  const other = await listening();
  t.teardown(() => other.server.close());
  const backend = sampleBackend('legacy', () => undefined, other.port);
  await t.rejects(backend.start(), {
    message: `the legacy sample backend cannot start on 127.0.0.1:${other.port}: the port is in use`,
  });
  t.equal(backend.pid, undefined);
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  await t.test(`a sample backend ends by itself when its parent gets ${signal}`, async (t) => {
    const parent = demoParent(join(folder.path, `orphan-${signal}.db`));
    t.teardown(() => parent.child.kill('SIGKILL'));
    const { pid, port } = await parent.started;
    t.equal(await whoAnswers(port), 'legacy');
    parent.child.kill(signal);
    await once(parent.child, 'exit');
    await processGone(pid);
  });
}

await t.test('Ctrl-C does not reach a sample backend: its parent decides when it ends', async (t) => {
  const backend = sampleBackend('legacy');
  await backend.start();
  t.teardown(() => backend.stop());
  process.kill(backend.pid ?? 0, 'SIGINT');
  t.equal(await whoAnswers(backend.port), 'legacy');
});

function sampleBackend(
  shop: Backend,
  report: (line: string) => void = () => undefined,
  port = 0,
): SampleBackend {
  const file = join(folder.path, `${shop}-${Math.random()}.db`);
  return new SampleBackend({ shop, host: '127.0.0.1', port, file, faults: true, report });
}

async function whoAnswers(port: number): Promise<string | null> {
  const response = await fetch(`http://127.0.0.1:${port}/health`);
  await response.body?.cancel();
  return response.headers.get('x-shop');
}

function demoParent(file: string): { child: ChildProcess; started: Promise<{ pid: number; port: number }> } {
  const module = new URL(`./demo-parent${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  const child = spawn(process.execPath, [fileURLToPath(module), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const started = (async () => {
    for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
    throw new Error('the parent said nothing');
  })();
  return { child, started };
}

function listening(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : 0 });
    });
  });
}
