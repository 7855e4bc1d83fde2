/**
 * What does one comparison cost? For bodies of 1 to 1000 KiB: the time of a comparison as a ratio to that of the
 * two `JSON.parse` calls that every structural comparison needs at least, as medians over single calls of the two in
 * turn; the first third is thrown away. The first line has the two calls in both places: how far it is from 1 is what
 * the machine adds to, or takes from, each of the others.
 *
 *   node bench/micro/comparison.ts
 */
import { gzipSync } from 'node:zlib';
import { compare } from '../../src/comparison/compare.ts';
import { type CompiledRules, compileRules, NO_RULES } from '../../src/comparison/compile-rules.ts';
import type { Observation } from '../../src/comparison/observation.ts';
import { median } from '../statistics.ts';

const KIBIBYTES = [1, 10, 100, 1000];
/** Of each side of a case, so that a case takes a second or two. */
const BYTES = 12_000_000;
const ROUNDS_MIN = 45;
const ROUNDS_MAX = 6000;

interface Item {
  readonly [name: string]: unknown;
}

function item(index: number): Item {
  return {
    id: index,
    sku: `SKU-${index * 7919}`,
    name: `Product number ${index}`,
    price: Math.round(index * 137) / 100,
    tags: ['new', 'sale', 'summer'],
    stock: { count: index % 40, reserved: 0, isLow: index % 7 === 0, note: null },
    changedAt: '2026-01-31T12:00:00.000Z',
  };
}

function document(bytes: number): { generatedAt: string; items: Item[] } {
  const count = Math.max(1, Math.round(bytes / JSON.stringify(item(1000)).length));
  return { generatedAt: '2026-01-31T12:00:00.000Z', items: Array.from({ length: count }, (_, i) => item(i)) };
}

/** The same with the members of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

function rulesOf(written: unknown): CompiledRules {
  const { rules, problems } = compileRules(written);
  if (rules === undefined) throw new Error(JSON.stringify(problems));
  return rules;
}

function answer(body: Buffer, headers: readonly string[] = []): Observation {
  const type = ['Content-Type', 'application/json; charset=utf-8'];
  return { status: 200, headers: [...type, 'Date', 'x', ...headers], body, bodyTruncated: false };
}

interface Case {
  readonly name: string;
  readonly rules: CompiledRules;
  readonly left: Observation;
  readonly right: Observation;
}

const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

function cases(bytes: number): Case[] {
  const one = document(bytes);
  const left = answer(text(one));
  const against = (name: string, right: unknown, written: unknown = {}): Case => ({
    name,
    rules: rulesOf(written),
    left,
    right: answer(text(right)),
  });
  const shuffled = one.items.toSorted((a, b) => String(a.sku).localeCompare(String(b.sku)));
  const renamed = one.items.map(({ name, ...rest }) => ({ ...rest, title: { text: name } }));
  const lossy = one.items.map((each) => ({ ...each, big: 1.1 }));
  const withBig = (digits: string): Observation =>
    answer(Buffer.from(JSON.stringify({ ...one, items: lossy }).replaceAll('1.1', digits)));
  return [
    { name: 'equal in bytes', rules: NO_RULES, left, right: answer(text(one)) },
    { name: 'white space', rules: NO_RULES, left, right: answer(Buffer.from(JSON.stringify(one, null, 1))) },
    against('members in another order', reversed(one)),
    against('one time stamp, ignored', { ...one, generatedAt: 'later' }, { ignore: ['$.generatedAt'] }),
    against(
      'a field of every item, ignored',
      { ...one, items: one.items.map((each) => ({ ...each, id: 'x' })) },
      {
        ignore: ['$.items[*].id'],
      },
    ),
    against(
      'the same, by $..id',
      { ...one, items: one.items.map((each) => ({ ...each, id: 'x' })) },
      {
        ignore: ['$..id'],
      },
    ),
    against(
      'items in another order, by key',
      { ...one, items: shuffled },
      { arrays: { '$.items': { key: 'sku' } } },
    ),
    against('items in another order, unordered', { ...one, items: shuffled }, { unordered: ['$.items'] }),
    against(
      'a renamed field in every item',
      { ...one, items: renamed },
      {
        rename: { '$.items[*].name': '$.items[*].title.text' },
      },
    ),
    against('one value differs', { ...one, items: one.items.with(-1, { ...item(1), name: 'other' }) }),
    {
      name: 'numbers of 20 digits, equal',
      rules: rulesOf({ ignore: ['$.generatedAt'] }),
      left: withBig('12345678901234567890'),
      right: answer(
        Buffer.from((withBig('12345678901234567890').body ?? '').toString().replace('2026', '2027')),
      ),
    },
    {
      name: 'gzip on both sides, one stamp',
      rules: rulesOf({ ignore: ['$.generatedAt'] }),
      left: answer(gzipSync(text(one)), ['Content-Encoding', 'gzip']),
      right: answer(gzipSync(text({ ...one, generatedAt: 'later' })), ['Content-Encoding', 'gzip']),
    },
  ];
}

/** Keeps the work from being optimised away. */
let sink = 0;

