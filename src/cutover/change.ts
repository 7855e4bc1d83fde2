/** A change of the state map, from the wish to its outcome. ARCHITECTURE.md has the protocol. */
import type { Cohort } from '../model.ts';

/**
 * A change that moves a truth: pending → holding → switching → releasing → done, or, before `switching` only,
 * → undoing → undone. A change that moves no truth: pending → switching → done.
 */
export type Phase = 'pending' | 'holding' | 'switching' | 'releasing' | 'done' | 'undoing' | 'undone';

export type ChangeKind = 'stage';

/** What somebody wants. */
export interface ChangeRequest {
  readonly kind: ChangeKind;
  readonly cohort: string;
  readonly after: Cohort;
  readonly actor: string;
  readonly reason: string;
  /** Refused unless the map's epoch is this one. */
  readonly expectedEpoch: number | undefined;
  /** 1 to 128 visible ASCII characters. A second request with the key of a first gets the first one's change. */
  readonly idempotencyKey: string | undefined;
}

/** A row of the audit. */
export interface Change {
  /** UUID. */
  readonly id: string;
  readonly kind: ChangeKind;
  readonly cohort: string;
  readonly before: Cohort;
  readonly after: Cohort;
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
