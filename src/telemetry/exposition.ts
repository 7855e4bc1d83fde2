/**
 * The text form of Prometheus (version 0.0.4).
 *
 * Written here rather than with prom-client's registry: that one renders a whole registry in one go, which
 * blocked the event loop, and with it the requests of users, for 23 ms at 1,200 histograms. This one gives
 * the loop back after every slice of lines.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Family, Labels } from './families.ts';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** About 250 lines, well under a millisecond of work. */
const SLICE_CHARS = 32_768;

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeHelp(value).replaceAll('"', '\\"')}"`)
    .join(',');
}

function valueText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function line(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${valueText(value)}\n` : `${name}{${labels}} ${valueText(value)}\n`;
}

/** The lines of one family, in pieces that belong together: its head, one sample, one whole histogram. */
function* pieces(family: Family): Generator<string> {
  const { name } = family;
  const type = family.kind === 'plain' ? family.type : 'histogram';
  yield `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${type}\n`;
  if (family.kind === 'plain') {
    for (const { suffix = '', labels, value } of family.samples) {
      yield line(name + suffix, labelText(labels), value);
    }
    return;
  }
  const bounds = [...family.bounds.map(String), '+Inf'];
  for (const { labels, counts, sum } of family.series) {
    const text = labelText(labels);
    const start = `${name}_bucket{${text}${text === '' ? '' : ','}le="`;
    let count = 0;
    let piece = '';
    for (const [index, bound] of bounds.entries()) {
      count += counts[index] ?? 0;
      piece += `${start}${bound}"} ${count}\n`;
    }
    yield piece + line(`${name}_sum`, text, sum) + line(`${name}_count`, text, count);
  }
}

/** Renders all families, giving the event loop back after every slice. */
export async function renderFamilies(families: readonly Family[]): Promise<string> {
  const slices: string[] = [];
  let slice = '';
  for (const family of families) {
    for (const piece of pieces(family)) {
      slice += piece;
      if (slice.length >= SLICE_CHARS) {
        slices.push(slice);
        slice = '';
        await nextTurn();
      }
    }
  }
  slices.push(slice);
  return slices.join('');
}
