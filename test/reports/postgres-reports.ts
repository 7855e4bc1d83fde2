/** Reports over a real record that flush only when they are told to. */
import { pino } from 'pino';
import type { Test } from 'tap';
import { createReports, type Reports } from '../../src/reports/create-reports.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';

const HOUR_MS = 3_600_000;

/**
 * @param url of a Postgres
 * @param now the clock of the reports, milliseconds
 * @returns started; closed with the test
 */
export async function postgresReports(
  t: Test,
  url: string,
  now: () => number,
): Promise<{ readonly record: RecordStore; readonly reports: Reports }> {
  const log = pino({ level: 'silent' });
  const record = await createRecord({ kind: 'postgres', url, poolMax: 4, statementMs: 10_000 }, log);
  t.teardown(() => record.close());
  const reports = createReports({
    store: record.reports,
    log,
    now,
    random: () => 0.5,
    redact: { paths: [], names: [] },
    sampleMs: 24 * HOUR_MS,
    flushMs: HOUR_MS,
    rulesPollMs: HOUR_MS,
  });
  await reports.start();
  t.teardown(() => reports.stop());
  return { record, reports };
}
