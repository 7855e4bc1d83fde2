/** A day in which everything differs differently, told by two processes. Simulated: the clock is an argument. */
import { pino } from 'pino';
import type { Test } from 'tap';
import { createReports } from '../../src/reports/create-reports.ts';
import { REPORT_BOUNDS } from '../../src/reports/report-store.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { answer, comparedRead } from '../reports/reads.ts';

const MINUTE = 60_000;
const STEP = 30 * MINUTE;
/** After all that the contract tells the same record. */
const BEGIN = Date.UTC(2027, 0, 1);
/** More than a process keeps between two flushes. */
const READS_A_STEP = 2_100;

/** @returns what was seen on the way */
export async function dayOfMismatches(
  t: Test,
  record: RecordStore,
): Promise<{ readonly reads: number; readonly groups: number; readonly slowestFlushMs: number }> {
  const clock = { at: BEGIN };
  const processes = [0, 1].map(() =>
    createReports({
      store: record.reports,
      log: pino({ level: 'silent' }),
      now: () => clock.at,
      random: () => 0.5,
      redact: { paths: [], names: [] },
      sampleMs: 24 * 60 * MINUTE,
      flushMs: 3_600_000,
      rulesPollMs: 3_600_000,
    }),
  );
  for (const process of processes) await process.start();
  t.teardown(() => Promise.all(processes.map((process) => process.stop())));
  let reads = 0;
  let slowestFlushMs = 0;
  // One pair of bodies; what differs is said by the read, so that the test costs what the reports cost.
  const read = comparedRead(answer({ padding: 'x'.repeat(20_000), a: 1 }), answer({ a: 2 }));
  const [difference] = read.comparison.differences;
  for (; clock.at < BEGIN + 24 * 60 * MINUTE; clock.at += STEP) {
    for (const process of processes) {
      for (let at = 0; at < READS_A_STEP; at += 1) {
        reads += 1;
        if (difference === undefined) continue;
        const one = { ...difference, pattern: `$.field${reads}`, path: `$.field${reads}` };
        const comparison = { ...read.comparison, differences: [one] };
        process.compared({
          ...read,
          route: `route-${reads % 40}`,
          cohort: `cohort-${reads % 5}`,
          comparison,
        });
      }
      const begun = performance.now();
      await process.flush();
      slowestFlushMs = Math.max(slowestFlushMs, performance.now() - begun);
    }
  }
  const groups = await record.reports.listMismatchGroups(clock.at);
  t.equal(groups.length, REPORT_BOUNDS.groupsMax, 'no more groups than the bound');
  const rows = await record.reports.coverageCounts(BEGIN, clock.at);
  const told = rows.flatMap(({ pairs }) => pairs).reduce((sum, { compared }) => sum + compared, 0);
  t.equal(told, reads, 'every read was counted');
  const ungrouped = rows.reduce((sum, { sides }) => sum + (sides.get('ungrouped') ?? 0), 0);
  t.ok(ungrouped > reads / 4, 'what found no place is counted');
  const samples = groups.reduce((sum, group) => sum + group.samples, 0);
  t.ok(samples > 0 && samples <= REPORT_BOUNDS.groupsMax * REPORT_BOUNDS.samplesEachGroupMax);
  return { reads, groups: groups.length, slowestFlushMs };
}
