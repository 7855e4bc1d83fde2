/** A backend whose answers on a route are all too large is left alone there, and tried now and then. */
import t from 'tap';
import { LargeAnswers } from '../../src/shadow/large-answers.ts';
import { type Answering, json, startWorld } from './shadow-world.ts';

const IN_A_ROW = 5;

function clocked() {
  const clock = { ms: 0 };
  const large = new LargeAnswers(() => clock.ms);
  const tooLarge = (times: number): void => {
    for (let time = 0; time < times; time += 1) large.tooLarge('all', 'new');
  };
  return {
    clock,
    large,
    tooLarge,
    rests: () => large.isResting('all', 'new'),
    lets: () => large.lets('all', 'new'),
  };
}

void t.test('a route rests after five in a row, and not when one of them fitted', (t) => {
  const { large, tooLarge, rests, lets } = clocked();
  tooLarge(IN_A_ROW - 1);
  t.equal(rests(), false);
  t.equal(lets(), true);
  large.fits('all', 'new');
  tooLarge(IN_A_ROW - 1);
  t.equal(rests(), false);
  tooLarge(1);
  t.equal(rests(), true);
  t.equal(lets(), false);
  t.equal(large.isResting('all', 'legacy'), false, 'the other side');
  t.equal(large.isResting('search', 'new'), false, 'another route');
  large.forget();
  t.equal(rests(), false);
  t.end();
});

void t.test('pauses grow from a second to a minute; one read at a time finds out', (t) => {
  const { clock, large, tooLarge, rests, lets } = clocked();
  tooLarge(IN_A_ROW);
  for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    // Those that were under way when it began.
    tooLarge(3);
    clock.ms += pauseMs - 1;
    t.equal(rests(), true, `${pauseMs}`);
    clock.ms += 1;
    t.equal(rests(), false);
    t.equal(lets(), true);
    t.equal(lets(), false, 'one at a time');
    tooLarge(1);
  }
  clock.ms += 60_000;
  t.equal(lets(), true);
  large.fits('all', 'new');
  t.equal(rests(), false);
  t.equal(lets(), true);
  t.equal(lets(), true);
  tooLarge(IN_A_ROW);
  clock.ms += 1_000;
  t.equal(rests(), false, 'the first pause is short again');
  t.end();
});

void t.test('a read that was let through and is never heard of does not hold up the next', (t) => {
  const { clock, tooLarge, lets } = clocked();
  tooLarge(IN_A_ROW);
  clock.ms += 1_000;
  t.equal(lets(), true);
  clock.ms += 999;
  t.equal(lets(), false);
  clock.ms += 1;
  t.equal(lets(), true);
  t.end();
});

void t.test(
  'large_answers: the route is left alone, the others are not, and it is compared again when it fits',
  async (t) => {
    const body = { isLarge: true };
    const answering: Answering = (request, response) => {
      const isLarge = body.isLarge && request.url !== '/search';
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(isLarge ? JSON.stringify('x'.repeat(5_000)) : '{"a":1}');
    };
    const world = await startWorld(t, { new: answering, shadow: { bodyBytesMax: 4_000 } });
    for (let read = 1; read <= IN_A_ROW; read += 1) {
      await world.ask('/a');
      t.equal(await world.sink.skip(read), 'body_too_large');
    }
    // A machine that takes longer than a pause for a read meets the next one, which is longer.
    let asked = IN_A_ROW;
    do {
      await world.ask('/a');
      asked += 1;
    } while ((await world.sink.skip(asked)) !== 'large_answers');
    t.equal(world.new.requests.length, asked - 1, 'it was not asked');
    await world.ask('/search');
    asked += 1;
    await world.sink.until(asked);
    t.match(world.sink.reads, [{ route: 'search', verdict: 'matched' }]);
    body.isLarge = false;
    while (world.sink.reads.length < 2) {
      await world.ask('/a');
      asked += 1;
      await world.sink.until(asked);
    }
    await world.ask('/a');
    await world.sink.until(asked + 1);
    t.equal(world.sink.reads.length, 3, 'from then on each is compared');
    t.match(await world.gateway.telemetry.metrics(), 'turnout_shadow_skipped_total{reason="large_answers"}');
  },
);

void t.test('the answer of the user’s side does not count: it costs no copy', async (t) => {
  const world = await startWorld(t, { legacy: json('x'.repeat(5_000)), shadow: { bodyBytesMax: 4_000 } });
  for (let read = 1; read <= IN_A_ROW + 2; read += 1) {
    await world.ask('/a');
    t.equal(await world.sink.skip(read), 'body_too_large');
  }
});
