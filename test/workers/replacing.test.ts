import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { get, KeptConnection } from './client.ts';
import { backend, SERVED, startWorkers, workersConfig } from './running-workers.ts';

// Processes are slow to start where many tests run at once.
t.setTimeout(90_000);

void t.test('a killed worker takes only its own connections with it, and is started again', async (t) => {
  const workers = await startWorkers(t, 3, workersConfig(await backend(t)));
  const { port, pids, logged, metric } = workers;
  const before = await pids();
  const connections = Array.from({ length: 30 }, () => new KeptConnection(port));
  t.teardown(() => connections.forEach((connection) => connection.close()));
  await Promise.all(connections.map((connection) => connection.get()));
  const victim = connections[0]?.worker ?? 0;
  const load = connections.map(async (connection) => {
    const { worker } = connection;
    for (let index = 0; index < 150; index += 1) {
      if (index === 20 && connection === connections[0]) process.kill(victim, 'SIGKILL');
      const answered = await connection.get();
      if (!answered.ok) return { worker, ok: false };
    }
    return { worker, ok: true };
  });
  const outcomes = await Promise.all(load);
  const failed = outcomes.filter(({ ok }) => !ok);
  t.ok(failed.length > 0, 'the killed worker had connections');
  t.ok(
    failed.every(({ worker }) => worker === victim),
    'nobody else lost a request',
  );
  t.match(await logged('worker_exited'), { workerPid: victim, signal: 'SIGKILL', failures: 1 });
  await logged('worker_started');
  const after = await pids();
  t.equal(after.length, 3);
  t.equal(before.filter((pid) => after.includes(pid)).length, 2);
  const fresh = await Promise.all(Array.from({ length: 50 }, () => get(port, false)));
  t.ok(fresh.every(({ ok }) => ok));
  t.equal(await metric('turnout_workers{state="ready"}'), 3);
});

void t.test('connections that no worker has taken survive the death of a worker', async (t) => {
  const { port, pids, logged } = await startWorkers(t, 2, workersConfig(await backend(t)));
  const [victim = 0, other = 0] = await pids();
  // Both stand still, so that every connection waits in the queue that they share.
  process.kill(victim, 'SIGSTOP');
  process.kill(other, 'SIGSTOP');
  const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n');
  process.kill(victim, 'SIGKILL');
  await logged('worker_started');
  process.kill(other, 'SIGCONT');
  const answers = await Promise.all(sockets.map((socket) => text(socket)));
  t.equal(answers.filter((answer) => answer.startsWith('HTTP/1.1 200')).length, 20);
});

void t.test('sums never go down when a worker dies', async (t) => {
  const { port, pids, metric, logged } = await startWorkers(t, 2, workersConfig(await backend(t)));
  await Promise.all(Array.from({ length: 40 }, () => get(port, false)));
  t.equal(await metric(SERVED), 40);
  const [victim = 0] = await pids();
  process.kill(victim, 'SIGKILL');
  await logged('worker_started');
  t.equal(await metric(SERVED), 40);
  await get(port, false);
  t.equal(await metric(SERVED), 41);
});

void t.test('replacing all workers under load loses no request and no figure', async (t) => {
  const { port, turnout, pids, metric } = await startWorkers(t, 2, workersConfig(await backend(t)));
  const before = await pids();
  const connections = Array.from({ length: 8 }, () => new KeptConnection(port));
  t.teardown(() => connections.forEach((connection) => connection.close()));
  let replaced = false;
  const answers: { ok: boolean; problem?: string }[] = [];
  const kept = connections.map(async (connection) => {
    while (!replaced) answers.push(await connection.get());
  });
  const fresh = Array.from({ length: 4 }, async () => {
    while (!replaced) answers.push(await get(port, false));
  });
  t.equal(await turnout.replaceWorkers(), true);
  replaced = true;
  await Promise.all([...kept, ...fresh]);
  t.ok(answers.length > 100, `${answers.length} requests`);
  t.same(
    answers.filter(({ ok }) => !ok),
    [],
  );
  const after = await pids();
  t.equal(after.length, 2);
  t.same(
    after.filter((pid) => before.includes(pid)),
    [],
  );
  t.equal(await metric(SERVED), answers.length, 'the last figures of those that left are kept');
  t.equal(await metric('turnout_workers{state="draining"}'), 0);
});

void t.test('a worker that is started again has the last configuration, on the first backends', async (t) => {
  const { turnout, config, admin, pids, logged, port } = await startWorkers(
    t,
    2,
    workersConfig(await backend(t)),
  );
  const elsewhere = workersConfig(await backend(t, (_request, response) => response.writeHead(404).end()));
  const log = { level: 'info' as const, accessSample: 0 };
  await turnout.reload({ ...config, anonymous: 'new', backends: elsewhere.backends, log });
  for (const [index, pid] of (await pids()).entries()) {
    process.kill(pid, 'SIGKILL');
    await logged('worker_started', index + 1);
  }
  for (let index = 0; index < 2; index += 1) {
    t.match(JSON.parse(await admin('/api/v1/explain')), { decision: { target: 'new' } });
    t.match(await get(port, false), { ok: true }, 'another backend needs another start');
  }
});
