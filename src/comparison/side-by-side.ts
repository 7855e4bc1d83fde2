/** Two texts beside each other, their lines aligned, with what differs marked. Pure. */

export interface SideBySideRow {
  /** `same`, `left` (only there), `right`, `changed`, or `gap`: lines that are the same were left out. */
  readonly kind: 'same' | 'left' | 'right' | 'changed' | 'gap';
  readonly left: string;
  readonly right: string;
}

/** Lines that are aligned one by one: the table of a comparison has so many rows and columns. */
const ALIGNED_MAX = 1_500;

/** @param context lines that are the same and are shown around those that differ */
export function sideBySide(
  left: readonly string[],
  right: readonly string[],
  context: number,
): readonly SideBySideRow[] {
  return withoutFarLines(pairUp(align(left, right)), context);
}

type Step = { readonly kind: 'same' | 'left' | 'right'; readonly left: string; readonly right: string };

/** The longest common run of lines in order, and what is on one side only between them. */
function align(left: readonly string[], right: readonly string[]): Step[] {
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head += 1;
  let tail = 0;
  while (
    tail < left.length - head &&
    tail < right.length - head &&
    left[left.length - 1 - tail] === right[right.length - 1 - tail]
  ) {
    tail += 1;
  }
  const same = (lines: readonly string[]): Step[] =>
    lines.map((line) => ({ kind: 'same', left: line, right: line }));
  const middle = alignMiddle(left.slice(head, left.length - tail), right.slice(head, right.length - tail));
  return [...same(left.slice(0, head)), ...middle, ...same(left.slice(left.length - tail))];
}

function alignMiddle(left: readonly string[], right: readonly string[]): Step[] {
  const onlyLeft = (line: string): Step => ({ kind: 'left', left: line, right: '' });
  const onlyRight = (line: string): Step => ({ kind: 'right', left: '', right: line });
  if (left.length > ALIGNED_MAX || right.length > ALIGNED_MAX) {
    return [...left.map(onlyLeft), ...right.map(onlyRight)];
  }
  const width = right.length + 1;
  // By position, the length of the longest common run behind it.
  const longest = new Uint16Array((left.length + 1) * width);
  for (let at = left.length - 1; at >= 0; at -= 1) {
    for (let other = right.length - 1; other >= 0; other -= 1) {
      const below = longest[(at + 1) * width + other] ?? 0;
      const beside = longest[at * width + other + 1] ?? 0;
      const both = (longest[(at + 1) * width + other + 1] ?? 0) + 1;
      longest[at * width + other] = left[at] === right[other] ? both : Math.max(below, beside);
    }
  }
  const steps: Step[] = [];
  let [at, other] = [0, 0];
  while (at < left.length || other < right.length) {
    const [one, two] = [left[at], right[other]];
    if (one !== undefined && one === two) {
      steps.push({ kind: 'same', left: one, right: one });
      at += 1;
      other += 1;
    } else if (
      one !== undefined &&
      (two === undefined ||
        (longest[(at + 1) * width + other] ?? 0) >= (longest[at * width + other + 1] ?? 0))
    ) {
      steps.push(onlyLeft(one));
      at += 1;
    } else if (two !== undefined) {
      steps.push(onlyRight(two));
      other += 1;
    }
  }
  return steps;
}

/** Lines that are only left, followed by lines that are only right, stand beside each other. */
function pairUp(steps: readonly Step[]): SideBySideRow[] {
  const rows: SideBySideRow[] = [];
  let waiting: string[] = [];
  let begin = 0;
  const flush = (): void => {
    rows.push(...waiting.slice(begin).map((left): SideBySideRow => ({ kind: 'left', left, right: '' })));
    waiting = [];
    begin = 0;
  };
  for (const step of steps) {
    if (step.kind === 'left') {
      if (begin > 0) flush();
      waiting.push(step.left);
    } else if (step.kind === 'right' && begin < waiting.length) {
      rows.push({ kind: 'changed', left: waiting[begin] ?? '', right: step.right });
      begin += 1;
    } else {
      flush();
      rows.push(step);
    }
  }
  flush();
  return rows;
}

function withoutFarLines(rows: readonly SideBySideRow[], context: number): SideBySideRow[] {
  const isNear = rows.map(() => false);
  rows.forEach(({ kind }, at) => {
    if (kind === 'same') return;
    for (let near = Math.max(0, at - context); near <= Math.min(rows.length - 1, at + context); near += 1) {
      isNear[near] = true;
    }
  });
  const kept: SideBySideRow[] = [];
  rows.forEach((row, at) => {
    if (isNear[at] === true) kept.push(row);
    else if (kept.at(-1)?.kind !== 'gap') kept.push({ kind: 'gap', left: '…', right: '…' });
  });
  return kept;
}
