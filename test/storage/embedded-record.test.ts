import { pino } from 'pino';
import t from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { recordContract } from './record-contract.ts';

const log = pino({ level: 'silent' });

await t.test('the embedded record', async (t) => {
  const dir = t.testdir();
  const record = await createRecord({ kind: 'embedded', dir }, log);
  await recordContract(t, record);

  await t.test('a second opener of the directory is refused', async (t) => {
    await t.rejects(createRecord({ kind: 'embedded', dir }, log), {
      message: new RegExp(`in use by process ${process.pid}`),
    });
  });

  await t.test('what was written is there after it was closed and opened again', async (t) => {
    const map = await record.createMap();
    await record.writeUser({
      mapId: map.id,
      user: 'kept',
      record: { ...ABSENT_RECORD, pin: 'new' },
      epochFrom: 'record',
    });
    await record.close();
    const again = await createRecord({ kind: 'embedded', dir }, log);
    t.teardown(() => again.close());
    t.equal((await again.readUser('kept'))?.record.pin, 'new');
    t.equal((await again.createMap()).id, map.id);
  });
});
