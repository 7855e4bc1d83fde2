import { join } from 'node:path';
import t from 'tap';
import { FakeControl } from '../admin/fake-control.ts';
import { openAdmin } from '../admin/open-admin.ts';
import { reportWorld } from '../admin/report-world.ts';
import { comparedRead } from '../reports/reads.ts';
import { run } from './run-in-process.ts';

await t.test('mismatches at the command line', async (t) => {
  const { reader, replay, body } = await reportWorld(t);
  const control = new FakeControl();
  const { port } = await openAdmin(t, { reports: () => reader, control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const cli = (...args: string[]) => run(args, { env });
  const first = await cli('mismatches', '--json');
  t.equal(first.err, '');
  const [group] = JSON.parse(first.out);
  const id: string = group.id;

  await t.test('the list is a table; noise is shown on demand', async (t) => {
    const { code, out } = await cli('mismatches');
    t.equal(code, 0);
    t.match(
      out,
      new RegExp(`^${id} +orders +\\$\\.price +value number>number +40 \\(50 %\\) +~\\d+ .* open$`, 'mu'),
    );
    t.notMatch(out, /\$\.at/);
    t.match((await cli('mismatches', 'list', '--judgement', 'all')).out, /\$\.at .*open, noise$/mu);
    t.match((await cli('mismatches', 'list', '--status', 'resolved')).out, /^No difference/u);
    t.match(await cli('mismatches', 'list', '--status', 'odd'), { code: 1, err: /no status odd/ });
  });

  await t.test('one group has its numbers, and its answers side by side', async (t) => {
    const { code, out } = await cli('mismatches', 'show', id, '--width', '80');
    t.equal(code, 0);
    t.match(out, /^ +judged +reported: above noise$/mu);
    t.match(out, /^ +reads +50 % \(39\.3 % to 60\.7 %\): 40 of 80$/mu);
    t.match(out, /^ +\$\.price value\n {2}≠ 1 +│ 2$/mu);
    t.match(out, /^ +legacy \(served the user\) +│ new$/mu);
    t.match(out, /^ {2}≠ +"price": 1 +│ +"price": 2$/mu);
    t.match(out, /4 more samples/);
    t.notMatch(out, /ann@example/);
    t.match(JSON.parse((await cli('mismatches', 'show', id, '--json')).out), {
      group: { id },
      samples: [{}, {}, {}, {}, {}],
    });
    t.match(await cli('mismatches', 'show', '0000000000000000'), { code: 1, err: /No such mismatch group/ });
  });

  await t.test('it is acknowledged, assigned, ignored and resolved', async (t) => {
    t.match(await cli('mismatches', 'ack', id, '--owner', 'ann', '--note', 'rounding'), {
      code: 0,
      out: /acknowledged, ann owns it/,
    });
    t.match(await cli('mismatches', 'assign', id), {
      code: 0,
      out: new RegExp(`group ${id} is acknowledged\n`, 'u'),
    });
    t.match(await cli('mismatches', 'ignore', id), { code: 64, err: /until when/ });
    t.match(await cli('mismatches', 'ignore', id, '--for', '1y'), { code: 64 });
    t.match(await cli('mismatches', 'ignore', id, '--for', '7d'), { code: 0, out: /ignored until 20/ });
    t.match(await cli('mismatches', 'resolve', id), { code: 0, out: /is resolved/ });
    t.match(await cli('mismatches', 'reopen', id, '--json'), { code: 0, out: /"status": "open"/ });
    t.match((await cli('mismatches', 'show', id, '--samples', '0')).out, /local +reopen +resolved +open/u);
  });

  await t.test('verify ends with what it found', async (t) => {
    t.match(await cli('mismatches', 'verify', id), {
      code: 3,
      out: /cannot be told yet[^]*did not take it[^]*watch: waiting/u,
    });
    const fixed = comparedRead(body(1, 1), body(1, 1));
    replay.outcome = { kind: 'compared', comparison: fixed.comparison, answers: fixed.answers };
    t.match(await cli('mismatches', 'verify', id), { code: 0, out: /^fixed\n +gone +\/orders\/1$/mu });
    const broken = comparedRead(body(1, 1), body(2, 1));
    replay.outcome = { kind: 'compared', comparison: broken.comparison, answers: broken.answers };
    t.match(await cli('mismatches', 'verify', id, '--json'), { code: 1, out: /still_there/ });
  });

  await t.test('coverage and report say what is known and what is not', async (t) => {
    const coverage = await cli('coverage');
    t.match(coverage.out, /^orders +staff +80 +50 % .* 20 +breaker_open 1$/mu);
    t.match(coverage.out, /never compared: \/api\/x+/u);
    t.match(coverage.out, /not to be compared: \/static/u);
    t.match((await cli('coverage', '--cohort', 'beta')).out, /^Nothing was compared/u);
    const report = await cli('report', 'staff');
    t.match(report.out, /^# Shadow reads of cohort staff/u);
    t.match(report.out, /## What is not known/u);
    t.match(JSON.parse((await cli('report', 'staff', '--json')).out), { cohort: 'staff', compared: 80 });
    t.match(await cli('report', 'staff', '--json', '--markdown'), { code: 64 });
    t.match((await cli('report', 'beta')).out, /nothing is known/u);
    for (const misspelt of [
      ['report', 'stafff'],
      ['report', 'stafff', '--json'],
      ['coverage', '--cohort', 'stafff'],
    ]) {
      t.match(await cli(...misspelt), {
        code: 1,
        out: '',
        err: /There is no cohort stafff\. Did you mean staff\?/u,
      });
    }
  });

  await t.test('rules are shown, tried and set', async (t) => {
    const dir = t.testdir({
      'rules.json': '{"ignore":["$.price"]}',
      'bad.json': '{"ignore":["price"]}',
      'no.json': '{',
    });
    const file = (name: string) => join(dir, name);
    t.match(await cli('rules', 'show', 'orders'), { code: 0, out: /version 0, of the configuration/ });
    t.match(await cli('rules', 'try', 'orders', '--file', file('rules.json')), {
      code: 0,
      out: new RegExp(`${id} +\\$\\.price +value +open +vanish`, 'u'),
    });
    t.match(await cli('rules', 'try', 'orders', '--file', file('bad.json')), {
      code: 1,
      err: /a path begins with \$/,
    });
    t.match(await cli('rules', 'try', 'orders', '--file', file('no.json')), { code: 1, err: /is not JSON/ });
    t.match(await cli('rules', 'set', 'orders', '--reason', 'x'), {
      code: 64,
      err: /--file FILE or --configured/,
    });
    const set = ['rules', 'set', 'orders', '--reason', 'rounded', '--expected-version', '0'];
    t.match(await cli(...set, '--file', file('rules.json')), { code: 0, out: /version 1/ });
    t.match(await cli(...set, '--file', file('rules.json')), { code: 2, err: /Version 1 is in force/ });
    t.match(await cli('rules', 'show', 'orders'), { out: /saved at run time[^]*"\$\.price"[^]*rounded/u });
    t.match(await cli('rules', 'set', 'orders', '--configured', '--reason', 'back'), { code: 0 });
    t.match(await cli('rules', 'show', 'odd'), { code: 1, err: /No such route/ });
  });
});
