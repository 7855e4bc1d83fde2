/** What of a body is handed on when its write may not reach its backend any more. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { TurnoutError } from '../../src/errors.ts';
import { RequestBody } from '../../src/forwarding/request-body.ts';

interface Passing {
  readonly client: PassThrough;
  readonly body: RequestBody;
  readonly passed: () => string;
  /** Resolves with how the body ended: `end`, or the code of its failure. */
  readonly over: Promise<string>;
  readonly fence: () => void;
}

function passing(t: Test, announcedBytes: number | undefined): Passing {
  const client = new PassThrough();
  const body = new RequestBody(client, announcedBytes);
  let isFenced = false;
  body.mayPass = () => !isFenced;
  const fence = (): void => {
    isFenced = true;
  };
  let passed = '';
  const over = new Promise<string>((done) => {
    body
      .on('data', (piece: Buffer) => {
        passed += piece.toString();
      })
      .once('end', () => done('end'))
      .once('error', (error) => done(error instanceof TurnoutError ? error.code : String(error)));
  });
  t.teardown(() => void client.destroy());
  return { client, body, passed: () => passed, over, fence };
}

await t.test('the rest of a body is cut off', async (t) => {
  const { client, body, passed, over, fence } = passing(t, 6);
  client.write('abc');
  await once(body, 'data');
  fence();
  client.end('def');
  t.equal(await over, 'fenced');
  t.equal(passed(), 'abc');
});

await t.test('a body of which every announced byte was handed on ends whole', async (t) => {
  const { client, body, passed, over, fence } = passing(t, 6);
  client.write('abcdef');
  await once(body, 'data');
  // The backend has all of it: the write may be applied, so nobody may say that it was refused.
  fence();
  client.end();
  t.equal(await over, 'end');
  t.equal(passed(), 'abcdef');
});

await t.test('a body without an announced length does not come to its end', async (t) => {
  const { client, body, passed, over, fence } = passing(t, undefined);
  client.write('abcdef');
  await once(body, 'data');
  fence();
  client.end();
  t.equal(await over, 'fenced', 'its last chunk is what makes it whole');
  t.equal(passed(), 'abcdef');
});

await t.test('what waited in here while its write was fenced off is not handed on', async (t) => {
  const client = new PassThrough();
  const body = new RequestBody(client, 6);
  t.teardown(() => void client.destroy());
  let isFenced = false;
  body.mayPass = () => !isFenced;
  const failed = new Promise((resolve) => body.once('error', resolve));
  client.write('abcdef');
  await body.begins(60_000);
  isFenced = true;
  t.equal(body.read(), null);
  t.match(await failed, { code: 'fenced' });
});
