import t from 'tap';
import { get } from './client.ts';
import { backend, SERVED, startWorkers, workersConfig } from './running-workers.ts';

// Processes are slow to start where many tests run at once.
t.setTimeout(90_000);

void t.test('workers share one port, and the metrics are their sum', async (t) => {
  const { port, pids, metric, admin } = await startWorkers(t, 3, workersConfig(await backend(t)));
  const answers = await Promise.all(Array.from({ length: 60 }, () => get(port, false)));
  t.ok(answers.every(({ ok }) => ok));
  const seen = new Set(answers.map(({ worker }) => worker));
  const running = await pids();
  t.equal(running.length, 3);
  t.ok([...seen].every((pid) => running.includes(pid)));
  t.equal(await metric(SERVED), 60);
  t.equal(await metric('turnout_overhead_seconds_count'), 60);
  t.equal(await metric('turnout_workers{state="ready"}'), 3);
  t.equal(await metric('turnout_epoch'), 1);
  const metrics = await admin('/metrics');
  for (const worker of ['1', '2', '3', 'primary']) {
    t.match(metrics, `process_resident_memory_bytes{worker="${worker}"}`);
  }
  t.match(JSON.parse(await admin('/readyz')), { status: 'ready', workers: { ready: 3, wanted: 3 } });
});

void t.test('explain and status are answered by a worker', async (t) => {
  const { admin } = await startWorkers(t, 2, workersConfig(await backend(t)));
  t.match(JSON.parse(await admin('/api/v1/explain?path=/a&header.x-user=nina')), {
    user: 'nina',
    decision: { target: 'new', cohort: 'movers' },
  });
  t.match(JSON.parse(await admin('/api/v1/explain?path=/%25zz/..%252f')), { path: '/%zz/..%2f' });
  t.match(JSON.parse(await admin('/api/v1/status')), {
    cohorts: [
      { name: 'movers', stage: 'complete' },
      { name: 'everyone', default: true },
    ],
    gateways: [{ worker: '1', epoch: 1, attachment: 'attached' }, { worker: '2' }],
  });
});

void t.test('a worker that does not answer is reported, and holds nobody up for long', async (t) => {
  const { port, pids, metric, admin } = await startWorkers(t, 2, workersConfig(await backend(t)));
  await Promise.all(Array.from({ length: 10 }, () => get(port, false)));
  t.equal(await metric(SERVED), 10);
  const [stopped = 0] = await pids();
  process.kill(stopped, 'SIGSTOP');
  t.teardown(() => process.kill(stopped, 'SIGCONT'));
  const metrics = await admin('/metrics');
  t.match(metrics, 'turnout_workers{state="silent"} 1');
  t.match(metrics, `${SERVED} 10`, 'with the figures it told last');
  t.match(JSON.parse(await admin('/readyz')), { status: 'ready' });
  const status = JSON.parse(await admin('/api/v1/status'));
  t.match(
    status.gateways.find(({ pid }: { pid: number }) => pid === stopped),
    { state: 'silent', epoch: null },
  );
});

void t.test('a reload reaches every worker', async (t) => {
  const port = await backend(t, (incoming, response) => response.end(String(incoming.headers['via'])));
  const { turnout, config, admin } = await startWorkers(t, 2, workersConfig(port));
  const { routes } = workersConfig(port, { routes: [{ match: '/moved/*', backend: 'new' }] });
  await turnout.reload({ ...config, routes });
  for (let index = 0; index < 4; index += 1) {
    t.match(JSON.parse(await admin('/api/v1/explain?path=/moved/x')), {
      route: 'moved',
      decision: { target: 'new' },
    });
  }
});
