/** A change of the state map, from the wish to its outcome. ARCHITECTURE.md has the protocol. */
import type { Backend, Cohort, User } from '../model.ts';
import type { DirtyPolicy } from './control.ts';

/**
 * A change that moves a truth: pending → holding → switching → releasing → done, or, before `switching` only,
 * → undoing → undone, or → pending once more. A change that moves no truth: pending → switching → done.
 */
export type Phase = 'pending' | 'holding' | 'switching' | 'releasing' | 'done' | 'undoing' | 'undone';

export const CHANGE_KINDS = [
  'stage',
  'rollback',
  'cohort-create',
  'cohort-edit',
  'cohort-delete',
  'pin',
  'unpin',
  'members-add',
  'members-remove',
  'reassign',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Kinds that replace records of users, and no definition. */
const USER_KINDS: readonly ChangeKind[] = ['pin', 'unpin', 'members-add', 'members-remove', 'reassign'];

/** Whether it is about users; else it is about a cohort. */
export function isUserChange({ kind }: { readonly kind: ChangeKind }): boolean {
  return USER_KINDS.includes(kind);
}

/** A row of the audit. */
export interface Change {
  /** UUID. */
  readonly id: string;
  readonly kind: ChangeKind;
  /** `undefined` for a pin. */
  readonly cohort: string | undefined;
  /** The definition; `undefined` when the change is not about one, or the cohort does not exist yet. */
  readonly before: Cohort | undefined;
  /** `undefined` when the change is not about a definition, or deletes it. */
  readonly after: Cohort | undefined;
  /** Of a pin. */
  readonly user: User | undefined;
  /** Where a `pin` puts its user; `undefined` for every other kind. */
  readonly pin: Backend | undefined;
  /** How many users' records it replaces; those that a rollback keeps are in it once it is switched. */
  readonly users: number;
  /** Which job a batch of users belongs to. */
  readonly job: string | undefined;
  readonly dirtyUsers: DirtyPolicy;
  /** Users whose writes are in `new` only and who stayed there, or, under `force`, were stranded. */
  readonly dirty: number;
  /** How often it has begun anew because a gateway was lost during its hold: 0 to 2. */
  readonly restarts: number;
  /** Somebody's owner changes: writes are held meanwhile. */
  readonly movesTruth: boolean;
  /** It leaves a stage in which gateways do not fence themselves: every registered one has to agree. */
  readonly needsEveryGateway: boolean;
  readonly phase: Phase;
  readonly actor: string;
  readonly reason: string;
  readonly idempotencyKey: string | undefined;
  /** Grows with each controller that takes the change. */
  readonly token: number;
  /** Raised by the controller while it works. */
  readonly heartbeat: number;
  readonly holdEpoch: number | undefined;
  readonly switchEpoch: number | undefined;
  readonly releaseEpoch: number | undefined;
  /** In words: for whom it waits, or why it was undone. */
  readonly note: string | undefined;
  readonly createdAt: Date;
  readonly endedAt: Date | undefined;
}

/** Whether the change is over. */
export function isOver(phase: Phase): boolean {
  return phase === 'done' || phase === 'undone';
}
