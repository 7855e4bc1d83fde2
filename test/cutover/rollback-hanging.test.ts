/** A `new` that takes writes and does not answer: the cohort goes back all the same, and those users stay. */
import t from 'tap';
import type { Backend } from '../../src/model.ts';
import { type Backend as BackendServer, startBackend, takeBody } from '../harness/backend.ts';
import { within } from '../harness/within.ts';
import { gatewaysWorld, untilLive } from './gateways.ts';
import { untilOver } from './until-over.ts';

const BY = { actor: 'test', reason: 'a test', expectedEpoch: undefined, idempotencyKey: undefined };
const ROLLBACK = { ...BY, cohort: 'movers' } as const;

await t.test('writes that hang at new neither keep a cohort there nor lose their users', async (t) => {
  /** The answers that `new` owes. */
  const owed: (() => void)[] = [];
  let hanging = false;
  const serve = (owner: Backend): Promise<BackendServer> =>
    startBackend(t, async (request, response, seen) => {
      await takeBody(request, seen);
      if (owner === 'new' && hanging && request.method === 'POST') owed.push(() => response.end(owner));
      else response.end(owner);
    });
  const servers = { legacy: await serve('legacy'), new: await serve('new') };
  const backends = { port: (owner: Backend) => servers[owner].port };
  const { control, start } = await gatewaysWorld(t, backends, {
    cohorts: [{ name: 'movers', default: true, stage: 'shadow' }],
    cutover: { drainMaxMs: 2_000, holdMaxMs: 4_000 },
  });
  const gateways = [await start('one'), await start('two')];
  await untilLive(control, 2);
  const live = { ...BY, cohort: 'movers', stage: 'live', ramp: undefined, dirtyUsers: 'keep' } as const;
  t.equal((await untilOver(control, await control.changeStage(live))).phase, 'done');

  const send = async (user: string, method: 'GET' | 'POST', gateway: number): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${gateways[gateway]?.port}/things`, {
      method,
      headers: { 'x-user': user },
      ...(method === 'POST' ? { body: user } : {}),
    });
    return answer.text();
  };
  t.equal(await send('reader', 'GET', 0), 'new');
  hanging = true;
  const writers = ['nina', 'leo'];
  const answers = writers.map((user, index) => send(user, 'POST', index));
  const arrived = async (): Promise<void> => {
    while (owed.length < writers.length) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await within(arrived(), 'the writes at new');

  const forced = await untilOver(control, await control.rollback({ ...ROLLBACK, dirtyUsers: 'force' }));
  t.match(forced, { phase: 'undone', note: /1 of cohort movers on/u }, 'whoever goes back is waited for');
  const back = await untilOver(control, await control.rollback({ ...ROLLBACK, dirtyUsers: 'drain' }));
  t.match(back, { phase: 'done', dirty: 2 });
  t.equal(owed.length, writers.length, 'they hang still');
  t.strictSame(await Promise.all(['reader', ...writers].map((user) => send(user, 'GET', 1))), [
    'legacy',
    'new',
    'new',
  ]);
  for (const answer of owed) answer();
  t.strictSame(await Promise.all(answers), ['new', 'new']);
});
