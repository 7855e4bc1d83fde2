import t, { type Test } from 'tap';
import { FakeControl, gatewayView } from '../admin/fake-control.ts';
import { openAdmin } from '../admin/open-admin.ts';
import { type RunOptions, run } from './run-in-process.ts';
import { runProgram } from './run-program.ts';

async function open(t: Test) {
  const control = new FakeControl();
  const { port, lines } = await openAdmin(t, { control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const cli = (args: readonly string[], options: RunOptions = {}) => run(args, { env, ...options });
  const stage = (cohort: string, to: string, ...more: string[]) =>
    cli(['stage', cohort, to, '--reason', 'because', '--yes', '--wait', '0', ...more]);
  return { control, env, cli, stage, lines };
}

void t.test('cohorts are a table, or JSON', async (t) => {
  const { control, cli, stage } = await open(t);
  control.next = { phase: 'holding' };
  await stage('beta', 'live');
  const id = control.log[0]?.id ?? '';
  const { code, out } = await cli(['cohort', 'list']);
  t.equal(code, 0);
  t.match(out, /^staff +live +100 % +members only +cohort$/mu);
  t.match(out, new RegExp(`^beta +shadow +50 % +members only +cohort +change ${id}$`, 'mu'));
  t.match(out, /^everyone +off +100 % +everybody else +cohort$/mu);
  const json = await cli(['cohort', 'list', '--json']);
  t.match(JSON.parse(json.out), [{ name: 'staff' }, { name: 'beta', change: id }, { default: true }]);
});

void t.test('one cohort is shown with its latest changes', async (t) => {
  const { cli, stage } = await open(t);
  await stage('beta', 'live', '--ramp', '1000');
  const { code, out } = await cli(['cohort', 'show', 'beta']);
  t.equal(code, 0);
  t.match(out, /^ +stage +live$/mu);
  t.match(out, /^ +ramp +1,000 users$/mu);
  t.match(out, /2026-11-21 09:00:00Z +beta +shadow to live: 50 % to 1,000 users +done +7 +local/u);
  t.match(JSON.parse((await cli(['cohort', 'show', 'beta', '--json'])).out), {
    cohort: { name: 'beta', stage: 'live', ramp: 1_000 },
    changes: [{ cohort: 'beta' }],
  });
});

void t.test('changes are listed newest first, over as many pages as it takes', async (t) => {
  const { control, cli, stage } = await open(t);
  t.match(await cli(['changes']), { code: 0, out: 'Nothing was changed yet.\n' });
  for (const ramp of ['1', '2', '3']) await stage('beta', 'live', '--ramp', ramp);
  await stage('staff', 'rampdown');
  const ids = async (...more: string[]) => {
    const changes: { id: string }[] = JSON.parse((await cli(['changes', '--json', ...more])).out);
    return changes.map(({ id }) => id);
  };
  const all = control.log.map(({ id }) => id);
  t.same(await ids(), all);
  t.same(await ids('--limit', '2'), all.slice(0, 2));
  t.same(await ids('--cohort', 'beta'), all.slice(1));
  const [first] = control.log;
  if (first !== undefined) {
    for (let more = 0; more < 600; more += 1)
      control.log.push({ ...first, id: `${first.id.slice(0, -4)}${1_000 + more}` });
  }
  t.equal((await ids('--limit', '600')).length, 600, 'more than one page holds');
  t.match((await cli(['changes'])).out, /staff +live to rampdown: 100 % +done +7 +local +\S+ +because/u);
});

void t.test('a change in progress is shown with those who have acknowledged it', async (t) => {
  const { control, cli, stage } = await open(t);
  control.next = { phase: 'holding' };
  control.gatewayViews = [
    gatewayView('g1', { applied: 5, drained: 5 }),
    gatewayView('g2', { verdict: 'silent' }),
  ];
  await stage('beta', 'live');
  const id = control.log[0]?.id ?? '';
  const { code, out } = await cli(['changes', id]);
  t.equal(code, 0);
  t.match(out, /now +holding: 1 of 2 gateways have drained/u);
  t.match(out, /^g1 .* live +5 +5 +yes$/mu);
  t.match(out, /^g2 .* silent +4 +4 +no$/mu);
  t.match(JSON.parse((await cli(['changes', id, '--json'])).out), { id, phase: 'holding' });
  const unknown = await cli(['changes', '00000000-0000-4000-8000-000000000000']);
  t.match(unknown, { code: 1, err: /No such change/u });
});

void t.test('gateways are listed, and one that is gone is evicted by who accepts the risk', async (t) => {
  const { control, cli, env, lines } = await open(t);
  control.gatewayViews = [gatewayView('g1'), gatewayView('g2', { verdict: 'fenced', silentMs: 65_000 })];
  const { out } = await cli(['gateways']);
  t.match(out, /^g1 +host-g1, process 1 +live +4 +4 +abc$/mu);
  t.match(out, /^g2 +host-g2, process 1 +fenced +1m 5s/mu);
  t.match(JSON.parse((await cli(['gateways', '--json'])).out), [{ id: 'g1' }, { id: 'g2' }]);

  const evict = ['gateways', 'evict', 'g2', '--reason', 'burnt down'];
  t.match(await runProgram(evict, env), { code: 64, err: /silent for 1m 5s: nobody will wait.*add --yes/su });
  t.match(await cli(evict, { answer: 'no' }), { code: 1, err: /Nothing was changed/u });
  t.same(control.evicted, []);
  t.match(await cli([...evict, '--yes']), { code: 0, out: 'gateway g2 is evicted\n' });
  t.same(control.evicted, ['g2']);
  t.match(lines.at(-1), /gateway_evicted.*burnt down/u);
  const live = await cli(['gateways', 'evict', 'g1', '--reason', 'r', '--yes']);
  t.match(live, { code: 1, err: /Gateway is live/u });
  t.match(await cli(['gateways', 'evict', 'g9', '--reason', 'r', '--yes']), {
    code: 1,
    err: /no gateway g9/u,
  });
  control.gatewayViews = [];
  t.match(await cli(['gateways']), { out: 'No gateway is registered.\n' });
});

void t.test('status shows what is in progress and who has to agree', async (t) => {
  const { control, cli, stage } = await open(t);
  t.match((await cli(['status'])).out, /^No change is in progress\.$/mu);
  control.next = { phase: 'holding' };
  await stage('beta', 'live');
  control.gatewayViews = [gatewayView('g1'), gatewayView('g2', { digest: 'def' })];
  const { code, out } = await cli(['status']);
  t.equal(code, 0);
  t.match(out, /beta +shadow to live: 50 % +holding/u);
  t.match(out, /^g2 +host-g2, process 1 +live +4 +4 +def$/mu);
  t.match(out, /different configurations/u);
});
