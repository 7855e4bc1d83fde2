import type { User } from '../model.ts';

/** Holds one write while it is in flight. */
export interface WriteCount {
  leave(user: User): void;
}

/** A write that somebody counts until it ends. */
export interface CountedWrite {
  countedIn: WriteCount | undefined;
}
