import t from 'tap';
import type { Comparison, Difference, DifferenceKind } from '../../src/comparison/difference.ts';
import { judgeConfirmation } from '../../src/shadow/judge-confirmation.ts';

function difference(path: string, left: number, right: number, kind: DifferenceKind = 'value'): Difference {
  return {
    path,
    pattern: path.replaceAll(/\[\d+\]/g, '[]'),
    kind,
    left: { type: 'number', value: left },
    right: { type: 'number', value: right },
  };
}

function comparison(...differences: readonly Difference[]): Comparison {
  return {
    verdict: differences.length === 0 ? 'matched' : 'mismatched',
    differences,
    truncated: false,
    coveredBy: [],
    uncompared: undefined,
  };
}

const judged = (first: Comparison, second: Comparison): unknown => judgeConfirmation('r', first, second);
const first = comparison(difference('$.a[0]', 1, 2), difference('$.b', 1, 2));

void t.test('what is there again is confirmed, the rest of it is left out', async (t) => {
  const again = difference('$.b', 1, 3);
  t.match(judged(first, comparison(again, difference('$.c', 1, 2))), {
    verdict: 'confirmed',
    comparison: { differences: [again] },
  });
});

void t.test('the same kind of difference at another index is the same one', async (t) => {
  t.match(judged(first, comparison(difference('$.a[7]', 5, 6))), { verdict: 'confirmed' });
});

void t.test('equal now is transient, also with the help of rules', async (t) => {
  t.same(judged(first, comparison()), { verdict: 'transient' });
  t.same(judged(first, { ...comparison(), verdict: 'ignored' }), { verdict: 'transient' });
});

void t.test('others, or a value that moves on the authoritative side, are flapping', async (t) => {
  t.same(judged(first, comparison(difference('$.c', 1, 2))), { verdict: 'flapping' });
  t.same(judged(first, comparison(difference('$.b', 1, 2, 'missing'))), { verdict: 'flapping' });
  t.same(judged(first, comparison(difference('$.b', 9, 2))), { verdict: 'flapping' });
});

void t.test('one that moves does not hide one that stays', async (t) => {
  const stays = difference('$.a[0]', 1, 2);
  t.match(judged(first, comparison(stays, difference('$.b', 9, 2))), {
    verdict: 'confirmed',
    comparison: { differences: [stays] },
  });
});

void t.test('nothing can be said where the second pair could not be compared', async (t) => {
  t.same(judged(first, { ...comparison(), verdict: 'uncompared' }), { verdict: 'unconfirmed' });
});
