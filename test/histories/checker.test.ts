/** The checker against histories written by hand: good ones pass, and each property is noticed when it is broken. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import t from 'tap';
import { importsOf } from '../tidy/scan-source.ts';
import { checkHistory } from './checker/check-history.ts';
import type {
  Applied,
  Backend,
  Change,
  CohortChange,
  History,
  MembersChange,
  Operation,
  PinChange,
  ReadSent,
  StageAndRamp,
  WriteSent,
} from './checker/history.ts';
import { bucketOf } from './checker/ramp-bucket.ts';

const SHADOW = { stage: 'shadow', ramp: '100%' } as const;
const LIVE = { stage: 'live', ramp: '100%' } as const;

/** A change of the cohort `all`, requested at `fromMs` and over at `byMs`. */
function change(to: StageAndRamp, fromMs: number, byMs: number, over: Partial<CohortChange> = {}): Change {
  return {
    kind: 'cohort',
    id: `at-${fromMs}`,
    cohort: 'all',
    from: to === LIVE ? SHADOW : LIVE,
    to,
    movesTruth: true,
    outcome: 'done',
    epoch: fromMs,
    requestedMs: fromMs,
    overMs: byMs,
    note: '',
    force: false,
    kept: [],
    ...over,
  };
}

/** An acknowledged write as both sides have it: the client from `ms - 2` to `ms + 3`, the backend from `ms` to `ms + 1`. */
function wrote(backend: Backend, ms: number, over: Partial<Applied> & Partial<WriteSent> = {}) {
  const user = over.user ?? 'nina';
  const value = over.value ?? `${user}/${ms}`;
  const applied: Applied = {
    backend,
    user,
    value,
    beganSeq: ms * 10,
    appliedSeq: ms * 10 + 1,
    beganMs: ms,
    appliedMs: ms + 1,
    ...over,
  };
  const sent: WriteSent = {
    kind: 'write',
    user,
    value,
    gateway: 'one',
    told: '200',
    outcome: 'ok',
    backend,
    ...over,
    beganMs: ms - 2,
    endedMs: ms + 3,
  };
  return { applied, sent };
}

/** A read from `ms` to `ms + 1`. */
function read(backend: Backend, ms: number, value: string | null): ReadSent {
  return { kind: 'read', user: 'nina', gateway: 'one', beganMs: ms, endedMs: ms + 1, backend, value };
}

type Event = ReturnType<typeof wrote> | ReadSent | Change;

function history(events: readonly Event[], over: Partial<History> = {}): History {
  const writes = events.flatMap((event) => ('applied' in event ? [event] : []));
  const operations: Operation[] = [
    ...writes.map(({ sent }) => sent),
    ...events.flatMap((event) => ('kind' in event && event.kind === 'read' ? [event] : [])),
  ];
  return {
    strandingForbidden: false,
    cohorts: [{ name: 'all', salt: 'all', ...SHADOW }],
    users: [{ user: 'nina', cohorts: ['all'] }],
    changes: events.flatMap((event) => ('outcome' in event && 'requestedMs' in event ? [event] : [])),
    applied: writes.map(({ applied }) => applied),
    operations,
    ...over,
  };
}

/** The properties that are violated, and what is said of them. */
function judged(given: History) {
  const { violations } = checkHistory(given);
  return {
    properties: [...new Set(violations.map(({ property }) => property))].toSorted((a, b) => a - b),
    text: violations.map(({ text }) => text).join('\n'),
  };
}

const GOOD: readonly Event[] = [
  wrote('legacy', 100),
  read('legacy', 110, 'nina/100'),
  change(LIVE, 200, 300),
  wrote('legacy', 210),
  wrote('new', 250),
  read('new', 320, 'nina/250'),
  wrote('new', 330),
  change(SHADOW, 400, 500),
  read('new', 450, 'nina/330'),
  wrote('legacy', 510),
  read('legacy', 520, 'nina/510'),
];

void t.test('a history in which everything is as it should be passes, and is counted', async (t) => {
  const { violations, counts } = checkHistory(history(GOOD));
  t.same(violations, []);
  t.match(counts, {
    writes: 5,
    acknowledged: 5,
    reads: 4,
    done: 2,
    undone: 0,
    moves: 2,
    duringChanges: 2,
  });
});

