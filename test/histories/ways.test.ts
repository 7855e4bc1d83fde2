/** The search for the likeliest way, against one that tries every way there is. */
import t from 'tap';
import { checkReads } from './checker/check-reads.ts';
import { checkStranded } from './checker/check-stranded.ts';
import { checkWrites } from './checker/check-writes.ts';
import type { Era } from './checker/eras.ts';
import type { Applied, Backend, Change, CohortAtStart, Operation, StageAndRamp } from './checker/history.ts';
import {
  type Cohorts,
  cohortsAfter,
  ledTo,
  ownerOf,
  type Standing,
  standingAfter,
} from './checker/owners.ts';
import { likeliestWay, type UserEvents } from './checker/ways.ts';
import { Seeded } from './seeded.ts';

const HISTORIES = 150;
const NINA = { user: 'nina', cohorts: [], plans: ['free', 'pro'] };
const COHORTS: readonly CohortAtStart[] = [
  { name: 'pro', salt: 'pro', plans: ['pro'], stage: 'shadow', ramp: '100%' },
  { name: 'all', salt: 'all', isDefault: true, stage: 'shadow', ramp: '100%' },
];

interface Given extends UserEvents {
  readonly changes: readonly Change[];
}

/** Some changes, many of which overlap, and what two backends did. */
function given(random: Seeded): Given {
  const changes = changesOf(random);
  const eras = oneOf(changes, random);
  // In some histories everything is as it should be, in others nothing.
  const astray = random.pick([0, 0, 0.05, 0.5]);
  // Between some changes nothing is seen.
  const gapMs = random.pick([70, 250]);
  const applied: Applied[] = [];
  const operations: Operation[] = [];
  for (let ms = 60, seq = 0; ms < 420; ms += random.between(10, gapMs)) {
    const owner = eras.findLast(({ fromMs }) => fromMs <= ms)?.owner ?? 'legacy';
    const other = owner === 'legacy' ? 'new' : 'legacy';
    const backend: Backend = random.chance(astray) ? other : owner;
    const late = astray === 0 ? 2 : 30;
    const [beganMs, endedMs] = [ms - random.between(0, late), ms + random.between(0, late)];
    const sent = { user: 'nina', gateway: 'one', beganMs, endedMs };
    if (random.chance(0.5)) {
      // A value that nobody wrote: what it shows is another matter.
      operations.push({ ...sent, kind: 'read', backend, value: 'unknown' });
      continue;
    }
    const value = `nina/${ms}`;
    // Some begin before the one before has ended.
    const beganSeq = random.chance(astray) ? Math.max(0, seq - 1) : seq + 1;
    seq += 2;
    applied.push({ backend, user: 'nina', value, beganSeq, appliedSeq: seq, beganMs, appliedMs: ms });
    const outcome = random.chance(0.8) ? 'ok' : 'unknown';
    operations.push({ ...sent, kind: 'write', value, outcome, told: '', endedMs: endedMs + 1 });
  }
  return { changes, applied, operations };
}

function changesOf(random: Seeded): readonly Change[] {
  const late = random.pick([5, 40, 120]);
  const changes: Change[] = [];
  const standing = new Map<string, StageAndRamp>(COHORTS.map((each) => [each.name, each]));
  for (let ms = 100; changes.length < 9; ms += random.between(2, 45)) {
    const cohort = random.pick(['pro', 'all']);
    const audited = {
      id: `${changes.length}`,
      outcome: 'done' as const,
      epoch: ms,
      requestedMs: ms - random.between(0, late),
      overMs: ms + random.between(0, late),
      note: '',
      movesTruth: random.chance(0.95),
      force: random.chance(0.5),
      cohort,
    };
    if (random.chance(0.3)) {
      changes.push({ ...audited, kind: 'members', action: 'reassign', users: ['nina'] });
      continue;
    }
    const from = standing.get(cohort) ?? { stage: 'shadow', ramp: '100%' };
    const to: StageAndRamp = { stage: from.stage === 'live' ? 'shadow' : 'live', ramp: '100%' };
    standing.set(cohort, to);
    changes.push({ ...audited, kind: 'cohort', from, to, kept: [] });
  }
  return changes;
}

