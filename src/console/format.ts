/** Numbers, shares and times as people read them. Units are always said. Pure, but for the viewer's own zone. */

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** `12,345`; from a million on `1.2M` where `compact`. What is not known is a dash. */
export function formatCount(value: number | null | undefined, compact = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return compact && Math.abs(value) >= 100_000 ? COMPACT.format(value) : COUNT.format(value);
}

/** `1,234/s`, `0.4/s`. */
export function formatRate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || !Number.isFinite(perSecond)) return '–';
  return `${perSecond >= 100 ? COUNT.format(perSecond) : SMALL.format(perSecond)}/s`;
}

/**
 * `99.98 %`. As many decimals as it takes not to say 0 % or 100 % of something that is neither.
 *
 * @param share 0 to 1
 */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  const edge = Math.min(Math.abs(percent), Math.abs(100 - percent));
  if (edge < 0.0001) return percent < 50 ? '< 0.0001 %' : '> 99.9999 %';
  const decimals = edge >= 10 ? 1 : edge >= 0.1 ? 2 : Math.min(4, Math.ceil(-Math.log10(edge)) + 1);
  const digits = percent.toFixed(decimals);
  return `${decimals > 2 ? digits.replace(/0+$/u, '') : digits} %`;
}

/** `840 µs`, `12 ms`, `1.2 s`, `4 min 10 s`, `3 h 5 min`, `2 d 4 h`. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 10) return `${SMALL.format(ms)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 10) return `${SMALL.format(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return twoUnits(whole, 60, 'min', 1, 's');
  if (whole < 86_400) return twoUnits(whole, 3_600, 'h', 60, 'min');
  return twoUnits(whole, 86_400, 'd', 3_600, 'h');
}

function twoUnits(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)} ${bigUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}

/** `just now`, `12 s ago`, `in 3 min`. */
export function formatAgo(ms: number): string {
  if (Math.abs(ms) < 2_000) return 'just now';
  const length = largestUnit(Math.abs(ms) / 1_000);
  return ms > 0 ? `${length} ago` : `in ${length}`;
}

function largestUnit(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** In the viewer's zone: `21 Nov 15:04:05`, with the year where it is another one. */
export function formatTime(at: Date, now = new Date(), timeZone?: string): string {
  if (Number.isNaN(at.getTime())) return '–';
  const sameYear = at.getFullYear() === now.getFullYear();
  return new Intl.DateTimeFormat('en-GB', {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(sameYear ? {} : { year: 'numeric' }),
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  })
    .format(at)
    .replace(',', '');
}

/** `2026-11-21 15:04:05 UTC`. */
export function formatUtc(at: Date): string {
  if (Number.isNaN(at.getTime())) return '–';
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${COUNT.format(bytes)} B`;
  if (bytes < 1_048_576) return `${SMALL.format(bytes / 1_024)} KiB`;
  return `${SMALL.format(bytes / 1_048_576)} MiB`;
}

/** `10 %` or `1,000 users`, of a ramp as the API writes it. */
export function formatRamp(ramp: number | string): string {
  if (typeof ramp === 'number') return `${COUNT.format(ramp)} users`;
  return ramp.replace('%', ' %');
}

/** `1 user`, `2 users`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${COUNT.format(count)} ${count === 1 ? one : many}`;
}
