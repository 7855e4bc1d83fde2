/**
 * The proxies in front of Turnout that are believed: addresses and CIDR ranges.
 */
import { isIP } from 'node:net';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';

/** Reports what is neither an address nor a range. */
export function checkProxyRanges(ranges: readonly string[], place: Place, { report }: Reading): void {
  ranges.forEach((range, index) => {
    const [address = '', bits, ...rest] = range.split('/');
    const family = address.includes('%') ? 0 : isIP(address);
    const bitsMax = family === 4 ? 32 : 128;
    const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax);
    if (family > 0 && isRange && rest.length === 0) return;
    const expected = 'an IP address or a range such as 10.0.0.0/8';
    report.problem([...place, index], `expected ${expected}`, { expected });
  });
}
