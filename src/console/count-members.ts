import { send } from './api.ts';
import type { MemberCount } from './ramp-share.ts';

/** More are not counted: nobody reads them off a page, and the record would have to read them all. */
export const COUNTED_MAX = 10_000;
const NEWLINE = 0x0a;

/** The members of a cohort that the record knows. @throws ApiProblem */
export async function countMembers(cohort: string): Promise<MemberCount> {
  const stop = new AbortController();
  const response = await send(`/api/v1/cohorts/${encodeURIComponent(cohort)}/members`, {
    headers: { accept: 'text/plain' },
    signal: stop.signal,
  });
  const reader = response.body?.getReader();
  let count = 0;
  for (;;) {
    const piece = await reader?.read();
    if (piece?.value === undefined) return { count, isMore: false };
    for (const byte of piece.value) if (byte === NEWLINE) count += 1;
    if (count <= COUNTED_MAX) continue;
    stop.abort();
    return { count: COUNTED_MAX, isMore: true };
  }
}
