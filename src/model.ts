/**
 * The glossary of Turnout as types. Every room speaks these words; none redefines them.
 */

/** One of the two systems. */
export type Backend = 'legacy' | 'new';

/** What we intend for a cohort, in the order in which a migration passes through them. */
export const STAGES = ['off', 'dualwrite', 'shadow', 'live', 'rampdown', 'complete'] as const;
export type Stage = (typeof STAGES)[number];

/** Reads may be answered by either side and repeated; writes go to the owner of the user's data only. */
export type RequestClass = 'read' | 'write';

/** What has happened to one user's data. Never inferred: a user without a state has `undefined`. */
export type UserState = 'migrating' | 'migrated' | 'failed';

/** An opaque key for whom a request belongs to: 1 to 256 bytes of UTF-8. */
export type User = string;

export const USER_BYTES_MAX = 256;

/** The number of ramp buckets: one bucket is 0.01 %. */
export const RAMP_BUCKETS = 10_000;

/**
 * The share of a cohort that has the cohort's stage; the rest has the stage before it.
 * `percent` counts buckets of 0.01 % (0 to 10,000); `count` admits members by the order they were added.
 */
export type Ramp =
  | { readonly kind: 'percent'; readonly buckets: number }
  | { readonly kind: 'count'; readonly count: number };

/** Where an attribute of a request comes from; `name` is lower case for `header`, as written otherwise. */
export interface AttributeRef {
  readonly source: 'header' | 'claim' | 'cookie' | 'query' | 'path' | 'user';
  /** Empty for `user`. */
  readonly name: string;
}

/** A condition on a request's attributes that places its user in a cohort. */
export type Rule =
  | { readonly kind: 'in'; readonly attribute: AttributeRef; readonly values: readonly string[] }
  | { readonly kind: 'prefix'; readonly attribute: AttributeRef; readonly prefix: string }
  | { readonly kind: 'exists'; readonly attribute: AttributeRef }
  | { readonly kind: 'all'; readonly rules: readonly Rule[] }
  | { readonly kind: 'any'; readonly rules: readonly Rule[] }
  | { readonly kind: 'not'; readonly rule: Rule };

/**
 * Which marks of writes to `new` count in a cohort. A new era begins when the first of its users comes to `new`;
 * the marks of an older one say nothing any more.
 */
export interface Era {
  /** From 1. */
  readonly number: number;
  /** Every write to `new` of this era is marked. False once the cohort was in `complete`: there nobody marks. */
  readonly tracked: boolean;
}

/** A named set of users that flip together. */
export interface Cohort {
  readonly name: string;
  readonly stage: Stage;
  readonly ramp: Ramp;
  /** Seeds the cohort's ramp buckets. Fixed when the cohort is created: a new salt reshuffles its users. */
  readonly salt: string;
  readonly rule: Rule | undefined;
  readonly isDefault: boolean;
  /** `per-user`: a user moves only when the user's own state is `migrated`. */
  readonly migration: 'cohort' | 'per-user';
  /** Whether writes of this cohort are mirrored where the route allows it. */
  readonly mirror: boolean;
  /** Set by whoever changes the cohort, never by a person. Absent while nobody of it was ever in `new`. */
  readonly era?: Era | undefined;
}

/** How a user came to belong to a cohort. */
export interface Membership {
  readonly cohort: string;
  /** 0-based place in the order in which explicit members were added; absent for a user placed by a rule. */
  readonly ordinal: number | undefined;
  readonly by: 'explicit' | 'rule';
}

/** Everything the state map knows of one user. A user it knows nothing of has `ABSENT_RECORD`. */
export interface UserRecord {
  readonly state: UserState | undefined;
  readonly pin: Backend | undefined;
  readonly membership: Membership | undefined;
  /** The user's id in the new system, once its data was moved. */
  readonly newId: string | undefined;
}

