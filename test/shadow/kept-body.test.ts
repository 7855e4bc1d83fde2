import t from 'tap';
import { ByteBudget, KeptBody } from '../../src/upstream/kept-body.ts';

void t.test('pieces become the whole, however small they are', async (t) => {
  const budget = new ByteBudget(1_000_000);
  const body = new KeptBody(1_000_000, budget);
  const text = Array.from({ length: 5_000 }, (_, index) => String.fromCharCode(97 + (index % 26))).join('');
  for (const letter of text) body.add(Buffer.from(letter));
  body.add(Buffer.alloc(10_000, '-'));
  body.add(Buffer.from('end'));
  t.equal(body.whole().toString(), `${text}${'-'.repeat(10_000)}end`);
  t.equal(budget.held, 15_003);
  body.release();
  body.release();
  t.equal(budget.held, 0);
});

void t.test('one piece is kept as it is, without a copy', async (t) => {
  const piece = Buffer.from('all of it');
  const body = new KeptBody(100, new ByteBudget(100));
  t.equal(body.whole().length, 0);
  body.add(piece);
  t.equal(body.whole(), piece);
});

void t.test('over its bound, or that of all, everything is dropped', async (t) => {
  const budget = new ByteBudget(10);
  const [own, other] = [new KeptBody(6, budget), new KeptBody(100, budget)];
  own.add(Buffer.alloc(5));
  other.add(Buffer.alloc(5));
  other.add(Buffer.alloc(1));
  t.equal(other.dropped, 'memory');
  t.equal(budget.held, 5);
  own.add(Buffer.alloc(2));
  t.equal(own.dropped, 'too_large');
  t.equal(budget.held, 0);
  own.add(Buffer.alloc(1));
  t.equal(budget.held, 0, 'nothing is taken any more');
  const announced = new KeptBody(6, budget);
  announced.announce(6);
  t.equal(announced.dropped, undefined);
  announced.announce(7);
  t.equal(announced.dropped, 'too_large');
});
