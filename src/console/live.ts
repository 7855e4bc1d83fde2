/**
 * What is so now, as the gateway tells it by server-sent events. One connection for the whole page, held open only
 * while something looks. When it breaks it is tried again, later each time.
 */
import { useEffect, useState } from 'preact/hooks';
import type { GuardDocument } from '../admin/guard-documents.ts';
import type { LiveDocument } from '../admin/live-document.ts';
import type { FullStatusDocument } from '../admin/status-document.ts';
import { getJson } from './api.ts';
import { joinGuard, newestSecond } from './live-window.ts';

/** `stale`: connected, or about to be, but nothing was told for a while. `lost`: not connected. */
export type LiveState = 'live' | 'stale' | 'lost';

export interface Live {
  readonly state: LiveState;
  readonly status: FullStatusDocument | undefined;
  /** With the seconds of the last minutes. `undefined` while the guard is not known. */
  readonly guard: GuardDocument | undefined;
  /** When the last was told, of this machine's clock, milliseconds. */
  readonly toldAt: number | undefined;
  /**
   * By how much the clock that stamps the guard's seconds is before this machine's, seconds: it goes on also while nobody
   * sends anything. `undefined` while no second is known.
   */
  readonly clockLead: number | undefined;
  /** Of the seconds before this one nothing is known, since 1970 by the clock that stamps them. */
  readonly knownFrom: number | undefined;
}

/** What a snapshot brings of the time before it. */
const TOLD_SECONDS = 120;
const STALE_MS = 5_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
/** A tab that nobody looks at for so long leaves its connection to others: a browser has six for a host. */
const HIDDEN_MS = 60_000;

type Listener = (live: Live) => void;

const listeners = new Set<Listener>();
let live: Live = {
  state: 'stale',
  status: undefined,
  guard: undefined,
  toldAt: undefined,
  clockLead: undefined,
  knownFrom: undefined,
};
let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let watch: ReturnType<typeof setInterval> | undefined;
let hiding: ReturnType<typeof setTimeout> | undefined;
let retryMs = RETRY_MS_MIN;

/** Follows what is so now. Every component that asks shares one connection. */
export function useLive(): Live {
  const [now, setNow] = useState(live);
  useEffect(() => {
    listeners.add(setNow);
    setNow(live);
    if (listeners.size === 1) {
      document.addEventListener('visibilitychange', lookAtTheTab);
      open();
    }
    return () => {
      listeners.delete(setNow);
      if (listeners.size > 0) return;
      document.removeEventListener('visibilitychange', lookAtTheTab);
      close();
    };
  }, []);
  return now;
}

/** Connects again at once: after a login, or when somebody asks for it. */
export function reconnect(): void {
  if (listeners.size === 0) return;
  retryMs = RETRY_MS_MIN;
  close();
  open();
}

function tell(changes: Partial<Live>): void {
  live = { ...live, ...changes };
  for (const listener of listeners) listener(live);
}

function open(): void {
  watch ??= setInterval(lookAtTheClock, 1_000);
  const opened = new EventSource('/api/v1/events');
  source = opened;
  opened.addEventListener('snapshot', (event) => take(event, 'snapshot'));
  opened.addEventListener('update', (event) => take(event, 'update'));
  opened.addEventListener('error', () => {
    // The browser would try again by itself, but at an even pace, and not at all after a refusal.
    opened.close();
    if (source !== opened) return;
    source = undefined;
    tell({ state: 'lost' });
    retry = setTimeout(open, retryMs * (0.75 + Math.random() / 2));
    retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
    // An event source does not say why it failed. Where a login is asked for, this finds out.
    getJson('/api/v1/status').catch(() => undefined);
  });
}

function close(): void {
  clearTimeout(retry);
  clearTimeout(hiding);
  clearInterval(watch);
  source?.close();
  retry = undefined;
  watch = undefined;
  source = undefined;
}

function take(event: MessageEvent<string>, kind: 'snapshot' | 'update'): void {
  // The API's own document: its shape is the schema from which the type follows.
  const { status, guard } = JSON.parse(event.data) as LiveDocument;
  const known = kind === 'snapshot' ? undefined : live.guard;
  retryMs = RETRY_MS_MIN;
  const toldAt = Date.now();
  const clockLead = leadOf(guard, toldAt, kind === 'snapshot' ? undefined : live.clockLead);
  const begun = Math.floor(toldAt / 1_000 + (clockLead ?? 0)) - TOLD_SECONDS;
  tell({
    state: 'live',
    status,
    guard: guard === null ? live.guard : joinGuard(known, guard),
    toldAt,
    clockLead,
    knownFrom: kind === 'snapshot' ? begun : live.knownFrom,
  });
}

/** News can only be late, so the largest lead that was seen is the nearest to the truth. */
function leadOf(guard: GuardDocument | null, at: number, before: number | undefined): number | undefined {
  const newest = guard === null ? 0 : newestSecond(guard);
  if (newest === 0) return before;
  return Math.max(before ?? Number.NEGATIVE_INFINITY, newest - at / 1_000);
}

function lookAtTheTab(): void {
  clearTimeout(hiding);
  if (document.visibilityState === 'hidden') {
    hiding = setTimeout(() => {
      close();
      tell({ state: 'stale' });
    }, HIDDEN_MS);
  } else if (source === undefined) {
    reconnect();
  }
}

function lookAtTheClock(): void {
  if (live.state === 'live' && Date.now() - (live.toldAt ?? 0) > STALE_MS) tell({ state: 'stale' });
}
