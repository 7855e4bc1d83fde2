/** A host's control service and guard in a process of their own, which may die at a chosen moment of a rollback. */
import { pino } from 'pino';
import type { ConfigModel } from '../../src/config/model.ts';
import { createControlMap } from '../../src/state/create-control-map.ts';
import { createSlotFeed } from '../../src/state/create-slot-feed.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { controlOf } from '../../src/workers/open-control.ts';
import { guardOf } from '../../src/workers/open-guard.ts';

/** `row`: the trip is noted, and nothing else. `change`: its change is open. */
export type Death = 'row' | 'change';

export interface HostMessage {
  readonly config: ConfigModel;
  readonly dies: Death | undefined;
}

const log = pino({ level: 'silent' });

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function start({ config, dies }: HostMessage): Promise<void> {
  const record = await createRecord(config.record, log);
  const { changes, guard } = record;
  const mortal = {
    ...record,
    guard: {
      ...guard,
      addTrip: async (...wish: Parameters<typeof guard.addTrip>) => {
        const trip = await guard.addTrip(...wish);
        if (trip !== undefined && dies === 'row') die();
        return trip;
      },
    },
    changes: {
      ...changes,
      openChange: async (change: Parameters<typeof changes.openChange>[0]) => {
        const opened = await changes.openChange(change);
        if (change.kind === 'rollback' && dies === 'change') die();
        return opened;
      },
    },
  };
  const map = createControlMap({ config, record: mortal, log });
  const control = controlOf(() => config, mortal, map, log);
  guardOf({ config: () => config, record: mortal, control, feed: createSlotFeed(config, log), log });
  process.send?.('ready');
}

process.on('message', (message: HostMessage) => void start(message));
process.on('disconnect', () => process.exit(0));
