/** Figures inside a text or a table: each says its unit, and more when it is pointed at. */
import { useEffect, useState } from 'preact/hooks';
import { formatAgo, formatCount, formatDuration, formatShare, formatTime, formatUtc } from '../format.ts';

/** A whole number; `unit` follows it. */
export function Count({
  value,
  unit,
}: {
  readonly value: number | null | undefined;
  readonly unit?: string;
}) {
  return (
    <span class="figure" title={value === null || value === undefined ? 'not known' : undefined}>
      {formatCount(value)}
      {unit !== undefined && <span class="unit"> {unit}</span>}
    </span>
  );
}

export interface ShareProps {
  /** 0 to 1. */
  readonly value: number | null | undefined;
  /** The 95 % interval, 0 to 1 each. */
  readonly interval?: readonly [low: number, high: number] | undefined;
}

export function Share({ value, interval }: ShareProps) {
  if (interval === undefined) return <span class="figure">{formatShare(value)}</span>;
  const [low, high] = interval;
  return (
    <span class="figure" title="95 % confidence interval in brackets">
      {formatShare(value)}{' '}
      <span class="unit">
        [{formatShare(low)} – {formatShare(high)}]
      </span>
    </span>
  );
}

export interface TimeProps {
  /** ISO 8601, or milliseconds since 1970. */
  readonly at: string | number | null | undefined;
}

/** In the viewer's zone; in UTC when it is pointed at. */
export function Time({ at }: TimeProps) {
  if (at === null || at === undefined) return <span class="figure">–</span>;
  const date = new Date(at);
  return (
    <time class="figure" dateTime={isoOf(date)} title={formatUtc(date)}>
      {formatTime(date)}
    </time>
  );
}

/** How long ago, and it goes on counting. */
export function Ago({ at }: TimeProps) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (at === null || at === undefined) return <span class="figure">–</span>;
  const date = new Date(at);
  return (
    <time class="figure" dateTime={isoOf(date)} title={`${formatTime(date)} · ${formatUtc(date)}`}>
      {formatAgo(now - date.getTime())}
    </time>
  );
}

/** @param ms milliseconds */
export function Duration({ ms }: { readonly ms: number | null | undefined }) {
  return <span class="figure">{formatDuration(ms)}</span>;
}

function isoOf(date: Date): string | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
