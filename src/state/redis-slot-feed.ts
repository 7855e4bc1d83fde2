/**
 * The counts of all gateways, through a stream in Redis. Its clock stamps them. Whoever reads keeps the id of what it
 * read last; ids that go backwards (Redis was wiped, or a replica took over that has not all of the stream, or another
 * clock) are noticed by the first read that finds nothing, and reading goes on behind the latest entry: what came in
 * meanwhile is lost, nothing is read twice.
 */
import type { Logger } from 'pino';
import { badNewsOf } from '../guard/bad-news.ts';
import { decodeReport, encodeReport } from '../guard/report-codec.ts';
import { type GatewayReport, type SlotFeed, type StampedReport, TOLD_MS } from '../guard/slot-feed.ts';
import type { RedisClient, RedisModel } from './redis-client.ts';
import { RedisConnection } from './redis-connection.ts';
import { REPORTS_MAX, redisKeys } from './redis-keys.ts';
import { bytes, list, text } from './reply.ts';
import { Stamps } from './stamps.ts';
import { within } from './within.ts';

/** Entries that are asked for at a time. */
const PAGE = 1_000;
const FIELD = 'r';

interface EntryId {
  readonly ms: number;
  readonly sequence: number;
}

function parseId(id: string): EntryId {
  const [, ms, sequence] = /^(\d+)-(\d+)$/.exec(id) ?? [];
  if (ms === undefined) throw new TypeError(`Redis replied ${id} where the id of an entry was expected`);
  return { ms: Number(ms), sequence: Number(sequence) };
}

function isBefore(one: EntryId, other: EntryId): boolean {
  return one.ms < other.ms || (one.ms === other.ms && one.sequence < other.sequence);
}

export class RedisSlotFeed implements SlotFeed {
  readonly #connection: RedisConnection<RedisClient>;
  readonly #key: string;
  readonly #commandMs: number;
  readonly #log: Logger;
  readonly #stamps = new Stamps();
  readonly #listeners = new Set<() => void>();
  /** What was read last; `undefined` before the first read. */
  #position: EntryId | undefined;
  #toldUnreadable = false;

  constructor(model: RedisModel, log: Logger) {
    this.#connection = new RedisConnection(model, (client) => client, 'the feed of slots');
    this.#key = redisKeys(model.keyPrefix).slots;
    this.#commandMs = model.commandMs;
    this.#log = log;
  }

  async publish(report: GatewayReport): Promise<void> {
    const entry = Buffer.from(encodeReport(report));
    await this.#ask(({ raw }) => raw.xadd(this.#key, 'MAXLEN', '~', REPORTS_MAX, '*', FIELD, entry));
    if (badNewsOf(report).length > 0) for (const listener of this.#listeners) listener();
  }

  async read(): Promise<readonly StampedReport[]> {
    this.#position ??= await this.#start();
    const reports: StampedReport[] = [];
    let found = await this.#readPage(reports);
    if (found === 0) await this.#recover();
    for (let pages = 1; found === PAGE && pages * PAGE < REPORTS_MAX; pages += 1) {
      // What was read is not read again, so it must not be lost with a page that fails.
      found = await this.#readPage(reports).catch(() => 0);
    }
    return reports;
  }

  onBadNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#connection.close();
  }

  #ask<R>(command: (client: RedisClient) => Promise<R>): Promise<R> {
    return this.#connection.ask((client) => within(command(client), this.#commandMs, 'Redis'));
  }

  async #latest(): Promise<EntryId | undefined> {
    const [entry] = list(await this.#ask(({ raw }) => raw.xrevrangeBuffer(this.#key, '+', '-', 'COUNT', 1)));
    return entry === undefined ? undefined : parseId(text(list(entry)[0]));
  }

  /** By the clock of Redis, as far as its entries tell. */
  async #start(): Promise<EntryId> {
    const latest = await this.#latest();
    return { ms: Math.max(0, (latest?.ms ?? 0) - TOLD_MS), sequence: 0 };
  }

  async #readPage(into: StampedReport[]): Promise<number> {
    const { ms, sequence } = this.#position ?? { ms: 0, sequence: 0 };
    const after = `(${ms}-${sequence}`;
    const entries = list(
      await this.#ask(({ raw }) => raw.xrangeBuffer(this.#key, after, '+', 'COUNT', PAGE)),
    );
    for (const entry of entries) {
      const [id, fields] = list(entry);
      const at = parseId(text(id));
      this.#position = at;
      const report = this.#decode(list(fields)[1]);
      if (report !== undefined) into.push({ ...report, atMs: this.#stamps.next(at.ms) });
    }
    return entries.length;
  }

  /** One that a later version wrote must not keep the others from being read. */
  #decode(value: unknown): GatewayReport | undefined {
    try {
      return decodeReport(bytes(value));
    } catch (err) {
      if (this.#toldUnreadable) return undefined;
      this.#toldUnreadable = true;
      this.#log.warn(
        { event: 'counts_unreadable', err },
        'counts of a gateway cannot be read and are left out',
      );
      return undefined;
    }
  }

  async #recover(): Promise<void> {
    const latest = (await this.#latest()) ?? { ms: 0, sequence: 0 };
    if (this.#position !== undefined && isBefore(latest, this.#position)) this.#position = latest;
  }
}
