/** One question for many, and never an answer from before it was asked. */
import t from 'tap';
import { EpochQuestion } from '../../src/state/epoch-question.ts';

function redisAt(epochs: readonly number[]) {
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    readEpoch: async () => ({ id: 'map', epoch: epochs[asked++] ?? 0 }),
  };
}

void t.test('all who ask in one turn share a command, and the next turn has one of its own', async (t) => {
  const question = new EpochQuestion();
  const redis = redisAt([7, 8]);
  const first = await Promise.all([question.ask(redis), Promise.resolve().then(() => question.ask(redis))]);
  t.same(first, [
    { id: 'map', epoch: 7 },
    { id: 'map', epoch: 7 },
  ]);
  t.match(await question.ask(redis), { epoch: 8 });
  t.equal(redis.asked, 2);
});

void t.test('who asks once the command was sent gets another', async (t) => {
  const question = new EpochQuestion();
  const redis = redisAt([1, 2]);
  const early = question.ask(redis);
  const late = new Promise((resolve) => setImmediate(() => resolve(question.ask(redis))));
  t.match(await early, { epoch: 1 });
  t.match(await late, { epoch: 2 });
});

void t.test('another connection is another question, and an error is told to all', async (t) => {
  const question = new EpochQuestion();
  const broken = { readEpoch: () => Promise.reject(new Error('Redis is away')) };
  const redis = redisAt([3]);
  const failed = [question.ask(broken), question.ask(broken)];
  const answered = question.ask(redis);
  for (const each of failed) await t.rejects(each, { message: 'Redis is away' });
  t.match(await answered, { epoch: 3 });
  t.equal(redis.asked, 1);
});