void t.test('1: the owner changes only where a change was made', async (t) => {
  const { properties, text } = judged(history([wrote('legacy', 100), wrote('new', 200)]));
  t.same(properties, [1]);
  t.match(text, 'nina/200 was applied by new');
});

void t.test('1: the owners follow each other as the changes did', async (t) => {
  const events = [
    wrote('legacy', 100),
    change(LIVE, 200, 300),
    wrote('new', 310),
    change(SHADOW, 400, 500, { id: 'never made', from: SHADOW }),
  ];
  const { properties, text } = judged(history(events));
  t.same(properties, [1], 'the audit contradicts itself');
  t.match(text, 'does not follow live 100%');
});

void t.test('1: a change that moves somebody has a hold, has an epoch of its own, and ends', async (t) => {
  t.match(judged(history([change(LIVE, 200, 300, { movesTruth: false })])), {
    properties: [1],
    text: 'without a hold',
  });
  t.match(judged(history([change(LIVE, 200, 300, { outcome: 'open' })])), {
    properties: [1],
    text: 'has not ended',
  });
  const twice = [change(LIVE, 200, 300, { epoch: 7 }), change(SHADOW, 400, 500, { epoch: 7 })];
  t.match(judged(history(twice)), { properties: [1], text: 'shares its epoch' });
});

void t.test('2: a write of the old owner after one of the new', async (t) => {
  const events = [change(LIVE, 200, 300), wrote('new', 220), wrote('legacy', 240)];
  t.match(judged(history(events)), { properties: [2], text: /nina\/240 .* after a write of the owner/u });
});

void t.test('2: a write of the old owner that had not ended when the new one began', async (t) => {
  const slow = wrote('legacy', 210, { appliedSeq: 2_255, appliedMs: 226 });
  const late = wrote('new', 225, { appliedSeq: 2_260, appliedMs: 227 });
  const { properties, text } = judged(history([change(LIVE, 200, 300), slow, late]));
  t.same(properties, [2]);
  t.match(text, 'had yet to apply nina/210');
  const inTurn = wrote('legacy', 210, { appliedSeq: 2_249, appliedMs: 224 });
  t.same(judged(history([change(LIVE, 200, 300), inTurn, late])).properties, [], 'as it should be');
});

void t.test('2: a write on its way is applied when its backend has lost the user', async (t) => {
  const late = wrote('legacy', 290, { appliedMs: 350, appliedSeq: 3_500 });
  t.match(judged(history([change(LIVE, 200, 300), late])), {
    properties: [2],
    text: 'that backend had lost it',
  });
});

void t.test('3: outside of a change every write goes to the owner', async (t) => {
  const events = [wrote('legacy', 100), change(LIVE, 200, 300), wrote('new', 310), wrote('legacy', 350)];
  t.match(judged(history(events)), { properties: [3], text: 'nina/350' });
  const back = [...events.slice(0, 3), change(SHADOW, 400, 500), wrote('legacy', 510), wrote('new', 520)];
  t.match(judged(history(back)), { properties: [3], text: 'nina/520' });
  const early = [wrote('new', 150), change(LIVE, 200, 300)];
  t.match(judged(history(early)), { properties: [1], text: 'nina/150' }, 'before its change was asked for');
  const others = change(LIVE, 200, 300, { cohort: 'others', from: SHADOW });
  t.match(judged(history([others, wrote('new', 350)])), { properties: [1] }, 'a change of other users');
});

function pin(to: Backend | null, ms: number, over: Partial<PinChange> = {}): PinChange {
  return {
    kind: 'pin',
    id: `pin-${ms}`,
    user: 'nina',
    to,
    changed: true,
    movesTruth: true,
    outcome: 'done',
    epoch: ms,
    requestedMs: ms,
    overMs: ms + 10,
    note: '',
    force: false,
    ...over,
  };
}

void t.test('a pin moves its user alone, and taking it away brings it back to its cohort', async (t) => {
  const users = ['nina', 'leo'].map((user) => ({ user, cohorts: ['all'] }));
  const events = [pin('new', 200), wrote('new', 250), wrote('legacy', 251, { user: 'leo' })];
  t.same(judged(history([...events, pin(null, 300), wrote('legacy', 350)], { users })).properties, []);
  t.same(judged(history([...events, wrote('legacy', 350)], { users })).properties, [3]);
  t.same(judged(history([...events, wrote('new', 350, { user: 'leo' })], { users })).properties, [1]);
});

