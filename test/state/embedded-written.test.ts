import { pino } from 'pino';
import t from 'tap';
import { createEmbeddedState } from '../../src/state/embedded-state.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { SEEDS } from './state-map-contract.ts';
import { writtenContract } from './written-contract.ts';

const log = pino({ level: 'silent' });

await t.test('who wrote, in an embedded map', async (t) => {
  const record = await createRecord({ kind: 'embedded', dir: t.testdir() }, log);
  t.teardown(() => record.close());
  const options = { record, cohorts: SEEDS, userCacheMax: 1_000, recordMs: 5_000, log };
  const state = createEmbeddedState(options);
  await state.start();
  t.teardown(() => state.close());
  await writtenContract(t, state, state, record);
});
