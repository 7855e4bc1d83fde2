/**
 * How long to wait before attempt number `attempt` (0-based) of something that keeps failing: doubled from
 * 50 ms up to 2 s, of which a random half is taken off, so that gateways do not come back in step.
 * @param random 0 to 1
 */
export function backoffMs(attempt: number, random: () => number): number {
  const full = Math.min(2_000, 50 * 2 ** Math.min(attempt, 10));
  return full * (1 - random() / 2);
}