void t.test('4: a read of the old truth after a write to the new one was acknowledged', async (t) => {
  const events = [wrote('legacy', 100), change(LIVE, 200, 300), wrote('new', 220)];
  // Acknowledged at 223, while the change is still under way.
  t.match(judged(history([...events, read('legacy', 230, 'nina/100')])), { properties: [4], text: 'legacy' });
  t.same(
    judged(history([...events, read('legacy', 222, 'nina/100')])).properties,
    [],
    'one that began before',
  );
  t.same(
    judged(history([...events, change(SHADOW, 400, 500), change(LIVE, 600, 700), read('legacy', 350, null)]))
      .properties,
    [4],
    'that a later change would allow it says nothing',
  );
});

void t.test('4: new fails to answer a read, and nothing was written there yet', async (t) => {
  const before = [wrote('legacy', 100), change(LIVE, 200, 300)];
  const there = read('legacy', 350, 'nina/100');
  t.same(judged(history([...before, there])).properties, []);
  t.same(judged(history([...before, read('legacy', 350, null)])).properties, [4], 'it sees what was written');
  t.same(judged(history([...before, there, wrote('new', 360)])).properties, [], 'written afterwards');
  t.same(judged(history([...before, wrote('new', 310), there])).properties, [4]);
  const back = [change(SHADOW, 400, 500, { force: true }), change(LIVE, 600, 700)];
  t.same(
    judged(history([...before, wrote('new', 310), ...back, read('legacy', 750, 'nina/100')])).properties,
    [],
    'another era',
  );
  t.same(
    judged(history([wrote('legacy', 100), read('new', 150, null)])).properties,
    [4],
    'never the other way',
  );
});

void t.test('4: a read sees what was acknowledged, and nobody else', async (t) => {
  const events = [wrote('legacy', 100), wrote('legacy', 120)];
  t.match(judged(history([...events, read('legacy', 130, null)])), { properties: [4], text: 'nothing' });
  t.match(judged(history([...events, read('legacy', 130, 'nina/100')])), {
    properties: [4],
    text: 'a later write',
  });
  t.same(
    judged(history([...events, read('legacy', 121, 'nina/100')])).properties,
    [],
    'not acknowledged yet',
  );
});

void t.test('5: an acknowledged write is in the log of its owner exactly once', async (t) => {
  const { applied, sent } = wrote('legacy', 100);
  t.match(judged(history([], { operations: [sent] })), { properties: [5], text: 'is in no log' });
  const again = { ...applied, appliedSeq: 1_100, beganSeq: 1_099 };
  t.match(judged(history([], { operations: [sent], applied: [applied, again] })), {
    properties: [5],
    text: 'was applied twice',
  });
  const elsewhere: WriteSent = { ...sent, backend: 'new' };
  t.match(judged(history([], { operations: [elsewhere], applied: [applied] })), {
    properties: [5],
    text: 'acknowledged by new and applied by legacy',
  });
  t.match(judged(history([], { applied: [applied] })), { properties: [5], text: 'nobody had sent it' });
});

void t.test('5: of unknown outcome at most once, and a refused one nowhere', async (t) => {
  const unknown = wrote('legacy', 100, { outcome: 'unknown' });
  t.same(judged(history([unknown])).properties, []);
  t.same(judged(history([], { operations: [unknown.sent] })).properties, []);
  const twice = [unknown.applied, { ...unknown.applied, appliedSeq: 1_100, beganSeq: 1_099 }];
  t.same(judged(history([], { operations: [unknown.sent], applied: twice })).properties, [5]);
  const refused = wrote('legacy', 100, { outcome: 'failed', told: '503 write_held' });
  t.match(judged(history([refused])), { properties: [5], text: 'was refused (503 write_held)' });
});

