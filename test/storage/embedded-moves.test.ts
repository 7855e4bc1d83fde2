import t from 'tap';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite-sql.ts';
import { moveStatementContract } from './move-statement-contract.ts';

await t.test('moves of changes in the embedded record', async (t) => {
  const store = await openPglite(t.testdir());
  t.teardown(() => store.close());
  await migrate(store);
  await moveStatementContract(t, store);
});
