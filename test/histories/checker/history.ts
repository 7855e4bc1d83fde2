/**
 * What a run leaves behind, and all that the checker knows of it. Nothing here or beside it imports the product:
 * what it should do is written down a second time, from the documentation, so that one mistake is not made twice.
 *
 * All times are milliseconds of the machine's monotonic clock, which is the same for every process.
 */

export type Backend = 'legacy' | 'new';
export type Stage = 'off' | 'dualwrite' | 'shadow' | 'live' | 'rampdown' | 'complete';

/** `25%`, or a number of members. */
export type Ramp = string | number;

export interface StageAndRamp {
  readonly stage: Stage;
  readonly ramp: Ramp;
}

/** A cohort as it was when the run began. They are in the order in which their rules are tried. */
export interface CohortAtStart extends StageAndRamp {
  readonly name: string;
  readonly salt: string;
  /** Its rule: users with one of these plans; without it no rule. */
  readonly plans?: readonly string[];
  /** It takes whom no rule takes. */
  readonly isDefault?: boolean;
}

export interface UserAtStart {
  readonly user: string;
  /** The cohort that it is a member of; one of these, when there are several. Without any, its plans lead it. */
  readonly cohorts: readonly string[];
  /** The place among the explicit members. */
  readonly ordinal?: number;
  /**
   * With each request one of these, by which rules place it. Where they lead it, and since when it stays there, was
   * decided by requests that nobody noted.
   */
  readonly plans?: readonly string[];
}

/** A write that a backend applied. Both backends share one order. */
export interface Applied {
  readonly backend: Backend;
  readonly user: string;
  readonly value: string;
  /** Place in the order in which writes begin and end, of both backends together. */
  readonly beganSeq: number;
  readonly appliedSeq: number;
  readonly beganMs: number;
  readonly appliedMs: number;
}

interface Sent {
  readonly user: string;
  readonly gateway: string;
  readonly beganMs: number;
  readonly endedMs: number;
}

/** `failed`: refused, and so certainly not applied. `unknown`: nobody can say. */
export interface WriteSent extends Sent {
  readonly kind: 'write';
  /** Unique. */
  readonly value: string;
  readonly outcome: 'ok' | 'failed' | 'unknown';
  /** Who acknowledged it. */
  readonly backend?: Backend;
  /** For people: the status and the code of the answer, or the error. */
  readonly told: string;
}

/** A read that was answered. */
export interface ReadSent extends Sent {
  readonly kind: 'read';
  readonly backend: Backend;
  /** The value last written there; `null` when there was none. */
  readonly value: string | null;
}

export type Operation = WriteSent | ReadSent;

interface AuditedChange {
  readonly id: string;
  readonly outcome: 'done' | 'undone' | 'open';
  /** The epoch of the new truth; `null` when there is none. */
  readonly epoch: number | null;
  /** Nothing of it was in force before, and all of it afterwards. */
  readonly requestedMs: number;
  readonly overMs: number;
  readonly note: string;
}

/** A stage, a ramp or a rule of a cohort. */
export interface CohortChange extends AuditedChange {
  readonly kind: 'cohort';
  readonly cohort: string;
  readonly from: StageAndRamp;
  readonly to: StageAndRamp;
  /** The plans of its rule, when that is another one than before. */
  readonly plans?: readonly string[];
  readonly movesTruth: boolean;
  /** Writes in `new` were knowingly left behind. */
  readonly force: boolean;
  /** Users who stay in `new` because they wrote there: they are pinned. */
  readonly kept: readonly string[];
}

/** A pin of one user; `to` is `null` when it is taken away. */
export interface PinChange extends AuditedChange {
  readonly kind: 'pin';
  readonly user: string;
  readonly to: Backend | null;
  /** False when the user was pinned like that already. */
  readonly changed: boolean;
  readonly movesTruth: boolean;
  readonly force: boolean;
}

/** Users who were made members of a cohort, or taken out of it: one batch of a job. */
export interface MembersChange extends AuditedChange {
  readonly kind: 'members';
  /** `reassign` takes out those whom a rule had placed. */
  readonly action: 'add' | 'remove' | 'reassign';
  readonly cohort: string;
  /** Those whose membership is another one since; who stayed because of its writes is not among them. */
  readonly users: readonly string[];
  readonly movesTruth: boolean;
  readonly force: boolean;
}

export type Change = CohortChange | PinChange | MembersChange;

export interface History {
  /** Whether nobody's writes may be left behind in `new` by a change that is not forced. */
  readonly strandingForbidden: boolean;
  readonly cohorts: readonly CohortAtStart[];
  readonly users: readonly UserAtStart[];
  readonly changes: readonly Change[];
  readonly applied: readonly Applied[];
  readonly operations: readonly Operation[];
}

/** What must not be, by the number of the property in `check-history.ts`. */
export interface Violation {
  readonly property: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  readonly user?: string;
  readonly text: string;
}
