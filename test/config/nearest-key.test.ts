import fc from 'fast-check';
import t from 'tap';
import { editDistance, nearestKey } from '../../src/config/nearest-key.ts';

void t.test('insertions, deletions, replacements and swaps of neighbours cost one each', async (t) => {
  t.equal(editDistance('', ''), 0);
  t.equal(editDistance('port', 'prot'), 1);
  t.equal(editDistance('port', 'por'), 1);
  t.equal(editDistance('port', 'sport'), 1);
  t.equal(editDistance('port', 'pert'), 1);
  t.equal(editDistance('port', 'host'), 2);
  t.equal(editDistance('', 'port'), 4);
});

void t.test('the distance is symmetric, and zero only for equals', async () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      return distance === editDistance(b, a) && (distance === 0) === (a === b);
    }),
  );
});

void t.test('the nearest key is told if it is near enough to be meant', async (t) => {
  const known = ['connectMs', 'headersMs', 'bodyMs', 'url'];
  t.equal(nearestKey('conectMs', known), 'connectMs');
  t.equal(nearestKey('connect_ms', known), 'connectMs');
  t.equal(nearestKey('CONNECTMS', known), 'connectMs');
  t.equal(nearestKey('headerMs', known), 'headersMs');
  t.equal(nearestKey('uri', known), 'url');
  t.equal(nearestKey('uid', known), undefined);
  t.equal(nearestKey('colour', known), undefined);
  t.equal(nearestKey('c'.repeat(100), known), undefined);
  t.equal(nearestKey('x', []), undefined);
});
