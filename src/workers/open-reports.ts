/** The reports of a process: what shadow reads tell, and what people read of it. */
import type { Logger } from 'pino';
import type { ConfigModel } from '../config/model.ts';
import { createReportReader, type ReportReader } from '../reports/create-report-reader.ts';
import { createReports, type ReportSettings, type Reports } from '../reports/create-reports.ts';
import { ReadReplay } from '../shadow/read-replay.ts';
import { createRecord } from '../storage/create-record.ts';
import type { RecordStore } from '../storage/record-store.ts';

const DAY_MS = 86_400_000;

export function reportSettings({ shadow }: Pick<ConfigModel, 'shadow'>): ReportSettings {
  return {
    redact: { paths: shadow.redact, names: shadow.redactNames },
    sampleMs: shadow.sampleDays * DAY_MS,
  };
}

/** Of a gateway. Not started yet. */
export function reportsOf(config: ConfigModel, record: Pick<RecordStore, 'reports'>, log: Logger): Reports {
  return createReports({
    store: record.reports,
    log,
    now: () => Date.now(),
    random: () => Math.random(),
    ...reportSettings(config),
  });
}

export interface OpenReader extends ReportReader {
  close(): Promise<void>;
}

/** @param config the one in force */
export function readerOf(config: () => ConfigModel, record: Pick<RecordStore, 'reports'>): OpenReader {
  const replay = new ReadReplay(config);
  const reader = createReportReader({
    store: record.reports,
    now: () => Date.now(),
    routes: () =>
      config().routes.map(({ name, shadow, compare }) => ({ name, isShadowed: shadow, rules: compare })),
    replay,
  });
  return {
    list: (filter) => reader.list(filter),
    show: (id) => reader.show(id),
    act: (id, actor, action) => reader.act(id, actor, action),
    verify: (id, actor) => reader.verify(id, actor),
    coverage: (periodMs, cohort) => reader.coverage(periodMs, cohort),
    report: (cohort, periodMs) => reader.report(cohort, periodMs),
    rules: (route) => reader.rules(route),
    tryRules: (route, written) => reader.tryRules(route, written),
    saveRules: (route, written, by) => reader.saveRules(route, written, by),
    close: () => {
      replay.close();
      return Promise.resolve();
    },
  };
}

/** For a primary, which serves no requests itself. `undefined` where the record belongs to another process. */
export async function openReader(config: () => ConfigModel, log: Logger): Promise<OpenReader | undefined> {
  if (config().record.kind === 'embedded') return undefined;
  const record = await createRecord(config().record, log);
  const reader = readerOf(config, record);
  return {
    ...reader,
    close: async () => {
      await reader.close();
      await record.close();
    },
  };
}
