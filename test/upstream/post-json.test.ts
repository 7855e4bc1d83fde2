import t from 'tap';
import { postJson } from '../../src/upstream/post-json.ts';
import { HookServer } from '../guard/hook-server.ts';

const options = {
  headers: { 'turnout-event': 'trip' },
  timeoutMs: 200,
  signal: new AbortController().signal,
};
const BODY = JSON.stringify({ event: 'trip', id: '1', cohort: 'a' });

void t.test('a document that is taken is sent once, as it is', async (t) => {
  const server = await HookServer.start(t);
  await postJson(server.url, BODY, options);
  t.match(server.told, [
    { text: BODY, headers: { 'turnout-event': 'trip', 'content-type': 'application/json' } },
  ]);
  t.equal(server.told.length, 1);
});

void t.test('whatever is not 2xx in time is a failure, without the URL and its secrets', async (t) => {
  const server = await HookServer.start(t);
  server.answers.push(404, 301, 'cut', 'hang');
  await t.rejects(postJson(server.url, BODY, options), { message: 'answered 404' });
  await t.rejects(postJson(server.url, BODY, options), { message: 'answered 301' });
  for (const kind of ['cut', 'hang']) {
    const error: unknown = await postJson(server.url, BODY, options).catch((cause: unknown) => cause);
    t.ok(error instanceof Error, kind);
    t.notMatch(String(error), 's3cret');
  }
  t.equal(server.told.length, 4, 'no redirect is followed, and nothing is sent twice');
});

void t.test('whoever stops does not wait for the answer', async (t) => {
  const server = await HookServer.start(t);
  server.answers.push('hang');
  const stop = new AbortController();
  const posting = postJson(server.url, BODY, { ...options, timeoutMs: 60_000, signal: stop.signal });
  await server.until(1);
  stop.abort();
  await t.rejects(posting);
});
