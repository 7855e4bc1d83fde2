import t from 'tap';
import type { TripDocument } from '../../../src/admin/guard-documents.ts';
import { cutAlike, historyEntries, historyMarks } from '../../../src/console/cohort/history-entries.ts';
import { changeDocument } from '../changes/change-documents.ts';

const TRIP: TripDocument = {
  id: 't1',
  cohort: 'beta',
  condition: {
    name: 'errors',
    metric: 'errorRate',
    over: 0.05,
    overLegacy: null,
    windowMs: 30_000,
    minRequests: 50,
    windows: { over: 1, of: 1 },
    confidence: 0.95,
    action: 'rollback',
    cohorts: null,
  },
  action: 'rollback',
  path: 'overwhelming',
  figures: {
    value: 1,
    lower: null,
    upper: null,
    legacyValue: null,
    threshold: 0.05,
    requests: 20,
    legacyRequests: 20,
    windowsOver: 0,
    evidence: 9,
    kinds: { connect: 20 },
    gateways: ['a'],
    apart: null,
  },
  stage: 'live',
  firstBadAt: null,
  trippedAt: '2026-11-21T09:10:00.000Z',
  change: 'c2',
  inForceAt: null,
  untilInForceMs: null,
  sinceFirstBadMs: null,
  note: null,
  clearedAt: null,
  clearedBy: null,
  notifiedAt: null,
  sentences: ['Everything failed.'],
};

const CHANGES = [
  changeDocument({ id: 'c2', kind: 'rollback', phase: 'done', createdAt: '2026-11-21T09:10:00.100Z' }),
  changeDocument({
    id: 'c1',
    phase: 'undone',
    note: 'b did not drain',
    createdAt: '2026-11-21T09:00:00.000Z',
  }),
];

void t.test('changes and trips are one list, newest first', async (t) => {
  t.same(
    historyEntries(CHANGES, [TRIP]).map(({ key, tone, state }) => [key, tone, state]),
    [
      ['change-c2', 'warn', 'done'],
      ['trip-t1', 'bad', 'not cleared'],
      ['change-c1', 'warn', 'undone'],
    ],
  );
  const [entry] = historyEntries([], [{ ...TRIP, clearedAt: 'then', clearedBy: 'ops' }]);
  t.equal(entry?.state, 'cleared by ops');
});

void t.test('the change that a trip began is marked once, at the trip', async (t) => {
  t.same(
    historyMarks(historyEntries(CHANGES, [TRIP])).map(({ number, at, label }) => [number, at, label]),
    [
      [1, Date.parse('2026-11-21T09:00:00Z') / 1_000, 'stage'],
      [2, Date.parse('2026-11-21T09:10:00Z') / 1_000, 'guard takes the cohort back: errors'],
    ],
  );
});

void t.test('what others wrote has nothing in it that a reader would not see', async (t) => {
  const [entry] = historyEntries([changeDocument({ reason: 'safe\u202egnp' })], []);
  t.equal(entry?.reason, 'safe gnp');
});

void t.test('the batches of one job are one entry, and those that were undone another', async (t) => {
  const batch = (id: string, second: number, more: Partial<ReturnType<typeof changeDocument>> = {}) =>
    changeDocument({
      id,
      kind: 'members-add',
      job: 'j1',
      users: 500,
      phase: 'done',
      createdAt: `2026-11-21T09:00:0${second}.000Z`,
      ...more,
    });
  const changes = [batch('b3', 3, { users: 1 }), batch('b2', 2, { phase: 'undone' }), batch('b1', 1)];
  t.same(
    historyEntries(changes, []).map(({ key, title }) => [key, title]),
    [
      ['change-b3', '501 users added, in 2 batches'],
      ['change-b2', '500 users added'],
    ],
  );
});

void t.test('where one list is cut off the other is too, so that nothing missing looks like quiet', (t) => {
  const changes = ['12', '11', '10'].map((hour) =>
    changeDocument({ id: hour, createdAt: `2026-11-21T${hour}:00:00.000Z` }),
  );
  const trips = [TRIP, { ...TRIP, id: 't0', trippedAt: '2026-11-21T11:30:00.000Z' }].toReversed();
  const cut = cutAlike({ items: changes, next: 'more' }, { items: trips, next: null });
  t.same([cut.changes.length, cut.trips.map(({ id }) => id), cut.isCut], [3, ['t0'], true]);
  const whole = cutAlike({ items: changes, next: null }, { items: trips, next: null });
  t.same([whole.changes.length, whole.trips.length, whole.isCut], [3, 2, false]);
  const byTrips = cutAlike({ items: changes, next: null }, { items: trips.slice(0, 1), next: 'more' });
  t.same([byTrips.changes.map(({ id }) => id), byTrips.trips.length, byTrips.isCut], [['12'], 1, true]);
  t.end();
});
