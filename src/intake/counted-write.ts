import type { User } from '../model.ts';

/** Holds one write while it is in flight. */
export interface WriteCount {
  leave(user: User): void;
  /** It is known, and stays known, that the user writes to `new`. @returns where the write is counted from now on */
  marked(): WriteCount;
}

/** A write that somebody counts until it ends. */
export interface CountedWrite {
  countedIn: WriteCount | undefined;
}
