import t from 'tap';
import { rampShare, shareAt } from '../../src/console/ramp-share.ts';

void t.test('a share of the users is itself, a number of them needs the members', async (t) => {
  t.equal(rampShare('12.5 %'), 0.125);
  t.equal(rampShare('10%'), 0.1, 'as the API writes it');
  t.equal(rampShare('100 users'), undefined);
  t.equal(rampShare('100 users', { count: 400, isMore: false }), 0.25);
  t.equal(rampShare('1000', { count: 400, isMore: false }), 1, 'nobody is left outside');
  t.equal(rampShare('100 users', { count: 10_000, isMore: true }), undefined);
});

void t.test('the ramp splits users only where it leads over the switch', async (t) => {
  t.equal(shareAt('new', 'live', 0.1), 0.1);
  t.equal(shareAt('legacy', 'live', 0.1), 0.9);
  t.equal(shareAt('legacy', 'shadow', 0.1), 1, 'inside or outside, legacy has them');
  t.equal(shareAt('new', 'rampdown', 0.1), 1);
  t.equal(shareAt('new', 'off', undefined), 0);
  t.equal(shareAt('new', 'live', undefined), undefined);
});