void t.test('6: writes that are left behind in new, where that is forbidden', async (t) => {
  const stranded = [change(LIVE, 200, 300), wrote('new', 350), change(SHADOW, 400, 500)];
  const forbidden = { strandingForbidden: true };
  t.match(judged(history(stranded, forbidden)), { properties: [6], text: 'were left behind in new' });
  t.same(judged(history(stranded)).properties, [], 'not forbidden');
  const broughtByForce = [change(LIVE, 200, 300, { force: true }), ...stranded.slice(1)];
  t.same(judged(history(broughtByForce, forbidden)).properties, [6], 'only the way back may be forced');
  const forced = [...stranded.slice(0, 2), change(SHADOW, 400, 500, { force: true })];
  t.same(judged(history(forced, forbidden)).properties, [], 'forced');
  const unpinned = [pin('new', 100), ...stranded, pin(null, 390, { force: true, overMs: 450 })];
  t.same(
    judged(history(unpinned, forbidden)).properties,
    [],
    'by a forced change of the user that was under way too',
  );
  const kept = [...stranded.slice(0, 2), change(SHADOW, 400, 500, { kept: ['nina'] }), wrote('new', 600)];
  t.same(judged(history(kept, forbidden)).properties, [], 'kept in new');
  const clean = [
    wrote('new', 350),
    change(SHADOW, 400, 500, { force: true }),
    change(LIVE, 600, 700),
    change(SHADOW, 800, 900),
  ];
  t.same(
    judged(history([change(LIVE, 200, 300), ...clean], forbidden)).properties,
    [],
    'since the last switch',
  );
});

void t.test('7: a change that was undone has moved nobody', async (t) => {
  const undone = change(LIVE, 200, 300, { outcome: 'undone', epoch: null });
  t.same(judged(history([undone, wrote('legacy', 250), wrote('legacy', 350)])).properties, []);
  t.match(judged(history([undone, wrote('new', 250)])), { properties: [7], text: 'which was undone' });
});

void t.test('a user is inside a ramp by its bucket, an explicit member by its place', async (t) => {
  const half = { stage: 'live', ramp: '50%' } as const;
  const users = Array.from({ length: 40 }, (_, index) => ({ user: `user ${index}`, cohorts: ['all'] }));
  const inside = users.filter(({ user }) => bucketOf('all', user) < 5_000);
  t.ok(inside.length > 5 && inside.length < 35);
  const events = users.map(({ user }, index) =>
    wrote(bucketOf('all', user) < 5_000 ? 'new' : 'legacy', 310 + index, { user }),
  );
  const ramped = change(half, 200, 300, { from: SHADOW });
  t.same(judged(history([ramped, ...events], { users })).properties, []);
  const outside = users.find(({ user }) => !inside.some((each) => each.user === user))?.user ?? '';
  const astray = wrote('new', 400, { user: outside });
  t.same(judged(history([ramped, ...events, astray], { users })).properties, [1]);

  const first = change({ stage: 'live', ramp: 1 }, 200, 300, { from: SHADOW });
  const members = ['nina', 'leo'].map((user, ordinal) => ({ user, cohorts: ['all'], ordinal }));
  const good = [first, wrote('new', 310), wrote('legacy', 311, { user: 'leo' })];
  t.same(judged(history(good, { users: members })).properties, []);
  t.same(judged(history([first, wrote('legacy', 310)], { users: members })).properties, [3]);
});

void t.test('a user whose attributes change keeps to one cohort, whichever it is', async (t) => {
  const cohorts = [
    { name: 'all', salt: 'all', ...SHADOW },
    { name: 'pro', salt: 'pro', ...SHADOW },
  ];
  const users = [{ user: 'nina', cohorts: ['all', 'pro'] }];
  const moved = change(LIVE, 200, 300, { cohort: 'pro' });
  const given = (events: readonly Event[]) =>
    judged(history([moved, ...events], { users, cohorts })).properties;
  t.same(given([wrote('new', 350), wrote('new', 360)]), []);
  t.same(given([wrote('legacy', 350), wrote('legacy', 360)]), []);
  t.same(given([wrote('legacy', 350), wrote('new', 360)]), [1]);
});

const FREE_AND_PRO = [
  { name: 'pro', salt: 'pro', plans: ['pro'], ...SHADOW },
  { name: 'all', salt: 'all', isDefault: true, ...SHADOW },
];
const CHANGING = [{ user: 'nina', cohorts: [], plans: ['free', 'pro'] }];

function moved(action: MembersChange['action'], cohort: string, ms: number, users = ['nina']): MembersChange {
  return {
    kind: 'members',
    id: `${action}-${ms}`,
    action,
    cohort,
    users,
    outcome: 'done',
    epoch: ms,
    requestedMs: ms,
    overMs: ms + 10,
    note: '',
    movesTruth: true,
    force: true,
  };
}

