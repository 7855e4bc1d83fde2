/** The groups that one process has seen since it last told the record, bounded in number and in bytes. */
import { createHash } from 'node:crypto';
import type { Comparison, Difference } from '../comparison/difference.ts';
import { fromLegacy } from '../comparison/from-legacy.ts';
import { signatureOf, weightOf } from '../comparison/signature.ts';
import type { Backend, User } from '../model.ts';
import type { ComparedRead, NoiseRead } from '../shadow/report-sink.ts';
import { COHORTS_OF_A_GROUP_MAX } from './cohort-spread.ts';
import { type CohortCounts, type GroupDelta, NO_COHORT, OTHER } from './report-store.ts';
import type { Progress } from './tallies.ts';
import { UserSketch } from './user-sketch.ts';

/** Groups that wait to be told. A difference of one more is counted as `ungrouped`. */
export const GATHERED_GROUPS_MAX = 2_000;

interface Gathered {
  readonly id: string;
  readonly signature: string;
  readonly route: string;
  readonly difference: Pick<Difference, 'kind' | 'pattern'>;
  readonly types: string;
  readonly weight: number;
  readonly counts: {
    raw: number;
    confirmed: number;
    transient: number;
    flapping: number;
    unconfirmed: number;
  };
  noise: number;
  readonly firstSeen: number;
  lastSeen: number;
  lastConfirmed: number | undefined;
  /** What this process had counted of the route just before the first of these differences. */
  readonly from: Progress;
  readonly users: UserSketch;
  readonly cohorts: Map<string, { raw: number; confirmed: number; noise: number }>;
}

/**
 * By signature, one difference of each group, as it looks from legacy. A read counts once in a group, however many items
 * differ.
 * @param authoritative the backend on the left of the comparison
 */
export function groupsOf(
  route: string,
  comparison: Comparison,
  authoritative: Backend,
): ReadonlyMap<string, Difference> {
  const groups = new Map<string, Difference>();
  for (const found of comparison.differences) {
    const difference = fromLegacy(found, authoritative);
    const signature = signatureOf(route, difference);
    if (!groups.has(signature)) groups.set(signature, difference);
  }
  return groups;
}

/** Short enough to be typed, and the same in every process. */
export function groupIdOf(signature: string): string {
  return createHash('sha256').update(signature).digest('hex').slice(0, 16);
}

/** Text columns of the record take neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u2400');
}

export class GatheredGroups {
  #groups = new Map<string, Gathered>();

  /**
   * @param before what had been counted of the route before this read
   * @param key `undefined` as long as the record has not told it: users are not counted then
   * @returns the id; `undefined` where there is no room
   */
  add(
    signature: string,
    difference: Difference,
    read: ComparedRead,
    at: number,
    before: Progress,
    key: Uint8Array | undefined,
  ): string | undefined {
    const group = this.#group(read.route, signature, difference, at, before);
    if (group === undefined) return undefined;
    group.counts.raw += 1;
    if (read.verdict !== 'matched') group.counts[read.verdict] += 1;
    group.lastSeen = at;
    const cohort = cohortOf(group, read.cohort);
    cohort.raw += 1;
    if (read.verdict === 'confirmed') {
      group.lastConfirmed = at;
      cohort.confirmed += 1;
    }
    if (key !== undefined) addUser(group, read.user, key);
    return group.id;
  }

  /** A difference between two answers of the authoritative side. */
  addNoise(
    signature: string,
    difference: Difference,
    read: NoiseRead,
    at: number,
    before: Progress,
  ): boolean {
    const group = this.#group(read.route, signature, difference, at, before);
    if (group === undefined) return false;
    group.noise += 1;
    cohortOf(group, read.cohort).noise += 1;
    return true;
  }

  #group(
    route: string,
    signature: string,
    difference: Difference,
    at: number,
    before: Progress,
  ): Gathered | undefined {
    const known = this.#groups.get(signature);
    if (known !== undefined) return known;
    if (this.#groups.size >= GATHERED_GROUPS_MAX) return undefined;
    const { kind, left, right } = difference;
    const group: Gathered = {
      id: groupIdOf(signature),
      signature: storable(signature),
      route: storable(route),
      difference: { kind, pattern: storable(difference.pattern).slice(0, 1_024) },
      types: storable(
        kind === 'status' ? `${String(left.value)}>${String(right.value)}` : `${left.type}>${right.type}`,
      ),
      weight: weightOf(difference),
      counts: { raw: 0, confirmed: 0, transient: 0, flapping: 0, unconfirmed: 0 },
      noise: 0,
      firstSeen: at,
      lastSeen: at,
      lastConfirmed: undefined,
      from: before,
      users: new UserSketch(),
      cohorts: new Map(),
    };
    this.#groups.set(signature, group);
    return group;
  }

  get size(): number {
    return this.#groups.size;
  }

  /**
   * Takes up to `max` groups out, those with confirmed differences first.
   * @param toldOf what the record has of a route's counts
   */
  take(max: number, toldOf: (route: string) => Progress): GroupDelta[] {
    const all = [...this.#groups];
    if (all.length > max) all.sort(([, a], [, b]) => b.counts.confirmed - a.counts.confirmed);
    return all.slice(0, max).map(([signature, group]) => {
      this.#groups.delete(signature);
      return deltaOf(group, toldOf(group.route));
    });
  }
}

function cohortOf(
  group: Gathered,
  name: string | undefined,
): { raw: number; confirmed: number; noise: number } {
  const wanted = name ?? NO_COHORT;
  const isNew = !group.cohorts.has(wanted);
  const cohort = isNew && group.cohorts.size >= COHORTS_OF_A_GROUP_MAX ? OTHER : wanted;
  const known = group.cohorts.get(cohort) ?? { raw: 0, confirmed: 0, noise: 0 };
  group.cohorts.set(cohort, known);
  return known;
}

function addUser(group: Gathered, user: User | undefined, key: Uint8Array): void {
  if (user !== undefined) group.users.add(user, key);
}

function deltaOf(group: Gathered, told: Progress): GroupDelta {
  const cohorts: Record<string, CohortCounts> = Object.fromEntries(group.cohorts);
  return {
    id: group.id,
    signature: group.signature,
    route: group.route,
    kind: group.difference.kind,
    pattern: group.difference.pattern,
    types: group.types,
    weight: group.weight,
    ...group.counts,
    noise: group.noise,
    firstSeen: group.firstSeen,
    lastSeen: group.lastSeen,
    lastConfirmed: group.lastConfirmed,
    // Those of the route's counts that the record has already and that belong to this group's time.
    comparedBefore: Math.max(0, told.compared - group.from.compared),
    noiseReadsBefore: Math.max(0, told.noiseReads - group.from.noiseReads),
    users: group.users.encode(),
    cohorts,
  };
}