function timeNs(work: () => number): number {
  const begun = process.hrtime.bigint();
  sink += work();
  return Number(process.hrtime.bigint() - begun);
}

function parseBoth([left, right]: readonly [Buffer, Buffer]): number {
  const both: unknown[] = [JSON.parse(left.toString()), JSON.parse(right.toString())];
  return both.length;
}

/** One call of each in turn, so that whatever else the machine does falls on both. @returns the ratio, and us */
function measure(work: () => number, plain: readonly [Buffer, Buffer]): [number, number] {
  const parse = (): number => parseBoth(plain);
  const parsing: number[] = [];
  const working: number[] = [];
  const rounds = Math.min(ROUNDS_MAX, Math.max(ROUNDS_MIN, Math.round(BYTES / plain[0].length)));
  for (let round = 0; round < rounds; round += 1) {
    parsing.push(timeNs(parse));
    working.push(timeNs(work));
  }
  const warmUp = Math.ceil(rounds / 3);
  const us = median(working.slice(warmUp)) / 1000;
  return [us / (median(parsing.slice(warmUp)) / 1000), us];
}

function printLine(name: string, measured: readonly (readonly [number, number])[]): void {
  const cells = measured.map(([ratio, us]) =>
    `${ratio.toFixed(3)} (${us.toFixed(us < 10 ? 1 : 0)} us)`.padStart(20),
  );
  console.log(`${name.padEnd(40)}${cells.join('')}`);
}

const rows = KIBIBYTES.map((kibibytes) => cases(kibibytes * 1024));

/** What is parsed for that case: where it is packed, what is in it. */
function plainOf(index: number, row: readonly Case[]): [Buffer, Buffer] {
  const one = row[row[index]?.name.startsWith('gzip') === true ? 0 : index];
  return [one?.left.body ?? Buffer.alloc(0), one?.right.body ?? Buffer.alloc(0)];
}

console.log(
  `${'ratio to two JSON.parse calls'.padEnd(40)}${KIBIBYTES.map((k) => `${k} KiB`.padStart(20)).join('')}`,
);
printLine(
  'two JSON.parse calls',
  rows.map((row) => measure(() => parseBoth(plainOf(0, row)), plainOf(0, row))),
);
for (const [index, { name }] of (rows[0] ?? []).entries()) {
  const measured = rows.map((row): [number, number] => {
    const one = row[index];
    if (one === undefined) throw new RangeError(`no case ${name}`);
    const { left, right, rules } = one;
    const work = (): number => compare(left, right, rules, { authoritative: 'legacy' }).differences.length;
    return measure(work, plainOf(index, row));
  });
  printLine(name, measured);
}
if (sink === 0.5) console.log(sink);
