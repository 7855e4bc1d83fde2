/** A row of figures as a row of bars. Pure. */

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
/** For terminals that have only ASCII. */
const PLAIN_BARS = ['_', '.', ':', '-', '=', '+', '*', '#'] as const;

/**
 * @param values oldest first; of more than `width` the newest are shown, `undefined` is a gap
 * @param top what fills a whole bar; what is higher does too
 */
export function sparkline(
  values: readonly (number | undefined)[],
  width: number,
  top: number,
  plain = false,
): string {
  if (width <= 0) return '';
  const bars = plain ? PLAIN_BARS : BARS;
  const shown = values.slice(-width).map((value) => {
    if (value === undefined) return ' ';
    const level = top <= 0 ? 0 : Math.ceil((Math.min(value, top) / top) * bars.length) - 1;
    return bars[Math.max(0, level)] ?? ' ';
  });
  return shown.join('').padStart(width);
}
