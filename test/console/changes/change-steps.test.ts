import t from 'tap';
import { changeSteps, gatewayProgress, outcomeOf } from '../../../src/console/changes/change-steps.ts';
import { acknowledgement, changeDocument } from './change-documents.ts';

const states = (more: Parameters<typeof changeDocument>[0]) =>
  changeSteps(changeDocument(more)).map(({ key, state, epoch }) => [key, state, epoch]);

void t.test('the phase of a change says which steps are behind it', async (t) => {
  t.same(states({ phase: 'pending' }), [
    ['preflight', 'now', null],
    ['hold', 'to-come', null],
    ['switch', 'to-come', null],
    ['release', 'to-come', null],
  ]);
  t.same(states({ phase: 'switching', epochs: { hold: 5, switch: 6, release: null } }), [
    ['preflight', 'passed', null],
    ['hold', 'passed', 5],
    ['switch', 'now', 6],
    ['release', 'to-come', null],
  ]);
  t.same(
    states({ phase: 'done', epochs: { hold: 5, switch: 6, release: 7 } }).map(([, state]) => state),
    ['passed', 'passed', 'passed', 'passed'],
  );
});

void t.test('a change that moves nobody neither holds nor releases', async (t) => {
  t.same(
    states({ movesTruth: false, phase: 'switching', epochs: { hold: null, switch: 6, release: null } }),
    [
      ['preflight', 'passed', null],
      ['switch', 'now', 6],
    ],
  );
  t.same(
    states({ movesTruth: false, phase: 'done', epochs: { hold: null, switch: 6, release: null } }).map(
      ([, state]) => state,
    ),
    ['passed', 'passed'],
  );
});

void t.test('an undone change shows how far it got, and its undoing', async (t) => {
  t.same(states({ phase: 'undoing', epochs: { hold: 5, switch: null, release: 6 } }), [
    ['preflight', 'passed', null],
    ['hold', 'passed', 5],
    ['switch', 'skipped', null],
    ['release', 'skipped', null],
    ['undo', 'now', 6],
  ]);
  t.same(
    states({ phase: 'undone' }).map(([, state]) => state),
    ['passed', 'skipped', 'skipped', 'skipped', 'passed'],
  );
});

void t.test('gateways that are waited for come first, with what they have not done', async (t) => {
  const gateways = [
    acknowledgement('a', { acknowledged: true, drained: 5 }),
    acknowledgement('b'),
    acknowledgement('c', { state: 'silent' }),
  ];
  t.same(gatewayProgress(changeDocument({ phase: 'holding', gateways })), [
    { id: 'b', where: 'host b', isDone: false, says: 'finishes its writes; drained epoch 4' },
    {
      id: 'c',
      where: 'host c',
      isDone: false,
      says: 'not heard of: waits until it is back, or surely fenced',
    },
    { id: 'a', where: 'host a', isDone: true, says: 'drained, epoch 5' },
  ]);
  const [first] = gatewayProgress(changeDocument({ phase: 'switching', gateways: [acknowledgement('a')] }));
  t.equal(first?.says, 'has not applied it yet; is at epoch 4');
});

void t.test('the outcome says what became of it and how long it took', async (t) => {
  const beginMs = Date.parse('2026-11-21T09:00:00.000Z');
  t.same(outcomeOf(changeDocument({ phase: 'holding', note: 'waits for b' }), beginMs + 1_500), {
    kind: 'open',
    says: 'holding, for 1.5 s so far: waits for b',
  });
  const endedAt = '2026-11-21T09:00:00.400Z';
  t.same(outcomeOf(changeDocument({ phase: 'done', epoch: 7, endedAt }), beginMs), {
    kind: 'done',
    says: 'In force on every gateway since epoch 7, after 400 ms.',
  });
  t.match(
    outcomeOf(changeDocument({ phase: 'done', epoch: 7, endedAt, dirty: 2, dirtyUsers: 'keep' }), beginMs)
      .says,
    /2 users with writes in new stayed in new, pinned\.$/u,
  );
  t.same(outcomeOf(changeDocument({ phase: 'undone', endedAt, note: 'b did not drain' }), beginMs), {
    kind: 'undone',
    says: 'Undone after 400 ms, and nobody moved: b did not drain.',
  });
});
