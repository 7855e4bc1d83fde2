import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { get, KeptConnection } from '../workers/client.ts';
import { backend } from '../workers/running-workers.ts';
import { configurationFile } from './configuration.ts';
import { run } from './run-in-process.ts';
import { TurnoutProcess } from './turnout-process.ts';

t.setTimeout(180_000);

interface Status {
  readonly gateways: readonly { pid: number; state: string; attachment: string; epoch: number }[];
}

void t.test(
  'workers on Redis and Postgres are killed, replaced and stopped by signals, and serve on',
  async (t) => {
    const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)]);
    const finish = Promise.withResolvers<void>();
    const backendPort = await backend(t, (incoming, response) => {
      if (incoming.url !== '/slow') {
        response.end('ok');
        return;
      }
      response.write('begun ');
      void finish.promise.then(() => response.end('finished'));
    });
    const file = await configurationFile(
      t,
      `
listen: { port: 0 }
admin: { listen: { port: 0 } }
workers: 2
backends:
  legacy: { url: "http://127.0.0.1:${backendPort}" }
  new: { url: "http://127.0.0.1:${backendPort}" }
state: { kind: redis, url: "${redis.url}", keyPrefix: "${redis.prefix}" }
record: { kind: postgres, url: "${postgres.url}" }
identity: [{ from: header, name: x-user, trusted: true }]
cohorts: [{ name: everyone, default: true, stage: off }]
shutdown: { graceMs: 20000 }
`,
    );
    const turnout = new TurnoutProcess(t, ['start', '--config', file]);
    const { port, adminPort } = await turnout.ports();
    const online = { env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${adminPort}` } };
    const ready = async (): Promise<Status['gateways']> => {
      const status: Status = JSON.parse((await run(['status', '--json'], online)).out);
      return status.gateways.filter(({ state }) => state === 'ready');
    };
    const first = await ready();
    t.equal(first.length, 2);
    t.ok(first.every(({ attachment }) => attachment === 'attached'));

    process.kill(first[0]?.pid ?? 0, 'SIGKILL');
    await turnout.logged('worker_started');
    t.equal((await ready()).length, 2);

    const kept = new KeptConnection(port);
    t.teardown(() => kept.close());
    let replaced = false;
    const answers: { ok: boolean; problem?: string }[] = [];
    const load = [
      (async () => {
        while (!replaced) answers.push(await kept.get());
      })(),
      (async () => {
        while (!replaced) answers.push(await get(port, false));
      })(),
    ];
    turnout.signal('SIGUSR2');
    await turnout.logged('worker_replaced', 2);
    replaced = true;
    await Promise.all(load);
    t.ok(answers.length > 20, `${answers.length} requests`);
    t.same(
      answers.filter(({ ok }) => !ok),
      [],
    );

    const sent = request({ host: '127.0.0.1', port, path: '/slow', agent: false });
    sent.end();
    const [response] = await once(sent, 'response');
    turnout.signal('SIGTERM');
    await turnout.logged('stopping');
    finish.resolve();
    t.equal(await text(response), 'begun finished');
    t.equal(await turnout.end(), 0);
    t.equal(turnout.stderr, '');
  },
);
