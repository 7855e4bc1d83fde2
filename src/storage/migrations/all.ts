import { stateMap } from './0001-state-map.ts';

/** Every migration in order. One that has been released is never edited; a new one is added. */
export const MIGRATIONS: readonly { readonly number: number; readonly name: string; readonly sql: string }[] =
  [{ number: 1, name: 'state-map', sql: stateMap }];
