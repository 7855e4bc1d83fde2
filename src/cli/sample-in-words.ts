/** A stored pair of answers, for people at a terminal. */
import type { SampleDocument } from '../admin/report-documents.ts';
import { ExactNumber } from '../comparison/exact-number.ts';
import { kindFromLegacy } from '../comparison/from-legacy.ts';
import { isArray, isObject, type Json, member } from '../comparison/json-tree.ts';
import { parseJson } from '../comparison/parse-json.ts';
import { type SideBySideRow, sideBySide } from '../comparison/side-by-side.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import type { Writer } from './writer.ts';

type Answer = SampleDocument['answers']['authoritative'];

const CONTEXT_LINES = 2;
const ROWS_MAX = 200;
const DEPTH_MAX = 100;
const DIFFERENCES_SHOWN = 10;

/** Members in order of name, so that two backends that write them in different orders line up. */
function linesOf(value: Json, indent: string, before: string, after: string): string[] {
  if (isArray(value) && value.length > 0) {
    const inner = value.flatMap((item, at) =>
      linesOf(item, `${indent}  `, '', at < value.length - 1 ? ',' : ''),
    );
    return [`${indent}${before}[`, ...inner, `${indent}]${after}`];
  }
  if (isObject(value)) {
    const names = Object.keys(value).sort();
    if (names.length === 0) return [`${indent}${before}{}${after}`];
    const inner = names.flatMap((name, at) => {
      const comma = at < names.length - 1 ? ',' : '';
      return linesOf(member(value, name) ?? null, `${indent}  `, `${JSON.stringify(name)}: `, comma);
    });
    return [`${indent}${before}{`, ...inner, `${indent}}${after}`];
  }
  const text = value instanceof ExactNumber ? value.text : JSON.stringify(value);
  return [`${indent}${before}${text}${after}`];
}

function bodyLines({ body, failure }: Answer): readonly string[] {
  if (failure !== null) return [`no answer: ${failure.kind} ${failure.code}`];
  switch (body.kind) {
    case 'text': {
      const text = body.text ?? '';
      const json = parseJson(Buffer.from(text), { depthMax: DEPTH_MAX });
      return json.kind === 'json' ? linesOf(json.document.root, '', '', '') : text.split(/\r?\n/u);
    }
    case 'hidden':
      return [`not shown: ${body.shown ?? ''}`];
    default:
      return [`the body was not stored: ${body.why ?? ''}`];
  }
}

/** The headers that somebody compares; the others differ with each answer. */
function headLines({ status, headers, failure }: Answer, compared: ReadonlySet<string>): readonly string[] {
  if (failure !== null) return [];
  const shown = headers.filter(([name]) => compared.has(name)).map(([name, value]) => `${name}: ${value}`);
  return [`status ${status}`, ...shown.toSorted(), ''];
}

/** Cut to a width, or filled up to it. @param text printable */
function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

function printRow(row: SideBySideRow, width: number, writer: Writer): void {
  const [left, right] = [fit(printable(row.left), width), fit(printable(row.right), width).trimEnd()];
  switch (row.kind) {
    case 'same':
      writer.line(`    ${left} │ ${right}`.trimEnd());
      return;
    case 'gap':
      writer.line(writer.style('dim', `    ${left} │ ${right}`));
      return;
    case 'left':
      writer.line(`  < ${writer.style('red', left)} │`);
      return;
    case 'right':
      writer.line(`  > ${left} │ ${writer.style('green', right)}`);
      return;
    case 'changed':
      writer.line(`  ≠ ${writer.style('red', left)} │ ${writer.style('green', right)}`);
      return;
    default:
      row.kind satisfies never;
  }
}

export interface PrintOptions {
  /** Of both sides together, in characters. */
  readonly width: number;
  /** The answers too where they have little in common, as where fields have other names. */
  readonly bodies: boolean;
}

export function printSample(sample: SampleDocument, options: PrintOptions, writer: Writer): void {
  const { at, verdict, cohort, authoritative, request, differences } = sample;
  const whose = cohort === null ? '' : `, cohort ${printable(cohort)}`;
  const what = writer.style('bold', printable(`${request.method} ${request.target}`));
  writer.line(`${what}  ${timeInWords(at)}, ${verdict}${whose}`);
  writer.line();
  const half = Math.max(20, Math.floor((options.width - 7) / 2));
  const other = authoritative === 'legacy' ? 'new' : 'legacy';
  writer.line(writer.style('dim', `    ${fit(`${authoritative} (served the user)`, half)} │ ${other}`));
  for (const { path, kind, left, right } of differences.slice(0, DIFFERENCES_SHOWN)) {
    writer.line(`  ${writer.style('cyan', printable(path))} ${kindFromLegacy(kind, authoritative)}`);
    printRow({ kind: 'changed', left: valueInWords(left), right: valueInWords(right) }, half, writer);
  }
  if (differences.length > DIFFERENCES_SHOWN) {
    writer.line(`  and ${differences.length - DIFFERENCES_SHOWN} more`);
  }
  printAnswers(sample, half, options.bodies, writer);
}

function printAnswers(
  { answers, differences }: SampleDocument,
  half: number,
  always: boolean,
  writer: Writer,
): void {
  const names = differences.map(({ path }) => path).filter((path) => path.startsWith('header.'));
  const compared = new Set(['content-type', ...names.map((path) => path.slice('header.'.length))]);
  const [left, right] = [answers.authoritative, answers.secondary].map((answer) => [
    ...headLines(answer, compared),
    ...bodyLines(answer),
  ]);
  const rows = sideBySide(left ?? [], right ?? [], CONTEXT_LINES);
  const same = (left ?? []).length - rows.filter(({ kind }) => kind === 'left' || kind === 'changed').length;
  writer.line();
  if (!always && same < (left ?? []).length / 2) {
    writer.line(writer.style('dim', '  The two answers have few lines in common: --bodies shows them.'));
    return;
  }
  for (const row of rows.slice(0, ROWS_MAX)) printRow(row, half, writer);
  if (rows.length > ROWS_MAX) writer.line(`  … ${rows.length - ROWS_MAX} more lines: --json has them all`);
}

const VALUE_CHARACTERS_MAX = 400;

function valueInWords({ type, value }: SampleDocument['differences'][number]['left']): string {
  if (type === 'absent') return 'absent';
  const text = printable(JSON.stringify(value) ?? 'absent');
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}
