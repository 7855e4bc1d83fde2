/** How the routes reach the control service, and what the failures of its stores become. */
import { type Change, isOver } from '../cutover/change.ts';
import {
  type Control,
  EpochMismatchError,
  type GatewayView,
  UnknownCohortError,
} from '../cutover/control.ts';
import { ChangeConflictError } from '../cutover/stores.ts';
import { AdminError } from './admin-error.ts';
import { SourceUnavailable } from './admin-source.ts';

/** The part of the control service that the API uses. */
export type AdminControl = Omit<Control, 'close'>;

/** Changes looked through for those that are not over. They are the newest, unless one waits for very long. */
const RECENT_CHANGES = 100;

/** What status waits for the stores: it has to answer also when they hang. */
const STATUS_MS = 1_000;

/** Defects of the language are ours; whatever else is not one of the known refusals came from a store. */
function isOurs(error: unknown): boolean {
  return (
    error instanceof AdminError ||
    error instanceof ChangeConflictError ||
    error instanceof EpochMismatchError ||
    error instanceof UnknownCohortError ||
    error instanceof SourceUnavailable ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  );
}

export class ControlAccess {
  readonly #control: () => AdminControl | undefined;

  /** @param control `undefined` while the gateway starts */
  constructor(control: () => AdminControl | undefined) {
    this.#control = control;
  }

  /**
   * Calls the control service.
   *
   * @throws SourceUnavailable while there is none; AdminError `store_unavailable` when a store failed; what the
   *   service refuses with
   */
  async ask<T>(call: (control: AdminControl) => Promise<T>): Promise<T> {
    const control = this.#control();
    if (control === undefined) throw new SourceUnavailable('The gateway is still starting.');
    try {
      return await call(control);
    } catch (cause) {
      if (isOurs(cause)) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      const detail = `The record or the state map does not answer (${reason}). Nothing can be changed meanwhile.`;
      throw new AdminError('store_unavailable', detail, { retryAfterS: 1, cause });
    }
  }

  /** Changes that are not over, newest first. */
  async openChanges(): Promise<readonly Change[]> {
    const recent = await this.ask((control) => control.changes(undefined, RECENT_CHANGES));
    return recent.filter(({ phase }) => !isOver(phase));
  }

  /** For the status: `undefined` when the stores do not answer in time. */
  async inProgress(): Promise<{ changes: readonly Change[]; gateways: readonly GatewayView[] } | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), STATUS_MS);
    });
    const both = Promise.all([this.openChanges(), this.ask((control) => control.gateways())]).then(
      ([changes, gateways]) => ({ changes, gateways }),
      () => undefined,
    );
    try {
      return await Promise.race([both, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
