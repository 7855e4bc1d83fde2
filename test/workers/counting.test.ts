/** Each worker counts what it sends, and tells it: two workers through a real Redis. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { StampedReport } from '../../src/guard/slot-feed.ts';
import { createSlotFeed } from '../../src/state/create-slot-feed.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { startTurnout } from '../../src/workers/start-turnout.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { testConfig } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';
import { redisModel } from '../state/redis-setup.ts';
import { backend } from './running-workers.ts';

const REQUESTS = 60;

function get(port: number, user: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    // A connection each, so that both workers get some.
    const headers = { 'x-user': user, connection: 'close' };
    const sent = request({ host: '127.0.0.1', port, agent: false, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    sent.once('error', reject).end();
  });
}

void t.test(
  'what two workers send is told under the id of each, and nothing is lost or doubled',
  async (t) => {
    const [redis, postgres, port] = await Promise.all([
      startRedis(t),
      startPostgres(t),
      backend(t, (incoming, response) => {
        response.statusCode = incoming.headers['x-user'] === 'unlucky' ? 503 : 200;
        response.end('ok');
      }),
    ]);
    const state = redisModel({ url: redis.url, keyPrefix: redis.prefix });
    const written = testConfig({
      backends: { legacy: port, new: port },
      settings: { log: { level: 'error' } },
    });
    const telemetry = createTelemetry({ level: 'error', accessSample: 0, worker: 'primary' });
    const turnout = await startTurnout({
      config: {
        ...written,
        workers: 2,
        state,
        record: { kind: 'postgres', url: postgres.url, poolMax: 4, statementMs: 5_000 },
      },
      telemetry,
    });
    t.teardown(async () => {
      await turnout.kill();
      telemetry.close();
    });
    for (let i = 0; i < REQUESTS; i += 1) {
      await get(turnout.address.port, i % 4 === 0 ? 'unlucky' : `user ${i}`);
    }
    const metric = async (series: string): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${turnout.adminAddress.port}/metrics`);
      const line = (await answer.text()).split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? 0 : Number(line.slice(series.length + 1));
    };
    const labels = 'cohort="everyone",backend="legacy"';
    await within(
      (async () => {
        while ((await metric(`turnout_guard_attempts_total{${labels}}`)) < REQUESTS) await sleep(50);
      })(),
      'all requests to be told',
      20_000,
    );
    t.equal(await metric(`turnout_guard_attempts_total{${labels}}`), REQUESTS);
    t.equal(await metric(`turnout_guard_failures_total{${labels},kind="status"}`), REQUESTS / 4);
    t.equal(await metric('turnout_guard_reports_total{outcome="dropped"}'), 0);
    const feed = createSlotFeed({ state }, telemetry.log);
    t.teardown(() => feed.close());
    const reports: StampedReport[] = [];
    const sumOf = (what: 'requests' | 'failed'): number =>
      reports
        .flatMap(({ cohorts }) => [...(cohorts.get('everyone')?.legacy?.byGroup.values() ?? [])])
        .reduce((sum, counts) => sum + counts[what], 0);
    // What was counted last may still be on its way.
    while (sumOf('requests') < REQUESTS) reports.push(...(await feed.read()));
    t.equal(sumOf('requests'), REQUESTS);
    t.equal(sumOf('failed'), REQUESTS / 4);
    t.equal(new Set(reports.map(({ gateway }) => gateway)).size, 2, 'who has nothing to do reports too');
  },
);
