/** The guard as a person meets it: two workers, real stores, a backend that begins to fail. */
import { setTimeout as passed } from 'node:timers/promises';
import t from 'tap';
import { within } from '../harness/within.ts';
import { run } from './run-in-process.ts';
import { twoWorkers } from './two-workers.ts';

const TRIP_MS = 60_000;
const USERS = 40;

t.setTimeout(180_000);

void t.test(
  'new fails: the cohort is back, the record says why, nothing goes on until it is cleared',
  async (t) => {
    let statusOfNew = 200;
    const { turnout, port, adminUrl } = await twoWorkers(t, '[]', () => statusOfNew);
    const env = { TURNOUT_ADMIN_URL: adminUrl };
    const cli = (...args: string[]) => run(args, { env });
    const live = ['stage', 'everyone', 'live', '--reason', 'r', '--yes'];
    t.match(await cli(...live), { code: 0 });

    const met = { answers: 0, failed: 0 };
    const over = new AbortController();
    // Reads only: whoever writes to a backend that fails is told so.
    const traffic = Promise.all(
      Array.from({ length: USERS }, async (_, user) => {
        while (!over.signal.aborted) {
          const headers = { 'x-user': `u${user}` };
          const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
          await answer.arrayBuffer();
          met.answers += 1;
          if (answer.status !== 200) met.failed += 1;
          await passed(200);
        }
      }),
    );
    t.teardown(() => over.abort());
    await passed(1_500);
    t.match((await cli('guard', 'trips')).out, 'Nothing has tripped.');
    statusOfNew = 503;
    const inForce = async () => {
      for (;;) {
        const { code, out } = await cli('guard', 'show', '--json');
        const trip: Record<string, unknown> = code === 0 ? JSON.parse(out) : {};
        if (typeof trip['inForceAt'] === 'string') return trip;
        await passed(200);
      }
    };
    const trip = await within(inForce(), 'the cohort to be back', TRIP_MS);
    t.match(trip, {
      cohort: 'everyone',
      stage: 'live',
      action: 'rollback',
      condition: { name: 'errorRate' },
      untilInForceMs: Number,
      clearedAt: null,
    });
    const { kinds, gateways } = Object(trip['figures']);
    t.same(Object.keys(kinds), ['status']);
    t.equal(gateways.length, 2, 'both workers told what they saw');
    t.match((await cli('guard', 'show')).out, /What failed: \d+ × answered 5xx\.\n {2}Told by \S+, \S+\.\n/u);
    t.match((await cli('guard', 'status')).out, /^everyone +shadow +tripped /mu);
    t.match((await cli('changes')).out, /rollback, live to shadow: 100 % +done +\d+ +guard/u);

    statusOfNew = 200;
    const refused = await cli(...live);
    t.match(refused, { code: 1, out: '' });
    t.match(refused.err, `clear trip ${String(trip['id'])}`);
    const ramp = await cli('ramp', 'everyone', 'start', '--steps', '1%,100%', '--reason', 'r', '--yes');
    t.match(ramp, { code: 1, err: /clear trip/u });
    t.match(await cli('guard', 'clear', 'everyone', '--reason', 'mended'), { code: 0, out: /is cleared/u });
    t.match(await cli(...live), { code: 0, out: /is live at 100 %/u });
    over.abort();
    await traffic;
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    t.match(metrics, /^turnout_rollbacks_total\{cohort="everyone",condition="errorRate"\} 1$/mu);
    const fallback = [...metrics.matchAll(/^turnout_fallback_reads_total\{.*outcome="([^"]+)"\} (\d+)$/gmu)];
    const counted = (isServed: boolean) =>
      fallback
        .filter(([, outcome]) => (outcome === 'served') === isServed)
        .reduce((sum, [, , count]) => sum + Number(count), 0);
    t.ok(counted(true) > 0, 'reads that new failed were answered by legacy');
    // On a machine that is busy with other things some do not get their turn in time.
    t.ok(met.failed <= counted(false), `${met.failed} of ${met.answers} reads failed, each of them counted`);
    turnout.signal('SIGTERM');
    t.equal(await turnout.end(), 0);
  },
);
