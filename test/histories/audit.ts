/** What became of the changes that were asked for: when each was seen to be over, and at the end the whole audit. */
import { Client } from 'pg';
import {
  type ChangeDocument,
  callAdmin,
  insist,
  isChange,
  isOver,
  listChanges,
  listDirty,
} from './admin-api.ts';
import type { Change } from './checker/history.ts';
import { nowMs, pause } from './clock.ts';
import type { GatewayProcess } from './gateways.ts';
import { changeOf } from './wishes.ts';

const ANSWER_MS = 60_000;
/** Between two looks. Whoever waits for a change looks by itself. */
const LOOK_MS = 400;

export class Audit {
  readonly #gateways: readonly GatewayProcess[];
  /** By reason, which is unique. */
  readonly #requestedMs = new Map<string, number>();
  readonly #beforehand = new Set<string>();
  readonly #overMs = new Map<string, number>();
  readonly #note: (what: string) => void;
  readonly #keep: (records: readonly object[]) => void;
  readonly #stop = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  /** Users whom changes left pinned, as far as one has looked. */
  readonly kept = new Set<string>();

  /** @param keep for people: what the record says of users */
  constructor(
    gateways: readonly GatewayProcess[],
    note: (what: string) => void,
    keep: (records: readonly object[]) => void,
  ) {
    this.#gateways = gateways;
    this.#note = note;
    this.#keep = keep;
  }

  /** What is wanted for this reason is there before the history begins. */
  beforehand(reason: string): void {
    this.#beforehand.add(reason);
  }

  /** Nothing that is wanted for this reason can have begun before. */
  requested(reason: string): void {
    this.#requestedMs.set(reason, nowMs());
  }

  /** To be told of every change that is over. */
  over({ id, reason, phase, note }: ChangeDocument): void {
    if (this.#overMs.has(id)) return;
    this.#overMs.set(id, nowMs());
    this.#note(`change ${id} (${reason}): ${phase}; ${note ?? ''}`);
  }

  /** Looks at the newest changes from time to time: a job may go on when its answer was lost. */
  watch(): void {
    const { signal } = this.#stop;
    const watch = async (): Promise<void> => {
      for (let turn = 0; !signal.aborted; turn += 1) {
        await pause(LOOK_MS, signal);
        const asked = this.#gateways.filter(({ runs, stopped }) => runs && !stopped);
        const gateway = asked[turn % Math.max(1, asked.length)];
        if (gateway !== undefined) await this.#look(gateway);
      }
    };
    this.#watching = watch();
  }

  async #look(gateway: GatewayProcess): Promise<void> {
    try {
      const { body } = await callAdmin(gateway, 'GET', '/api/v1/changes?limit=100');
      for (const change of (body.items ?? []).filter(isChange)) {
        if (!isOver(change) || this.#overMs.has(change.id)) continue;
        this.over(change);
        if (change.dirty === 0 || change.dirtyUsers === 'force') continue;
        for (const user of (await listDirty(gateway, change.id)) ?? []) this.kept.add(user);
      }
    } catch {
      // Another one will answer the next time.
    }
  }

  /**
   * When nothing is asked for any more and every gateway is there.
   *
   * @param url of the record, whose audit says which users a batch had
   * @throws when it is not whole
   */
  async read(url: string): Promise<readonly Change[]> {
    this.#stop.abort();
    await this.#watching;
    const gateways = this.#gateways;
    const documents = await insist(gateways, ANSWER_MS, 'the audit, with no change open', async (asked) => {
      const listed = await listChanges(asked);
      return listed?.every(isOver) === true ? listed : undefined;
    });
    const replaced = await replacedRecords(url);
    this.#keep(replaced);
    const users = Map.groupBy(replaced, ({ change }) => change);
    const changes: Change[] = [];
    // In the order in which they were opened.
    for (const document of documents.toReversed()) {
      const { id, reason } = document;
      this.over(document);
      if (this.#beforehand.has(reason)) continue;
      const requestedMs = this.#requestedMs.get(reason);
      if (requestedMs === undefined) throw new Error(`nobody asked for change ${id}: ${reason}`);
      const dirty =
        document.dirty === 0
          ? []
          : await insist(gateways, ANSWER_MS, `whose writes were found by ${id}`, (asked) =>
              listDirty(asked, id),
            );
      const overMs = this.#overMs.get(id) ?? nowMs();
      changes.push(
        changeOf(document, {
          requestedMs,
          overMs,
          users: (users.get(id) ?? []).map(({ user }) => user),
          dirty,
        }),
      );
    }
    return changes;
  }
}

/** A user's record that a change, or a placement, replaced. */
interface Replaced {
  readonly change: string | null;
  readonly user: string;
}

async function replacedRecords(url: string): Promise<readonly Replaced[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Replaced>(
      `SELECT change, convert_from(subject, 'UTF8') AS user, version, map, before, after
       FROM changes WHERE kind = 'user' ORDER BY version`,
    );
    return rows;
  } finally {
    await client.end();
  }
}
