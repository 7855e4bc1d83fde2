/**
 * Exact confidence bounds of a share (Clopper and Pearson, 1934): whatever the true share is, a one-sided bound at
 * confidence c misses it with a probability of at most 1 - c, for few requests as for many.
 */

/**
 * @param least 0 or more @param n 1 or more @param share 0 to 1
 * @returns the probability that of `n` independent requests `least` or more are bad, when each one is with `share`
 */
export function binomialTail(least: number, n: number, share: number): number {
  if (least <= 0) return 1;
  if (least > n || share <= 0) return 0;
  if (share >= 1) return 1;
  return incompleteBeta(share, least, n - least + 1);
}

/** Whether `bad` of `n` show at this confidence that the true share is over `share`. @param confidence 0.5 or more */
export function isShareOver(bad: number, n: number, share: number, confidence: number): boolean {
  // The median of the binomial distribution is its mean, rounded: at or below it the tail is a half or more.
  if (bad <= n * share) return false;
  return binomialTail(bad, n, share) < 1 - confidence;
}

/** @returns 0 to 1; 0 without requests */
export function shareLower(bad: number, n: number, confidence: number): number {
  if (bad <= 0 || n <= 0) return 0;
  const target = Math.log(1 - confidence);
  return findRoot((share) => Math.log(binomialTail(bad, n, share)) - target, 0, Math.min(1, bad / n));
}

/** @returns 0 to 1; 1 without requests */
export function shareUpper(bad: number, n: number, confidence: number): number {
  return n <= 0 ? 1 : 1 - shareLower(n - bad, n, confidence);
}

/**
 * Where a monotonic function is zero, by regula falsi with halved weights (the Illinois method), by halves where the
 * function is infinite. Its signs at the ends must differ; else one of the ends is returned.
 */
export function findRoot(f: (x: number) => number, low: number, high: number, precision = 1e-7): number {
  let [a, b, fa, fb] = [low, high, f(low), f(high)];
  if (fa === 0 || fb === 0) return fa === 0 ? a : b;
  for (let step = 0; step < STEPS_MAX && Math.abs(b - a) > precision * Math.abs(b); step += 1) {
    const straight = (a * fb - b * fa) / (fb - fa);
    // Every fourth step halves, so that a function far from a straight line ends as soon.
    const x = Number.isFinite(straight) && step % 4 !== 3 ? straight : (a + b) / 2;
    const fx = f(x);
    if (fx === 0) return x;
    if (fx > 0 === fb > 0) fa /= 2;
    else [a, fa] = [b, fb];
    [b, fb] = [x, fx];
  }
  return b;
}
const STEPS_MAX = 100;

/** The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22). */
function incompleteBeta(x: number, a: number, b: number): number {
  // The fraction converges quickly on this side of the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - lnBeta(a, b)) / a;
  // Lentz's method: c and d are the ratios of successive numerators and denominators.
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let i = 1; i < FRACTIONS_MAX; i += 1) {
    const even = (i * (b - i) * x) / ((a + 2 * i - 1) * (a + 2 * i));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= c * d;
    const odd = -((a + i) * (a + b + i) * x) / ((a + 2 * i) * (a + 2 * i + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-12) break;
  }
  return Math.min(1, front * fraction);
}
/** It needs about the square root of the number of requests; this is enough for 10^8 of them. */
const FRACTIONS_MAX = 20_000;

function awayFromZero(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value;
}

function lnBeta(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b);
}

/** Stirling's series (DLMF 5.11.1); small arguments are shifted up by the recurrence. */
function lnGamma(value: number): number {
  let [x, shift] = [value, 0];
  for (; x < 12; x += 1) shift += Math.log(x);
  const square = 1 / (x * x);
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