void t.test('a user is where its plans lead it, until a request gives it a membership', async (t) => {
  const given = (events: readonly Event[]) =>
    judged(history(events, { users: CHANGING, cohorts: FREE_AND_PRO })).properties;
  const live = change(LIVE, 200, 300, { cohort: 'pro' });
  t.same(given([wrote('legacy', 100), live, wrote('new', 350), wrote('new', 360)]), []);
  t.same(given([wrote('legacy', 100), live, wrote('new', 350), wrote('legacy', 360)]), [1], 'and no further');
  const again = [live, wrote('new', 350), moved('reassign', 'pro', 400), wrote('legacy', 450)];
  t.same(given(again), [], 'placed anew');
  t.same(given([live, wrote('legacy', 350), moved('reassign', 'pro', 400)]), [1], 'who was not placed there');
});

void t.test('the way of a user is found among however many there are', async (t) => {
  const cohorts = [...FREE_AND_PRO, { name: 'others', salt: 'others', ...SHADOW }];
  // The default cohort goes to and fro while a change that is not over yet keeps what was seen from being judged: at each
  // of these the user may have come to either cohort.
  const flips = Array.from({ length: 300 }, (_, n) =>
    change(n % 2 === 0 ? LIVE : SHADOW, 200 + 10 * n, 204 + 10 * n),
  );
  const slow = change(LIVE, 150, 9_000, { cohort: 'others', epoch: 9_000 });
  // It came to `pro` before all of that.
  const events = [
    ...flips,
    wrote('legacy', 207),
    change(LIVE, 4_000, 4_100, { cohort: 'pro' }),
    read('new', 4_200, null),
    wrote('new', 4_300),
    change(SHADOW, 4_400, 4_500, { cohort: 'pro', force: true }),
    slow,
  ];
  const given = (more: readonly Event[]) =>
    judged(history([...events, ...more], { users: CHANGING, cohorts }));
  t.same(given([]).properties, []);
  // Each of these is wrong for every one of them.
  t.same(given([read('new', 4_600, 'nina/4300')]).properties, [4]);
  t.same(given([wrote('new', 4_600)]).properties, [3]);
});

void t.test('an edited rule leads elsewhere whom no request has placed', async (t) => {
  const users = [{ user: 'nina', cohorts: [], plans: ['free'] }];
  const edit = change(SHADOW, 100, 120, {
    cohort: 'pro',
    from: SHADOW,
    plans: ['pro', 'free'],
    movesTruth: false,
  });
  const live = change(LIVE, 200, 300, { cohort: 'pro' });
  const given = (events: readonly Event[]) =>
    judged(history(events, { users, cohorts: FREE_AND_PRO })).properties;
  t.same(given([edit, live, wrote('new', 350)]), []);
  t.same(given([live, wrote('new', 350)]), [1], 'without the edit');
});

void t.test('members come and go, and the audit says of whom that is true', async (t) => {
  const users = [{ user: 'nina', cohorts: ['all'] }];
  const cohorts = [...FREE_AND_PRO, { name: 'team', salt: 'team', ...LIVE }];
  const given = (events: readonly Event[]) => judged(history(events, { users, cohorts })).properties;
  const added = [wrote('legacy', 100), moved('add', 'team', 200), wrote('new', 250)];
  t.same(given(added), []);
  t.same(given([wrote('legacy', 100), moved('add', 'team', 200, ['leo']), wrote('new', 250)]), [1]);
  t.same(given([moved('remove', 'team', 200)]), [1], 'who was not in it');
  const unheld = { ...moved('add', 'team', 200), movesTruth: false };
  t.match(judged(history([unheld], { users, cohorts })), { properties: [1], text: /without a hold/u });
  const kept = change(SHADOW, 300, 400, { cohort: 'team', kept: ['nina'] });
  t.same(given([...added, kept, wrote('new', 450)]), []);
  t.same(given([kept]), [1], 'who was not in new');
  t.same(given([pin('new', 200, { changed: false })]), [1], 'a pin that altered nothing');
});

void t.test('the checker knows nothing of what it checks', async (t) => {
  // The sources, also when this runs compiled.
  const root = join(import.meta.dirname, '../..');
  const checkout = root.endsWith(`${sep}build`) ? dirname(root) : root;
  const folder = join(checkout, 'test/histories/checker');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  t.ok(files.length > 5);
  for (const name of files) {
    for (const { specifier } of importsOf(readFileSync(join(folder, name), 'utf8'))) {
      const inside = !relative(folder, join(folder, specifier)).startsWith('..');
      t.ok(specifier.startsWith('./') && inside, `${name} imports ${specifier}`);
    }
  }
});
