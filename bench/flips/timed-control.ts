/**
 * The product's control service with a clock at its stores: when each phase of a change was committed, and when
 * its release was sent. Nothing is asked more often, so nothing is slower.
 */
import type { Logger } from 'pino';
import type { ConfigModel } from '../../src/config/model.ts';
import { type Change, isOver, type Phase } from '../../src/cutover/change.ts';
import type { Control, StageRequest } from '../../src/cutover/control.ts';
import { RedisControl } from '../../src/state/redis-control.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { controlOf } from '../../src/workers/open-control.ts';
import { monotonicMs } from './monotonic.ts';

export interface Flip {
  readonly phase: Phase;
  readonly note: string | undefined;
  /** From the request to the answer that it is in force everywhere, milliseconds. */
  readonly totalMs: number;
  /** From the request, or from the commit of the phase, to the commit of the next one. */
  readonly pendingMs: number;
  readonly holdingMs: number;
  readonly switchingMs: number;
  readonly releasingMs: number;
  /** When the release was about to be sent, by the clock of `monotonicMs`. */
  readonly releaseMs: number;
}

/** Notes when a change is released. */
class TimedControlMap extends RedisControl {
  releaseMs = Number.NaN;

  override release(change: string, token: number): Promise<number> {
    this.releaseMs = monotonicMs();
    return super.release(change, token);
  }
}

export interface TimedControl {
  readonly control: Control;
  /** One change at a time. @throws Error when it is not over after half a minute */
  flip(request: Pick<StageRequest, 'cohort' | 'stage' | 'ramp'>): Promise<Flip>;
  close(): Promise<void>;
}

export async function openTimedControl(config: ConfigModel, log: Logger): Promise<TimedControl> {
  if (config.state.kind !== 'redis') throw new Error('flips are measured on Redis');
  const record = await createRecord(config.record, log);
  const map = new TimedControlMap({ model: config.state, record, log });
  const committedMs = new Map<Phase, number>();
  const changes = {
    ...record.changes,
    moveChange: async (...move: Parameters<typeof record.changes.moveChange>): Promise<Change> => {
      const change = await record.changes.moveChange(...move);
      committedMs.set(change.phase, monotonicMs());
      return change;
    },
  };
  const control = controlOf(() => config, { ...record, changes }, map, log);
  return {
    control,
    flip: async (request) => {
      committedMs.clear();
      const askedMs = monotonicMs();
      const change = await control.changeStage({
        ...request,
        actor: 'bench',
        reason: 'a flip that is measured',
        dirtyUsers: 'force',
        expectedEpoch: undefined,
        idempotencyKey: undefined,
      });
      const answeredMs = monotonicMs();
      if (!isOver(change.phase)) throw new Error(`a flip is still ${change.phase}: ${change.note}`);
      const [holding, switching, releasing] = (['holding', 'switching', 'releasing'] as const).map(
        (phase) => committedMs.get(phase) ?? Number.NaN,
      );
      return {
        phase: change.phase,
        note: change.note,
        totalMs: answeredMs - askedMs,
        pendingMs: (holding ?? Number.NaN) - askedMs,
        holdingMs: (switching ?? Number.NaN) - (holding ?? Number.NaN),
        switchingMs: (releasing ?? Number.NaN) - (switching ?? Number.NaN),
        releasingMs: answeredMs - (releasing ?? Number.NaN),
        releaseMs: map.releaseMs,
      };
    },
    close: async () => {
      await control.close();
      map.close();
      await record.close();
    },
  };
}
