/**
 * Tells people what the guard does: takes what is to be told from the record, and posts it to the hooks. At least once:
 * what a process has taken and not told within a minute is taken by another one. Bounded in number, attempts and time.
 */
import type { Logger } from 'pino';
import type { HookSettings } from './guard-settings.ts';
import type { GuardStore, Notice } from './guard-store.ts';
import { noticeDocument, signatureOf } from './notice-document.ts';

/** Sends a JSON body. Rejects unless it was answered with 2xx within `timeoutMs`; a signal ends it early. */
export type PostJson = (
  url: string,
  body: string,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
) => Promise<void>;

export interface NoticeSenderOptions {
  readonly store: Pick<GuardStore, 'takeNotices' | 'endNotice' | 'pruneNotices'>;
  readonly hooks: () => readonly HookSettings[];
  readonly post: PostJson;
  readonly log: Logger;
  /** Seconds since 1970, for the signature. */
  readonly epochSeconds?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
  readonly timing?: Partial<NoticeTiming>;
}

export interface NoticeTiming {
  readonly timeoutMs: number;
  /** Before the second try; doubled each time, and each varied by half of it. */
  readonly retryMs: number;
  /** Whoever has taken a notice so long ago, and has not told it, is gone or has given up for now. */
  readonly silentMs: number;
}

/** All tries of one take together, waits and time-outs at their longest, stay below `silentMs`. */
const TIMING: NoticeTiming = { timeoutMs: 5_000, retryMs: 500, silentMs: 60_000 };
/** Notices of which is remembered which hooks were told. */
const TOLD_MAX = 1_000;
const TRIES_A_TAKE = 5;
/** Then nobody is there to be told. */
const TAKES_MAX = 10;
/** Under way in this process. */
const NOTICES_MAX = 20;
const PRUNE_EVERY_MS = 3_600_000;
const KEPT_MS = 14 * 86_400_000;

/** What the sender did since the start. */
export interface NoticeCounts {
  told: number;
  failed: number;
  gaveUp: number;
}

export class NoticeSender {
  readonly counts: NoticeCounts = { told: 0, failed: 0, gaveUp: 0 };
  readonly #options: NoticeSenderOptions;
  readonly #timing: NoticeTiming;
  readonly #stop = new AbortController();
  readonly #sending = new Map<string, Promise<void>>();
  /** Hooks that have taken a notice which others have not, by its id. */
  readonly #told = new Map<string, Set<string>>();
  #prunedMs = performance.now();
  #taking = false;

  constructor(options: NoticeSenderOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
  }

  /** Takes what is there, and begins to tell it. A failing record is left to the next call. */
  async look(): Promise<void> {
    const { store, hooks } = this.#options;
    const room = NOTICES_MAX - this.#sending.size;
    if (this.#taking || room <= 0 || hooks().length === 0 || this.#stop.signal.aborted) return;
    this.#taking = true;
    try {
      for (const notice of await store.takeNotices(room, this.#timing.silentMs)) this.#begin(notice);
      if (performance.now() - this.#prunedMs > PRUNE_EVERY_MS) {
        this.#prunedMs = performance.now();
        await store.pruneNotices(KEPT_MS);
      }
    } catch {
      // The record is away: what has to be told is there when it is back.
    } finally {
      this.#taking = false;
    }
  }

  /** Stops telling. What was not told is taken by another process, or after the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#sending.values());
  }

  #begin(notice: Notice): void {
    if (this.#sending.has(notice.id)) return;
    // Only the record can fail here: then the notice is taken again, and told again to who was told.
    const work = this.#tell(notice)
      .catch(() => undefined)
      .finally(() => this.#sending.delete(notice.id));
    this.#sending.set(notice.id, work);
  }

  async #tell(notice: Notice): Promise<void> {
    const { store, log } = this.#options;
    const body = noticeDocument(notice);
    const wanted = this.#options.hooks().filter(({ events }) => events.includes(notice.event));
    const told = this.#told.get(notice.id) ?? new Set<string>();
    const outcomes = await Promise.all(
      wanted.map(async (hook) => told.has(hook.url) || (await this.#deliver(hook, notice, body))),
    );
    for (const [index, hook] of wanted.entries()) if (outcomes[index] === true) told.add(hook.url);
    if (outcomes.every(Boolean)) {
      this.#told.delete(notice.id);
      await store.endNotice(notice.id, 'told');
      return;
    }
    if (this.#stop.signal.aborted) return;
    if (notice.takes < TAKES_MAX) {
      // Another host may end a notice that was begun here. What is forgotten is told twice at the most.
      if (this.#told.size >= TOLD_MAX) this.#told.clear();
      this.#told.set(notice.id, told);
      return;
    }
    this.#told.delete(notice.id);
    this.counts.gaveUp += 1;
    const fields = {
      event: 'guard_hook_failed',
      notice: notice.id,
      kind: notice.event,
      cohort: notice.cohort,
    };
    log.error(fields, 'a hook could not be told what the guard did, and it is given up');
    await store.endNotice(notice.id, 'gave up');
  }

  async #deliver(hook: HookSettings, notice: Notice, body: string): Promise<boolean> {
    const {
      post,
      log,
      epochSeconds = () => Math.floor(Date.now() / 1_000),
      random = Math.random,
    } = this.#options;
    const { timeoutMs, retryMs } = this.#timing;
    const { signal } = this.#stop;
    for (let attempt = 0; attempt < TRIES_A_TAKE && !signal.aborted; attempt++) {
      const signature: Record<string, string> =
        hook.secret === undefined
          ? {}
          : { 'turnout-signature': signatureOf(body, hook.secret, epochSeconds()) };
      try {
        const headers = { 'turnout-event': notice.event, 'turnout-delivery': notice.id, ...signature };
        await post(hook.url, body, { headers, timeoutMs, signal });
        this.counts.told += 1;
        return true;
      } catch (err) {
        if (signal.aborted) return false;
        this.counts.failed += 1;
        const fields = {
          event: 'guard_hook_retried',
          hook: hostOf(hook.url),
          notice: notice.id,
          attempt,
          err,
        };
        log.warn(fields, 'a hook did not take what it was told; it is told again');
      }
      const waitMs = retryMs * 2 ** attempt;
      if (attempt + 1 < TRIES_A_TAKE) await pause(waitMs / 2 + random() * waitMs, signal);
    }
    return false;
  }
}

/** The path may have a secret in it. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'no URL';
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
