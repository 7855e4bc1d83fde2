/** Two workers on Redis and Postgres, as the program runs them, over two backends that answer with their names. */
import type { Test } from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { backend } from '../workers/running-workers.ts';
import { configurationFile } from './configuration.ts';
import { TurnoutProcess } from './turnout-process.ts';

export interface TwoWorkers {
  readonly turnout: TurnoutProcess;
  /** The configuration's path. */
  readonly file: string;
  readonly port: number;
  readonly adminUrl: string;
}

/**
 * @param tokens YAML of `admin.tokens`; everybody is served, by default in cohort `everyone`, which is `off`
 * @param statusOfNew what `new` answers with
 */
export async function twoWorkers(
  t: Test,
  tokens = '[]',
  statusOfNew: () => number = () => 200,
): Promise<TwoWorkers> {
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)]);
  const [legacy, next] = await Promise.all(
    ['legacy', 'new'].map((name) =>
      backend(t, (incoming, response) => {
        incoming.resume();
        response.statusCode = name === 'new' ? statusOfNew() : 200;
        response.end(name);
      }),
    ),
  );
  const file = await configurationFile(
    t,
    `
listen: { port: 0 }
admin: { listen: { port: 0 }, tokens: ${tokens} }
workers: 2
backends:
  legacy: { url: "http://127.0.0.1:${legacy}" }
  new: { url: "http://127.0.0.1:${next}" }
state: { kind: redis, url: "${redis.url}", keyPrefix: "${redis.prefix}" }
record: { kind: postgres, url: "${postgres.url}" }
identity: [{ from: header, name: x-user, trusted: true }]
cohorts: [{ name: everyone, default: true, stage: off }]
`,
  );
  const turnout = new TurnoutProcess(t, ['start', '--config', file]);
  const { port, adminPort } = await turnout.ports();
  return { turnout, file, port, adminUrl: `http://127.0.0.1:${adminPort}` };
}