/** One of the ways. */
function oneOf(changes: readonly Change[], random: Seeded): readonly Era[] {
  let cohorts: Cohorts = COHORTS;
  let standing = random.pick(placements({ membership: null, pin: null }, cohorts));
  const eras: Beginning[] = [{ owner: ownerOf(NINA, standing, cohorts), change: undefined }];
  for (const change of changes) {
    cohorts = cohortsAfter(cohorts, change);
    standing = random.pick(placements(standingAfter(standing, change, 'nina'), cohorts));
    const owner = ownerOf(NINA, standing, cohorts);
    if (owner !== eras.at(-1)?.owner) eras.push({ owner, change });
  }
  return erasFrom(eras);
}

type Beginning = Pick<Era, 'owner' | 'change'>;

interface Tried {
  readonly standing: Standing;
  readonly eras: readonly Beginning[];
  readonly wrong: number;
}

function placements(standing: Standing, cohorts: Cohorts): readonly Standing[] {
  if (standing.membership !== null) return [standing];
  const led = ledTo(NINA, cohorts).map((cohort) => ({ cohort, ordinal: undefined }));
  return [null, ...led].map((membership) => ({ ...standing, membership }));
}

/** How wrong the least wrong of all ways is. */
function leastWrong({ changes, applied, operations }: Given): number {
  let cohorts: Cohorts = COHORTS;
  let ways: readonly Tried[] = placements({ membership: null, pin: null }, cohorts).map((standing) => ({
    standing,
    eras: [{ owner: ownerOf(NINA, standing, COHORTS), change: undefined }],
    wrong: 0,
  }));
  for (const change of changes) {
    const after = cohortsAfter(cohorts, change);
    ways = ways.flatMap(({ standing, eras, wrong }) => {
      const isOdd = change.kind === 'members' && standing.membership?.cohort !== change.cohort;
      return placements(standingAfter(standing, change, 'nina'), after).map((next) => {
        const owner = ownerOf(NINA, next, after);
        const was = eras.at(-1)?.owner;
        const isUnheld = !change.movesTruth && owner !== undefined && was !== undefined && owner !== was;
        return {
          standing: next,
          eras: owner === was ? eras : [...eras, { owner, change }],
          wrong: wrong + Number(isOdd) + Number(isUnheld),
        };
      });
    });
    cohorts = after;
  }
  return Math.min(
    ...ways.map(({ eras, wrong }) => wrong + violationsOf(erasFrom(eras), applied, operations)),
  );
}

function erasFrom(beginnings: readonly Beginning[]): readonly Era[] {
  return beginnings.map(({ owner, change }, index) => {
    const end = beginnings[index + 1]?.change;
    return {
      owner,
      change,
      fromMs: change?.requestedMs ?? -Infinity,
      byMs: change?.overMs ?? -Infinity,
      untilMs: end?.requestedMs ?? Infinity,
      endedMs: end?.overMs ?? Infinity,
    };
  });
}

function violationsOf(
  eras: readonly Era[],
  applied: readonly Applied[],
  operations: readonly Operation[],
): number {
  const { placed, violations } = checkWrites(NINA, eras, applied, []);
  const reads = checkReads(eras, placed, operations);
  return violations.length + reads.length + checkStranded(eras, placed, operations).length;
}

void t.test('the way that is found is as good as the best of all there are', async (t) => {
  const found: number[] = [];
  for (let seed = 0; seed < HISTORIES; seed += 1) {
    const events = given(new Seeded(seed));
    const history = { cohorts: COHORTS, strandingForbidden: true };
    const way = likeliestWay(NINA, history, events.changes, events);
    const wrong = way.violations.length + violationsOf(way.eras, events.applied, events.operations);
    if (wrong !== leastWrong(events)) t.equal(wrong, leastWrong(events), `seed ${seed}`);
    found.push(wrong);
  }
  // Else it would say little.
  t.ok(found.filter((wrong) => wrong === 0).length > HISTORIES / 10, 'some are right');
  t.ok(found.filter((wrong) => wrong > 0).length > HISTORIES / 10, 'some are not');
});
