/** Both answers of a sample beside each other: heads, then bodies. */
import { useMemo, useState } from 'preact/hooks';
import type { GroupDocument, SampleDocument } from '../../admin/report-documents.ts';
import { kindFromLegacy } from '../../comparison/from-legacy.ts';
import type { RulesWritten } from '../../comparison/rules-written.ts';
import { sideBySide } from '../../comparison/side-by-side.ts';
import { counted } from '../format.ts';
import { Button } from '../ui/button.tsx';
import { foldedRows } from './folded-rows.ts';
import { sidesOf } from './group-words.ts';
import { DifferingText, ShownText } from './shown-text.tsx';
import { type DocumentRow, documentRows, type RowMark } from './two-documents.ts';

type Answer = SampleDocument['answers']['authoritative'];

export interface AnswersViewProps {
  readonly group: GroupDocument;
  readonly sample: SampleDocument;
  readonly rules: RulesWritten | undefined;
}

/** One row of the table, whatever it is of. */
interface Row {
  readonly mark: RowMark | 'gap';
  /** Where a gap begins, among the rows of the document. */
  readonly from: number;
  /** In front of both sides. */
  readonly name: string;
  readonly left: string | undefined;
  readonly right: string | undefined;
  readonly rule: string | undefined;
  /** The row above does not say it. */
  readonly isRuleSaid?: boolean;
}

const CONTEXT_ROWS = 2;
const ROWS_SHOWN = 300;
const TEXT_CHARACTERS_MAX = 200_000;
const TEXT_LINES_MAX = 1_500;

const SIGNS: Readonly<Record<Row['mark'], string>> = {
  same: '',
  group: '≠',
  other: '≠',
  covered: '~',
  gap: '',
};
const MEANINGS: Readonly<Record<Row['mark'], string | undefined>> = {
  same: undefined,
  group: 'differs, of this group',
  other: 'differs, of another group',
  covered: 'differs, and is not reported',
  gap: undefined,
};

export function AnswersView({ group, sample, rules }: AnswersViewProps) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [rowsMax, setRowsMax] = useState(ROWS_SHOWN);
  const [served, other] = sidesOf(sample.authoritative);
  const bodies = useMemo(() => bodiesOf(group, sample, rules ?? {}), [group.id, sample, rules]);
  const rows = [...headRows(group, sample), ...bodies.rowsWith(opened)];
  return (
    // On a narrow screen it scrolls sideways: by keys too, once it has the focus.
    <section class="pair-frame" aria-label="Both answers" tabIndex={0}>
      <table class="pair pair-answers">
        <caption class="unseen">Both answers</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">Differs</span>
            </th>
            <th scope="col" class={`text-${served}`}>
              {served}, served the user
            </th>
            <th scope="col" class={`text-${other}`}>
              {other}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, rowsMax).map((row, at) => (
            <PairRow key={at} row={row} onOpen={() => setOpened(new Set([...opened, row.from]))} />
          ))}
        </tbody>
      </table>
      {rows.length > rowsMax && (
        <Button onClick={() => setRowsMax(rowsMax + 4 * ROWS_SHOWN)}>
          {counted(rows.length - rowsMax, 'more row')}
        </Button>
      )}
      <p class="unit">
        ≠ differs
        {bodies.isByStructure
          ? ' · ~ differs and is not reported: a rule covers it, or there were too many'
          : ''}
        {bodies.isCut && ' · the answers are longer than what is shown'}
      </p>
    </section>
  );
}

function PairRow({ row, onOpen }: { readonly row: Row; readonly onOpen: () => void }) {
  const { mark, name, left, right, rule, isRuleSaid } = row;
  if (mark === 'gap') {
    return (
      <tr class="pair-gap">
        <td colSpan={3}>
          <button type="button" class="more-text" onClick={onOpen}>
            {name}
          </button>
        </td>
      </tr>
    );
  }
  const differs = mark !== 'same' && left !== undefined && right !== undefined;
  return (
    <tr class={`pair-${mark}`} title={rule}>
      <td class="pair-sign" title={rule ?? MEANINGS[mark]}>
        {SIGNS[mark]}
        {mark !== 'same' && <span class="unseen">{MEANINGS[mark]}</span>}
      </td>
      <td class={left === undefined ? 'pair-none' : 'pair-left'}>
        {left !== undefined && <ShownText text={name} charactersMax={200} />}
        {left !== undefined &&
          (differs ? <DifferingText text={left} other={right} side="left" /> : <ShownText text={left} />)}
      </td>
      <td class={right === undefined ? 'pair-none' : 'pair-right'}>
        {right !== undefined && <ShownText text={name} charactersMax={200} />}
        {right !== undefined &&
          (differs ? <DifferingText text={right} other={left} side="right" /> : <ShownText text={right} />)}
        {isRuleSaid === true && rule !== undefined && mark === 'covered' && (
          <span class="pair-rule unit"> {rule}</span>
        )}
      </td>
    </tr>
  );
}

