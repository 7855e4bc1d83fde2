import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { ConfigModel } from '../../src/config/model.ts';
import { within } from '../harness/within.ts';
import { get } from './client.ts';
import { backend, ENDING, startWorkers, workersConfig } from './running-workers.ts';

// Processes are slow to start where many tests run at once.
t.setTimeout(90_000);

void t.test('closing finishes a slow download, and takes no new connection', async (t) => {
  const part = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const port = await backend(t, (_request, response) => {
    response.write('begun ');
    asked.resolve();
    void part.promise.then(() => response.end('finished'));
  });
  const { port: gatewayPort, turnout } = await startWorkers(t, 2, workersConfig(port));
  const sent = request({ host: '127.0.0.1', port: gatewayPort, agent: false });
  sent.end();
  const [response] = await once(sent, 'response');
  await asked.promise;
  const closed = turnout.close();
  const refused = async (): Promise<void> => {
    while ((await get(gatewayPort, false, '/late')).ok) await new Promise((resolve) => setImmediate(resolve));
  };
  part.resolve();
  t.equal(await text(response), 'begun finished');
  await within(closed, 'the end of the workers', 15_000);
  await within(refused(), 'connections to be refused');
});

void t.test('a port in use is the error of the start', async (t) => {
  const taken = await backend(t);
  const config = workersConfig(taken);
  const occupied = { ...config, listen: { ...config.listen, port: taken } };
  await t.rejects(startWorkers(t, 2, occupied), { code: 'EADDRINUSE' });
});

void t.test('what keeps a worker from starting is the error of the start', async (t) => {
  const config = workersConfig(await backend(t));
  const tls = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
  const broken = startWorkers(t, 2, { ...config, listen: { ...config.listen, tls } });
  await t.rejects(broken, { name: 'WorkerStartError', code: 'ENOENT', message: /cert\.pem/u });
});

void t.test('when the primary is killed, the workers finish what they have and end', async (t) => {
  const finish = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const backendPort = await backend(t, (_request, response) => {
    response.write('begun ');
    asked.resolve();
    void finish.promise.then(() => response.end('finished'));
  });
  const primary = await startPrimary(t, workersConfig(backendPort));
  const sent = request({ host: '127.0.0.1', port: primary.port, agent: false });
  sent.end();
  const [response] = await once(sent, 'response');
  await asked.promise;
  primary.kill();
  await within(refusing(primary.port), 'the port to be given up');
  finish.resolve();
  t.equal(await text(response), 'begun finished');
  await within(gone(primary.workerPids), 'the end of the workers');
});

async function startPrimary(t: Test, config: ConfigModel) {
  const file = fileURLToPath(new URL(`./primary-process${ENDING}`, import.meta.url));
  const primary = fork(file, { serialization: 'advanced' });
  t.teardown(() => primary.kill('SIGKILL'));
  primary.send(config);
  const [told]: { port: number; status: { gateways: { pid: number }[] } }[] = await once(primary, 'message');
  const workerPids = told?.status.gateways.map(({ pid }) => pid) ?? [];
  t.equal(workerPids.length, 2);
  t.teardown(() =>
    workerPids.filter((pid) => existsSync(`/proc/${pid}`)).forEach((pid) => process.kill(pid, 'SIGKILL')),
  );
  return { port: told?.port ?? 0, workerPids, kill: () => void primary.kill('SIGKILL') };
}

/** Resolves when nothing listens on the port any more. */
async function refusing(port: number): Promise<void> {
  while (
    await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
    })
  ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Resolves when none of the processes is there any more. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => existsSync(`/proc/${pid}`)))
    await new Promise((resolve) => setTimeout(resolve, 20));
}
