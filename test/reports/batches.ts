/** A record that keeps the batches that it is told, and fails when it is asked to. */
import type { BatchOutcome, ReportBatch, ReportStore } from '../../src/reports/report-store.ts';

export interface Batches extends ReportStore {
  readonly told: ReportBatch[];
  /** Thrown instead of taking anything. */
  failure: Error | undefined;
  outcome: Partial<BatchOutcome>;
  rulesVersion: number;
  /** Called when a batch comes, before it is answered. */
  onBatch: (() => Promise<void>) | undefined;
}

function unasked(): Promise<never> {
  return Promise.reject(new Error('nobody was to ask for this'));
}

export function batches(over: Partial<ReportStore> = {}): Batches {
  const self: Batches = {
    told: [],
    failure: undefined,
    outcome: {},
    rulesVersion: 0,
    onBatch: undefined,
    reportKey: () => Promise.resolve(Buffer.alloc(32, 1)),
    async applyReportBatch(batch) {
      await self.onBatch?.();
      if (self.failure !== undefined) throw self.failure;
      self.told.push(batch);
      return { refusedGroups: [], refusedSamples: 0, samples: new Map(), reopened: [], ...self.outcome };
    },
    reportUpkeep: () => Promise.resolve(true),
    countMismatchGroups: () => Promise.resolve(new Map()),
    comparisonRulesVersion: () => Promise.resolve(self.rulesVersion),
    comparisonRules: () => Promise.resolve([]),
    listMismatchGroups: unasked,
    readMismatchGroup: unasked,
    mismatchSamples: unasked,
    mismatchSamplesOf: unasked,
    mismatchEvents: unasked,
    changeMismatchGroup: unasked,
    noteMismatchEvent: unasked,
    armMismatchWatch: unasked,
    mismatchWatch: unasked,
    coverageCounts: unasked,
    comparisonTotals: unasked,
    countedReads: unasked,
    comparisonRulesHistory: unasked,
    saveComparisonRules: unasked,
    ...over,
  };
  return self;
}