export const ABSENT_RECORD: UserRecord = Object.freeze({
  state: undefined,
  pin: undefined,
  membership: undefined,
  newId: undefined,
});

/** Writes wait at the gateway while the truth of a cohort or a user moves. */
export interface Hold {
  /** The change that set the hold. */
  readonly change: string;
  readonly epoch: number;
}

/** The cohorts and holds at one epoch of the state map. Immutable: a change makes a new one. */
export interface Snapshot {
  /** The map's identity; another one means that the map was replaced. */
  readonly mapId: string;
  /** The number of the latest change that is in this snapshot. */
  readonly epoch: number;
  /** In the order in which their rules are tried. */
  readonly cohorts: readonly Cohort[];
  readonly cohortByName: ReadonlyMap<string, Cohort>;
  readonly defaultCohort: Cohort | undefined;
  readonly cohortHolds: ReadonlyMap<string, Hold>;
  readonly userHolds: ReadonlyMap<User, Hold>;
}

/** Looks up one attribute of a request; `undefined` when the request does not have it. */
export interface Attributes {
  attribute(ref: AttributeRef): string | undefined;
}

/** The part of a route that the decision needs. */
export interface RoutePolicy {
  readonly name: string;
  /** The route goes to one backend whoever the user is. */
  readonly backend: Backend | undefined;
  readonly shadow: boolean;
  readonly mirror: boolean;
}

/** What is known of one request when its backend is decided. */
export interface Facts {
  readonly route: RoutePolicy;
  readonly class: RequestClass;
  readonly user: User | undefined;
  readonly attributes: Attributes;
  /** What the ramp hashes; the user unless the caller has something steadier. */
  readonly stickyKey: string | undefined;
}

/** One link of the chain that explains a decision, in the order in which it was reached. */
export type Reason =
  | { readonly code: 'route-backend'; readonly route: string; readonly backend: Backend }
  | { readonly code: 'anonymous'; readonly backend: Backend }
  | { readonly code: 'pin'; readonly backend: Backend }
  | { readonly code: 'cohort-member'; readonly cohort: string; readonly by: 'explicit' | 'rule' }
  | { readonly code: 'cohort-unknown'; readonly cohort: string }
  | { readonly code: 'cohort-rule'; readonly cohort: string }
  | { readonly code: 'cohort-default'; readonly cohort: string }
  | { readonly code: 'no-cohort' }
  | { readonly code: 'stage'; readonly cohort: string; readonly stage: Stage }
  | {
      readonly code: 'ramp-bucket';
      readonly inside: boolean;
      readonly bucket: number;
      readonly buckets: number;
      readonly stage: Stage;
    }
  | {
      readonly code: 'ramp-count';
      readonly inside: boolean;
      readonly ordinal: number | undefined;
      readonly count: number;
      readonly stage: Stage;
    }
  | { readonly code: 'user-state'; readonly state: UserState | undefined; readonly stage: Stage }
  | {
      readonly code: 'hold';
      readonly scope: 'cohort' | 'user' | 'migrating';
      readonly change: string | undefined;
    };

/** Where one request goes, and why. */
export interface Decision {
  readonly target: Backend;
  /** The backend that a copy of this read may be sent to for comparison. */
  readonly shadow: Backend | undefined;
  /** The backend that this write is to be replayed on. */
  readonly mirror: Backend | undefined;
  /** The write has to wait until the hold is released. */
  readonly held: boolean;
  /**
   * The map does not say who owns this user's data. Writes are `held`; reads are to be refused with
   * `state_unknown` instead of being sent to `target`.
   */
  readonly ownerUnknown: boolean;
  readonly cohort: string | undefined;
  /** The stage in effect for this user, after ramp and user state. */
  readonly stage: Stage | undefined;
  /** The membership to record before the request is sent: the user was placed by a rule for the first time. */
  readonly place: string | undefined;
  /** Never empty. */
  readonly reasons: readonly Reason[];
}
