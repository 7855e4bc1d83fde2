import { pino } from 'pino';
import t from 'tap';
import { createEmbeddedState } from '../../src/state/embedded-state.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { stateMapContract } from './state-map-contract.ts';

const log = pino({ level: 'silent' });

await t.test('the embedded state map', async (t) => {
  const dir = t.testdir();
  const record = await createRecord({ kind: 'embedded', dir }, log);
  t.teardown(() => record.close());
  await stateMapContract(t, {
    shared: false,
    async open(cohorts) {
      const state = createEmbeddedState({ record, cohorts, userCacheMax: 1000, recordMs: 5000, log });
      await state.start();
      return state;
    },
  });
});
