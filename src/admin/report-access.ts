/** How the routes reach the reports, and what the failures of their store become. */
import type { ReportReader } from '../reports/create-report-reader.ts';
import { AdminError } from './admin-error.ts';
import { SourceUnavailable } from './admin-source.ts';

export class ReportAccess {
  readonly #reports: () => ReportReader | undefined;

  /** @param reports `undefined` while the gateway starts */
  constructor(reports: () => ReportReader | undefined) {
    this.#reports = reports;
  }

  /**
   * @throws SourceUnavailable while there are none; AdminError `store_unavailable` when the record failed, and
   *   `invalid_request` with what was wrong with the question
   */
  async ask<T>(call: (reports: ReportReader) => Promise<T>): Promise<T> {
    const reports = this.#reports();
    if (reports === undefined) throw new SourceUnavailable('The gateway is still starting.');
    try {
      return await call(reports);
    } catch (cause) {
      if (cause instanceof RangeError) {
        throw new AdminError('invalid_request', `${cause.message}.`, { cause });
      }
      if (cause instanceof AdminError || cause instanceof TypeError || cause instanceof ReferenceError)
        throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AdminError('store_unavailable', `The record does not answer (${reason}).`, {
        retryAfterS: 1,
        cause,
      });
    }
  }
}
