/** Of two documents beside each other, what somebody wants to see first: what differs, and what is around it. */
import type { DocumentRow } from './two-documents.ts';

/** Rows, and where rows that are the same were folded away. */
export type FoldedRow =
  | { readonly kind: 'row'; readonly row: DocumentRow }
  | { readonly kind: 'gap'; readonly from: number; readonly rows: number };

/** What a rule covers is of as little interest as what is the same. */
function isPlain({ mark, rule }: DocumentRow): boolean {
  return mark === 'same' || (mark === 'covered' && rule !== undefined);
}

/**
 * Rows that differ, those around them, and the brackets that they are in.
 *
 * @param context rows that are shown on either side of one that differs
 * @param opened gaps that were opened, by where they begin
 */
export function foldedRows(
  rows: readonly DocumentRow[],
  context: number,
  opened: ReadonlySet<number>,
): readonly FoldedRow[] {
  const isKept = rows.map(() => false);
  const above: number[] = [];
  rows.forEach((row, at) => {
    const { depth } = row;
    above.length = Math.min(above.length, depth);
    if (!isPlain(row)) {
      for (const bracket of above) isKept[bracket] = true;
      const end = Math.min(rows.length - 1, at + context);
      for (let near = Math.max(0, at - context); near <= end; near += 1) isKept[near] = true;
    }
    above[depth] = at;
  });
  const folded: FoldedRow[] = [];
  for (let at = 0; at < rows.length; ) {
    const row = rows[at];
    let end = at;
    while (end < rows.length && isKept[end] === false) end += 1;
    if (end === at || opened.has(at)) {
      // A gap that was opened ends where it ended.
      const until = Math.max(end, at + 1);
      for (const shown of rows.slice(at, until)) folded.push({ kind: 'row', row: shown });
      at = until;
      continue;
    }
    if (end - at === 1 && row !== undefined) folded.push({ kind: 'row', row });
    else folded.push({ kind: 'gap', from: at, rows: end - at });
    at = end;
  }
  return folded;
}