function headRows(group: GroupDocument, { answers, differences }: SampleDocument): readonly Row[] {
  const named = differences.filter(({ path }) => path.startsWith('header.'));
  const names = new Set(['content-type', ...named.map(({ path }) => path.slice('header.'.length))]);
  const [one, two] = [answers.authoritative, answers.secondary];
  const valuesOf = ({ headers }: Answer, name: string): string | undefined => {
    const values = headers.filter(([own]) => own === name).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(', ');
  };
  const lines = [
    { name: 'status', left: statusOf(one), right: statusOf(two), where: 'status' },
    ...[...names].map((name) => ({
      name,
      left: valuesOf(one, name),
      right: valuesOf(two, name),
      where: name === 'content-type' ? name : `header.${name}`,
    })),
  ];
  return lines
    .filter(({ left, right }) => left !== undefined || right !== undefined)
    .map(({ name, left, right, where }) => {
      const found = differences.filter((one) => one.where === where);
      const isOfGroup = found.some(({ kind }) => where === group.where && kind === group.kind);
      const differing: RowMark = isOfGroup ? 'group' : found.length > 0 ? 'other' : 'covered';
      return {
        mark: left === right ? 'same' : differing,
        from: 0,
        name: `${name}: `,
        left,
        right,
        rule: undefined,
      };
    });
}

function statusOf({ status, failure }: Answer): string {
  return failure === null ? String(status) : `no answer: ${failure.kind} ${failure.code}`;
}

interface Bodies {
  /** Rows with these gaps opened. */
  readonly rowsWith: (opened: ReadonlySet<number>) => readonly Row[];
  readonly isByStructure: boolean;
  readonly isCut: boolean;
}

function bodiesOf(group: GroupDocument, sample: SampleDocument, rules: RulesWritten): Bodies {
  const { authoritative, secondary } = sample.answers;
  const [left, right] = [textOf(authoritative), textOf(secondary)];
  const document =
    authoritative.body.kind === 'text' && secondary.body.kind === 'text'
      ? documentRows({
          left,
          right,
          rules,
          newSide: sample.authoritative === 'new' ? 'left' : 'right',
          differences: sample.differences.map(({ path, where, kind }) => ({
            path,
            isOfGroup: where === group.where && kindFromLegacy(kind, sample.authoritative) === group.kind,
            isOneSided: kind === 'missing' || kind === 'extra',
          })),
        })
      : undefined;
  if (document === undefined) return textBodies(left, right);
  return {
    rowsWith: (opened) =>
      foldedRows(document.rows, CONTEXT_ROWS, opened).map((one, at, all) => {
        if (one.kind === 'gap') return gapRow(one.from, counted(one.rows, 'row'));
        const before = all[at - 1];
        const isNamed = before?.kind === 'row' && before.row.rule === one.row.rule;
        return { ...documentRow(one.row), isRuleSaid: !isNamed };
      }),
    isByStructure: true,
    isCut: document.isCut,
  };
}

function gapRow(from: number, what: string): Row {
  const name = `⋯ ${what} in which nothing is reported`;
  return { mark: 'gap', from, name, left: undefined, right: undefined, rule: undefined };
}

const INDENTS_MAX = 24;

function documentRow({ depth, name, mark, left, right, rule }: DocumentRow): Row {
  const indent = '  '.repeat(Math.min(depth, INDENTS_MAX));
  return { mark, from: 0, name: `${indent}${name === '' ? '' : `${name}: `}`, left, right, rule };
}

function textOf({ body, failure }: Answer): string {
  if (failure !== null) return '';
  switch (body.kind) {
    case 'text':
      return body.text ?? '';
    case 'hidden':
      return `(no text: ${body.shown ?? ''})`;
    default:
      return `(the body was not stored: ${(body.why ?? '').replaceAll('_', ' ')})`;
  }
}

/** Line by line. The lines that are the same and far from what differs are left out for good: they say nothing. */
function textBodies(left: string, right: string): Bodies {
  const linesOf = (text: string): string[] =>
    text.slice(0, TEXT_CHARACTERS_MAX).split(/\r?\n/u).slice(0, TEXT_LINES_MAX);
  const isCut = [left, right].some((text) => text.length > TEXT_CHARACTERS_MAX);
  const rows = sideBySide(linesOf(left), linesOf(right), CONTEXT_ROWS).map(({ kind, ...sides }): Row => {
    const base = { from: 0, name: '', rule: undefined };
    switch (kind) {
      case 'same':
        return { ...base, ...sides, mark: 'same' };
      case 'gap':
        return { ...base, left: '⋯', right: '⋯', mark: 'same' };
      case 'left':
        return { ...base, left: sides.left, right: undefined, mark: 'group' };
      case 'right':
        return { ...base, left: undefined, right: sides.right, mark: 'group' };
      case 'changed':
        return { ...base, ...sides, mark: 'group' };
      default:
        return kind satisfies never;
    }
  });
  return { rowsWith: () => rows, isByStructure: false, isCut };
}
