/** The guard of a process: over the record and the control service that it has. */
import type { Logger } from 'pino';
import type { ConfigModel } from '../config/model.ts';
import type { Control } from '../cutover/control.ts';
import { GuardTrippedError } from '../guard/guard-control.ts';
import { GuardEngine } from '../guard/guard-engine.ts';
import { type GuardSettings, guardSettings } from '../guard/guard-settings.ts';
import { judge } from '../guard/judge.ts';
import type { RecordHints } from '../guard/record-watch.ts';
import { RecordedBook } from '../guard/recorded-book.ts';
import { recordedDryRun } from '../guard/recorded-dry-run.ts';
import type { SlotFeed } from '../guard/slot-feed.ts';
import { reachOf } from '../guard/slot-windows.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { postJson } from '../upstream/post-json.ts';

export interface GuardParts {
  /** The one in force. */
  readonly config: () => ConfigModel;
  readonly record: Pick<RecordStore, 'guard' | 'slots'>;
  readonly control: Pick<Control, 'rollback' | 'changeStage'>;
  /** Read by nobody else; closed by whoever opened it, after the guard. */
  readonly feed: Pick<SlotFeed, 'read' | 'onBadNews'>;
  readonly log: Logger;
  readonly hints?: RecordHints;
}

/** Begins to judge at once. */
export function guardOf({ config, record, control, feed, log, hints }: GuardParts): GuardEngine {
  const now = (): number => performance.now();
  const settings = (): GuardSettings => guardSettings(config().guard);
  const reachSeconds = (): number => reachOf(settings().conditions);
  return new GuardEngine({
    store: record.guard,
    control,
    feed,
    book: new RecordedBook({ store: record.slots, reachSeconds, log, now }),
    judge,
    settings,
    dryRun: (request, conditions) => recordedDryRun(request, conditions, record.slots, settings().cooldownMs),
    post: postJson,
    log,
    now,
    ...(hints === undefined ? {} : { hints }),
  });
}

/** What the control service asks before somebody comes to `new` in a cohort. @throws GuardTrippedError */
export function mayGoOn({ guard }: Pick<RecordStore, 'guard'>): (cohort: string) => Promise<void> {
  return async (cohort) => {
    const trip = await guard.heldBy(cohort);
    if (trip !== undefined) throw new GuardTrippedError(cohort, trip);
  };
}
