/** How the routes reach the control service, and what the failures of its stores become. */
import type { Change } from '../cutover/change.ts';
import { type Control, type GatewayView, UnknownCohortError } from '../cutover/control.ts';
import { TurnoutError } from '../errors.ts';
import { AdminError, isRefusal } from './admin-error.ts';
import { SourceUnavailable } from './admin-source.ts';
import { cohortUnknown } from './known-cohort.ts';

/** The part of the control service that the API uses. */
export type AdminControl = Omit<Control, 'close'>;

/** What status waits for the stores: it has to answer also when they hang. */
const STATUS_MS = 1_000;

/** Defects of the language are ours; whatever else is not one of the known refusals came from a store. */
function isOurs(error: unknown): boolean {
  return (
    error instanceof AdminError ||
    error instanceof TurnoutError ||
    error instanceof SourceUnavailable ||
    isRefusal(error) ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  );
}

/** A store's failure as ours; whatever else as it is. */
export function inOurWords(cause: unknown): unknown {
  if (isOurs(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const detail = `The record or the state map does not answer (${reason}). Nothing can be changed meanwhile.`;
  return new AdminError('store_unavailable', detail, { retryAfterS: 1, cause });
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
    const control = this.#running();
    try {
      return await call(control);
    } catch (cause) {
      if (cause instanceof UnknownCohortError) throw await this.#unknown(cause.cohort);
      throw inOurWords(cause);
    }
  }

  /** With the name that was probably meant, as far as it can be found out. */
  async #unknown(name: string): Promise<AdminError> {
    const known = await this.#running()
      .cohorts()
      .catch(() => []);
    return cohortUnknown(name, known);
  }

  /**
   * Runs a job of the control service. Whoever stops reading ends it after the batch under way.
   *
   * @throws as `ask`, in the iteration
   */
  async *follow<T>(call: (control: AdminControl) => AsyncIterable<T>): AsyncGenerator<T, void, void> {
    const control = this.#running();
    try {
      yield* call(control);
    } catch (cause) {
      throw inOurWords(cause);
    }
  }

  #running(): AdminControl {
    const control = this.#control();
    if (control === undefined) throw new SourceUnavailable('The gateway is still starting.');
    return control;
  }

  /** Changes that are not over, newest first. */
  async openChanges(): Promise<readonly Change[]> {
    return (await this.ask((control) => control.openChanges())).toReversed();
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
