import type { Logger } from 'pino';
import type { ConfigModel } from '../config/model.ts';
import type { SlotFeed } from '../guard/slot-feed.ts';
import { MemorySlotFeed } from './memory-slot-feed.ts';
import { RedisSlotFeed } from './redis-slot-feed.ts';

/**
 * The feed that the configuration names. To be closed by whoever created it; it is read by one reader. In Redis it has
 * a connection of its own, opened by the first call. Embedded it is what was published to this very object.
 */
export function createSlotFeed({ state }: Pick<ConfigModel, 'state'>, log: Logger): SlotFeed {
  switch (state.kind) {
    case 'embedded':
      return new MemorySlotFeed(() => Date.now());
    case 'redis':
      return new RedisSlotFeed(state, log);
    default: {
      const unknown: never = state;
      throw new Error(`unknown state ${JSON.stringify(unknown)}`);
    }
  }
}
