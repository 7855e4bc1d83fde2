/**
 * What live views are told, as server-sent events: what is so when they come (`snapshot`), and once a second at the
 * most what is so now (`update`). Asked once for all of them, and only while there are any.
 */
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { AdminError } from './admin-error.ts';
import type { CohortGuardDocument, GuardDocument, SecondDocument, SideDocument } from './guard-documents.ts';
import type { LiveDocument } from './live-document.ts';

export const LISTENERS_MAX = 32;
/** A listener that has so much to read already is left out until it has read it. */
const BACKLOG_BYTES_MAX = 1_048_576;
const UPDATE_MS = 1_000;
/** Seconds in an update: an earlier one may still have changed, by gateways that told late. */
const UPDATE_SECONDS = 10;
/** A listener that took nothing for so long is gone. */
const STUCK_MS = 30_000;
const HEARTBEAT_MS = 15_000;
/** What a listener waits before it connects again. */
const RETRY_MS = 2_000;

export interface LiveOptions {
  /** Bounded in time. */
  readonly read: () => Promise<LiveDocument>;
  readonly log: Logger;
  readonly updateMs?: number;
  readonly heartbeatMs?: number;
  readonly stuckMs?: number;
}

interface Listener {
  readonly response: ServerResponse;
  /** When it last could take something, of the monotonic clock. */
  tookAtMs: number;
  greeted: boolean;
}

export class LiveFeed {
  readonly #options: LiveOptions;
  readonly #listeners = new Set<Listener>();
  #update: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #busy = false;
  #number = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** @throws AdminError `listeners_full` */
  expectRoom(): void {
    if (this.#listeners.size < LISTENERS_MAX) return;
    const detail = `${LISTENERS_MAX} live views are open already, which is the bound. Ask /api/v1/status instead.`;
    throw new AdminError('listeners_full', detail, { retryAfterS: 5 });
  }

  /** @param response with its head written: from here on it belongs to the feed, which ends it */
  add(response: ServerResponse): void {
    const listener: Listener = { response, tookAtMs: performance.now(), greeted: false };
    response.once('close', () => this.#drop(listener));
    response.on('error', () => this.#drop(listener));
    this.#listeners.add(listener);
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#run();
    void this.#tell();
  }

  /** Ends all of them. Those that are to stay connect again, and are asked anew who they are. */
  end(): void {
    for (const { response } of this.#listeners) response.end();
    this.#listeners.clear();
    this.#stop();
  }

  #run(): void {
    const { updateMs = UPDATE_MS, heartbeatMs = HEARTBEAT_MS } = this.#options;
    this.#update ??= setInterval(() => void this.#tell(), updateMs).unref();
    this.#heartbeat ??= setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  #stop(): void {
    clearInterval(this.#update);
    clearInterval(this.#heartbeat);
    this.#update = undefined;
    this.#heartbeat = undefined;
  }

  #drop(listener: Listener): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
  }

  async #tell(): Promise<void> {
    // Never two at a time: slow stores make updates rarer, not more.
    if (this.#busy || this.#listeners.size === 0) return;
    this.#busy = true;
    try {
      const document = await this.#options.read();
      this.#number += 1;
      const update = this.#event('update', { ...document, guard: latest(document.guard) });
      let snapshot: string | undefined;
      for (const listener of this.#listeners) {
        if (listener.greeted) {
          this.#write(listener, update);
          continue;
        }
        snapshot ??= this.#event('snapshot', document);
        listener.greeted = this.#write(listener, snapshot);
      }
    } catch (error) {
      this.#options.log.warn({ event: 'live_view_failed', err: error }, 'live views were told nothing');
    } finally {
      this.#busy = false;
    }
  }

  #event(name: string, document: LiveDocument): string {
    return `id: ${this.#number}\nevent: ${name}\ndata: ${JSON.stringify(document)}\n\n`;
  }

  /** A comment, so that whoever is between does not take the connection for dead. */
  #beat(): void {
    for (const listener of this.#listeners) this.#write(listener, ': here\n\n');
  }

  /** @returns whether it was written: a listener that does not read is left out, and in the end dropped */
  #write(listener: Listener, text: string): boolean {
    const { response } = listener;
    const now = performance.now();
    if (response.writableLength <= BACKLOG_BYTES_MAX) {
      listener.tookAtMs = now;
      response.write(text);
      return true;
    }
    if (now - listener.tookAtMs > (this.#options.stuckMs ?? STUCK_MS)) response.destroy();
    return false;
  }
}

function latest(guard: GuardDocument | null): GuardDocument | null {
  if (guard === null) return null;
  const newest = Math.max(
    0,
    ...guard.cohorts.flatMap(({ legacy, new: renewed }) => [lastSecond(legacy), lastSecond(renewed)]),
  );
  const since = newest - UPDATE_SECONDS;
  return { ...guard, cohorts: guard.cohorts.map((cohort) => shortened(cohort, since)) };
}

function lastSecond({ seconds }: SideDocument): number {
  return seconds.at(-1)?.second ?? 0;
}

function shortened(cohort: CohortGuardDocument, since: number): CohortGuardDocument {
  const recent = ({ second }: SecondDocument): boolean => second > since;
  return {
    ...cohort,
    legacy: { ...cohort.legacy, seconds: cohort.legacy.seconds.filter(recent) },
    new: { ...cohort.new, seconds: cohort.new.seconds.filter(recent) },
  };
}
