import t from 'tap';
import { counter, type Family, gauge, seconds } from '../../src/telemetry/families.ts';
import { Histogram, HOLD_SHAPE } from '../../src/telemetry/histogram.ts';
import { lastingFamilies, mergeFamilies } from '../../src/telemetry/merge-families.ts';

function held(...ms: number[]): Family {
  const histogram = new Histogram(HOLD_SHAPE);
  for (const each of ms) histogram.observe(each);
  return seconds('hold', 'help', HOLD_SHAPE.boundsS, [{ labels: {}, histogram }]);
}

/** Every family crosses a process boundary as JSON before it is merged. */
function sent(families: Family[]): Family[] {
  return JSON.parse(JSON.stringify(families));
}

void t.test('counters add up by their labels, whichever worker has them', async (t) => {
  const one = sent([counter('c', 'help', [{ labels: { route: 'a' }, value: 2 }])]);
  const two = sent([
    counter('c', 'help', [
      { labels: { route: 'a' }, value: 3 },
      { labels: { route: 'b' }, value: 1 },
    ]),
    counter('only', 'help', [{ labels: {}, value: 9 }]),
  ]);
  t.match(mergeFamilies([one, two]), [
    {
      name: 'c',
      samples: [
        { labels: { route: 'a' }, value: 5 },
        { labels: { route: 'b' }, value: 1 },
      ],
    },
    { name: 'only', samples: [{ value: 9 }] },
  ]);
});

void t.test(
  'gauges merge as they are meant: the lowest epoch, the worst attachment, all held writes',
  async (t) => {
    const worker = (epoch: number, detached: number, writes: number) =>
      sent([
        gauge('epoch', 'help', 'min', [{ labels: {}, value: epoch }]),
        gauge('detached', 'help', 'max', [{ labels: {}, value: detached }]),
        gauge('writes', 'help', 'sum', [{ labels: {}, value: writes }]),
        gauge('memory', 'help', 'own', [{ labels: { worker: String(epoch) }, value: 1 }]),
      ]);
    t.match(mergeFamilies([worker(8, 0, 2), worker(7, 1, 3)]), [
      { name: 'epoch', samples: [{ value: 7 }] },
      { name: 'detached', samples: [{ value: 1 }] },
      { name: 'writes', samples: [{ value: 5 }] },
      { name: 'memory', samples: [{ labels: { worker: '8' } }, { labels: { worker: '7' } }] },
    ]);
  },
);

void t.test('histograms add up bucket by bucket', async (t) => {
  const [merged] = mergeFamilies([sent([held(3, 300)]), sent([held(4)])]);
  t.match(merged, held(3, 300, 4));
});

void t.test('what lasts of a dead worker is its counters and histograms', async (t) => {
  const families = sent([
    counter('c', 'help', [{ labels: {}, value: 1 }]),
    gauge('g', 'help', 'sum', [{ labels: {}, value: 1 }]),
    held(1),
    { kind: 'plain', name: 'process_cpu', help: 'help', type: 'counter', merge: 'own', samples: [] },
  ]);
  t.same(
    lastingFamilies(families).map(({ name }) => name),
    ['c', 'hold'],
  );
});
