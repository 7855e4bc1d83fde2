/** Reports over a real record, and what one would read of them. */
import type { Test } from 'tap';
import { createReportReader } from '../../src/reports/create-report-reader.ts';
import type { ReplayOutcome } from '../../src/shadow/read-replay.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { postgresReports } from '../reports/postgres-reports.ts';
import { answer, comparedRead, noiseRead } from '../reports/reads.ts';

export const LONG_ROUTE = `/api/${'x'.repeat(120)}/*`;

/** A record with a day's reads: a price that differs, an instant that is noise, a failure, a route never compared. */
export async function reportWorld(t: Test) {
  const server = await startPostgres(t);
  // A second a read, so that each may be sampled; all of it is over now.
  const clock = { at: Date.now() - 60_000 };
  const now = () => clock.at;
  const { record, reports } = await postgresReports(t, server.url, now);
  const body = (price: number, at: number) => answer({ price, at, email: 'ann@example.com' });
  for (let read = 0; read < 40; read += 1) {
    clock.at += 1_000;
    reports.compared(comparedRead(body(1, read), body(2, read + 1), { user: `u${read}` }));
    reports.compared(comparedRead(body(1, 1), body(1, 1)));
  }
  for (let read = 0; read < 20; read += 1) reports.noise(noiseRead(body(1, read), body(1, read + 1)));
  reports.skipped('orders', 'staff', 'breaker_open');
  await reports.flush();
  const replay: { outcome: ReplayOutcome } = { outcome: { kind: 'skipped', reason: 'backend_overloaded' } };
  const reader = createReportReader({
    store: record.reports,
    now,
    routes: () => [
      { name: 'orders', isShadowed: true, rules: { ignore: ['$.configured'] } },
      { name: LONG_ROUTE, isShadowed: true, rules: undefined },
      { name: '/static/*', isShadowed: false, rules: undefined },
    ],
    replay: { replay: () => Promise.resolve(replay.outcome) },
  });
  return { record, reports, reader, replay, body };
}
