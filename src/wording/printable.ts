/** Text that somebody else wrote, on one line and without anything that a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** `10 %` or `1,000 users`, of a ramp as the API writes it. */
export function rampFormInWords(ramp: number | string): string {
  return typeof ramp === 'number' ? `${ramp.toLocaleString('en')} users` : ramp.replace('%', ' %');
}

/** `2026-11-21 09:00:01Z` of an ISO date. */
export function timeInWords(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/u, 'Z');
}
