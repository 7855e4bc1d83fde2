/** Fallback reads of two gateways that share real stores, and of one with an embedded record. */
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createGateway } from '../../src/gateway.ts';
import type { Cohort } from '../../src/model.ts';
import { createEmbeddedState } from '../../src/state/embedded-state.ts';
import type { StateMap } from '../../src/state/state-map.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { startBackend } from '../harness/backend.ts';
import { testConfig } from '../harness/gateway.ts';
import { freshRecord, openState, redisModel, startStores, untilDetached } from '../state/redis-setup.ts';
import { cohort } from '../state/state-map-contract.ts';

const stores = await startStores(t);

const COHORTS: readonly Cohort[] = [
  cohort('movers', { stage: 'live', isDefault: true, era: { number: 1, tracked: true } }),
];

interface Front {
  /** One request; who answered it, or the status if it failed. */
  ask(user: string, method?: string): Promise<string>;
}

/** `new` takes writes and answers no read. */
async function startFronts(t: Test, states: readonly StateMap[]): Promise<readonly Front[]> {
  const legacy = await startBackend(t, (_request, response) => void response.end('legacy'));
  const next = await startBackend(t, (request, response) => {
    request.resume();
    if (request.method === 'GET') response.writeHead(500).end('broken');
    else response.end('new');
  });
  const config = testConfig({ backends: { legacy: legacy.port, new: next.port } });
  return Promise.all(
    states.map(async (state) => {
      const telemetry = createTelemetry({
        level: 'error',
        accessSample: 0,
        destination: { write: () => {} },
      });
      const gateway = await createGateway({ config, state, telemetry });
      t.teardown(async () => {
        await gateway.close({ graceMs: 200 });
        telemetry.close();
      });
      return {
        async ask(user: string, method = 'GET'): Promise<string> {
          const answer = await fetch(`http://127.0.0.1:${gateway.address.port}/`, {
            method,
            headers: { 'x-user': user },
            ...(method === 'POST' ? { body: 'x' } : {}),
          });
          const text = await answer.text();
          return answer.ok ? text : String(answer.status);
        },
      };
    }),
  );
}

await t.test('who has written through one gateway is not shown the old truth by the other', async (t) => {
  const record = await freshRecord(t, stores);
  const open = (): Promise<StateMap> =>
    openState(t, redisModel({ url: stores.redis.url }), record, { cohorts: COHORTS, settledMs: 0 });
  const [one, two] = await startFronts(t, [await open(), await open()]);
  if (one === undefined || two === undefined) throw new Error('there are two');
  for (let n = 0; n < 8; n += 1) {
    const user = `user-${n}`;
    t.equal(await two.ask(user), 'legacy', 'before any write');
    t.equal(await one.ask(user, 'POST'), 'new');
    t.equal(await two.ask(user), '500', 'right after its acknowledgement');
    t.equal(await one.ask(user), '500');
  }
  t.equal(await two.ask('another'), 'legacy');
});

await t.test('while a store is away nothing falls back, and afterwards it does again', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: stores.redis.url }), record, {
    cohorts: COHORTS,
    settledMs: 0,
  });
  const [front] = await startFronts(t, [state]);
  t.equal(await front?.ask('nina'), 'legacy');
  await stores.postgres.kill();
  t.equal(await front?.ask('nina'), '500');
  await stores.postgres.start();
  while ((await front?.ask('nina')) !== 'legacy');
  const detached = untilDetached(state);
  await stores.redis.kill();
  t.equal(await front?.ask('nina'), '500');
  await detached;
  t.equal(await front?.ask('nina'), '500');
  await stores.redis.start();
  while ((await front?.ask('nina')) !== 'legacy');
  t.pass('both are back');
});

await t.test('with an embedded record', async (t) => {
  const log = pino({ level: 'silent' });
  const record = await createRecord({ kind: 'embedded', dir: t.testdir() }, log);
  t.teardown(() => record.close());
  const state = createEmbeddedState({ record, cohorts: COHORTS, userCacheMax: 100, recordMs: 5_000, log });
  await state.start();
  t.teardown(() => state.close());
  const [front] = await startFronts(t, [state]);
  t.equal(await front?.ask('nina'), 'legacy');
  t.equal(await front?.ask('nina', 'POST'), 'new');
  t.equal(await front?.ask('nina'), '500');
  t.equal(await front?.ask('leo'), 'legacy');
});
