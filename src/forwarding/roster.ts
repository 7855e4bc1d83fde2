/** Members of a roster know where they stand in it. */
export interface Listed {
  /** For the roster alone; -1 in none. */
  listedAt: number;
}

/**
 * What is under way, in no order: a set whose members come and go with each request.
 *
 * Not a `Set`: that one leaves a table behind whenever it has had as many members as it has room for. A table that has
 * grown old keeps its last members from being collected, and with them all that they hold, until the whole heap is
 * gone through. A `GET` of 64 KiB cost 1.65 to 1.86 of what it costs with this one (`npm run bench`, side by side), which
 * keeps its room instead: that of the most members it ever had at a time.
 */
export class Roster<T extends Listed> {
  readonly #members: (T | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** One that is in already stays. @param member of no other roster */
  add(member: T): void {
    if (member.listedAt >= 0) return;
    member.listedAt = this.#size;
    this.#members[this.#size++] = member;
  }

  /** @returns whether it was in here */
  delete(member: T): boolean {
    const at = member.listedAt;
    if (at < 0 || this.#members[at] !== member) return false;
    this.#size -= 1;
    const last = this.#members[this.#size];
    this.#members[this.#size] = undefined;
    if (last !== undefined && last !== member) {
      this.#members[at] = last;
      last.listedAt = at;
    }
    member.listedAt = -1;
    return true;
  }

  /** Those of this moment. */
  all(): readonly T[] {
    return this.#members.slice(0, this.#size).filter((member) => member !== undefined);
  }
}
