import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/demo/package-root.ts';
import { backend } from '../workers/running-workers.ts';
import { runProgram } from './run-program.ts';
import { TurnoutProcess } from './turnout-process.ts';

t.setTimeout(180_000);

/** The demo's configuration between two backends that say who they are, and hold a slow write until it may end. */
async function demo(t: Test) {
  const finish = Promise.withResolvers<void>();
  const slowBegan = Promise.withResolvers<void>();
  const named = (name: string) =>
    backend(t, (incoming, response) => {
      incoming.resume();
      if (incoming.url !== '/api/slow') {
        response.end(name);
        return;
      }
      slowBegan.resolve();
      void finish.promise.then(() => response.end(name));
    });
  const [legacy, next] = await Promise.all([named('legacy'), named('new')]);
  const file = `${packageRoot(import.meta.url)}/config/demo.yaml`;
  const turnout = new TurnoutProcess(t, ['start', '--config', file], {
    TURNOUT_PORT: '0',
    TURNOUT_ADMIN_PORT: '0',
    TURNOUT_LEGACY_PORT: String(legacy),
    TURNOUT_NEW_PORT: String(next),
    TURNOUT_DATA_DIR: t.testdir({}),
  });
  const { port, adminPort } = await turnout.ports();
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${adminPort}` };
  const send = async (method: string, path = '/api/profile', user = 'u-17') => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { 'x-user-id': user },
      agent: false,
    });
    sent.end();
    const [response] = await once(sent, 'response');
    const body = await text(response);
    return { status: response.statusCode, body, backend: response.headers['x-turnout-backend'] };
  };
  const cli = (...args: string[]) => runProgram(args, env);
  return { turnout, send, cli, slowBegan: slowBegan.promise, finish: () => finish.resolve() };
}

void t.test('a cohort is moved to the new backend and back from the command line', async (t) => {
  const { turnout, send, cli } = await demo(t);
  const on = (name: string) => ({ status: 200, body: name, backend: name });
  t.same(await send('GET'), on('legacy'));

  const refused = await cli('stage', 'everyone', 'live', '--reason', 'the day');
  t.match(refused, {
    code: 64,
    err: /all users of cohort everyone: reads and writes move from legacy to new; 1 gateway has to agree/u,
  });
  t.same(await send('POST'), on('legacy'), 'nobody moved');

  const moved = await cli('stage', 'everyone', 'live', '--reason', 'the day', '--yes');
  t.match(moved, { code: 0, out: /^cohort everyone is live at 100 % on every gateway, since epoch \d+/u });
  t.same(await send('GET'), on('new'));
  t.same(await send('POST'), on('new'));

  const { change } = JSON.parse((await cli('cohort', 'show', 'everyone', '--json')).out).cohort;
  t.equal(change, null);
  const back = await cli('stage', 'everyone', 'shadow', '--reason', 'not yet', '--yes', '--json');
  t.match(JSON.parse(back.out), {
    phase: 'done',
    from: { stage: 'live' },
    to: { stage: 'shadow' },
    actor: 'local',
    dirty: 1,
  });
  t.same(await send('POST', '/api/profile', 'u-18'), on('legacy'));
  t.same(await send('POST'), on('new'), 'who wrote to new stays where the writes are');

  const { out } = await cli('changes', '--json');
  t.match(JSON.parse(out), [
    { to: { stage: 'shadow' }, phase: 'done', reason: 'not yet' },
    { to: { stage: 'live' }, phase: 'done', reason: 'the day', movesTruth: true, needsEveryGateway: false },
  ]);
  t.match((await cli('gateways')).out, / live +/u);
  t.match((await cli('status')).out, /No change is in progress/u);
  turnout.signal('SIGTERM');
  t.equal(await turnout.end(), 0);
});

void t.test('a write that does not end undoes the change, and nobody has moved', async (t) => {
  const { turnout, send, cli, slowBegan, finish } = await demo(t);
  const slow = send('POST', '/api/slow');
  await slowBegan;
  const undone = await cli('stage', 'everyone', 'live', '--reason', 'the day', '--yes');
  t.match(undone, { code: 1, out: '', err: /was undone, and nobody moved/u });
  t.match(await send('POST'), { status: 200, backend: 'legacy' });
  finish();
  t.match(await slow, { status: 200, backend: 'legacy' });
  t.match(await cli('stage', 'everyone', 'live', '--reason', 'again', '--yes'), { code: 0 });
  t.match(await send('POST'), { status: 200, backend: 'new' });
  turnout.signal('SIGTERM');
  t.equal(await turnout.end(), 0);
});
