import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { WritesStrandedError } from '../../src/cutover/control.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { AUTHOR, cohortNamed, FakeControl } from '../admin/fake-control.ts';
import { openAdmin, TOKENS } from '../admin/open-admin.ts';
import { type RunOptions, run } from './run-in-process.ts';

async function open(t: Test) {
  const control = new FakeControl();
  const { port, source } = await openAdmin(t, { control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const cli = (args: readonly string[], options: RunOptions = {}) => run(args, { env, ...options });
  return { control, source, env, cli };
}

const WHY = ['--reason', 'the plan'];
const ROLLBACK = ['rollback', 'staff', ...WHY];

function withUsers(control: FakeControl, dirty: number): void {
  for (let n = 0; n < 1_204; n += 1) control.records.set(`u${n}`, ABSENT_RECORD);
  for (let n = 0; n < dirty; n += 1) control.dirtyUsers.add(`u${n}`);
}

void t.test('a rollback shows first who is clean and who is dirty, then asks in words', async (t) => {
  const { control, cli } = await open(t);
  withUsers(control, 12);
  const no = await cli(ROLLBACK, { answer: 'n' });
  t.match(no, { code: 1, out: '' });
  t.match(no.err, /^stage +live to shadow$/mu);
  t.match(no.err, /^clean +1,192 users that the record knows lose nothing$/mu);
  t.match(no.err, /^dirty +12 users wrote to new since the switch: u0, u1, u10, .* and 2 more$/mu);
  t.match(
    no.err,
    /^1,192 users of cohort staff: reads and writes move from new to legacy; 12 users with writes in new stay there, pinned; 2 gateways must agree\.$/mu,
  );
  t.same(control.asked, []);
  const yes = await cli(ROLLBACK, { answer: 'y' });
  t.match(yes, { code: 0 });
  t.match(
    yes.out,
    /^cohort staff is back at shadow on every gateway, since epoch 7 \(change .*\)\n12 users stayed in new, pinned: "turnout changes .* --dirty" lists them\n$/u,
  );
  t.match(control.asked, [{ dirtyUsers: 'drain', reason: 'the plan' }]);
  const id = control.log[0]?.id ?? '';
  t.match(await cli(['changes', id, '--dirty']), { code: 0, out: /^u0\nu1\nu10\n/u });
  t.match(await cli(['changes', '--dirty']), { code: 64 });
});

void t.test('a dry run moves nobody; force says what will be missing', async (t) => {
  const { control, cli } = await open(t);
  withUsers(control, 1);
  t.match(await cli([...ROLLBACK, '--dry-run']), { code: 0, out: /^dirty +1 user wrote to new/mu });
  t.match(JSON.parse((await cli([...ROLLBACK, '--dry-run', '--json'])).out), { clean: 1_203, dirty: ['u0'] });
  t.same(control.asked, []);
  const force = [...ROLLBACK, '--dirty-users', 'force'];
  t.match(await cli(force), {
    code: 64,
    err: /1,204 users .*and the writes of 1 user will be missing there.*add --yes/u,
  });
  t.match(await cli([...force, '--yes', '--json']), { code: 0, out: /"kind": "rollback"/u });
  t.match(control.asked, [{ dirtyUsers: 'force' }]);
});

void t.test('a cohort that was complete goes back by force only', async (t) => {
  const { control, cli } = await open(t);
  control.preview = { tracked: false };
  t.match(await cli([...ROLLBACK, '--yes']), { code: 1, err: /only go back with --dirty-users force/u });
  t.same(control.asked, []);
  t.match(await cli([...ROLLBACK, '--yes', '--dirty-users', 'force']), { code: 0 });
});

void t.test('cohorts are created, edited and deleted by who confirms it', async (t) => {
  const { control, cli } = await open(t);
  const file = join(t.testdir({}), 'rule.json');
  const rule = { attribute: 'header.x-plan', in: ['beta'] };
  await writeFile(file, JSON.stringify(rule));
  t.match(await cli(['cohort', 'create', 'perth', ...WHY]), {
    code: 0,
    out: /^cohort perth is there since epoch 7, in off/u,
  });
  const sydney = [
    'cohort',
    'create',
    'sydney',
    '--rule-file',
    file,
    '--per-user',
    '--no-mirror',
    '--ramp',
    '10%',
    ...WHY,
  ];
  t.match(await cli(sydney), {
    code: 64,
    err: /takes whom its rule matches.*2 gateways must agree.*add --yes/su,
  });
  t.match(await cli([...sydney, '--yes']), { code: 0 });
  t.match(control.asked[1], {
    name: 'sydney',
    migration: 'per-user',
    mirror: false,
    ramp: { buckets: 1_000 },
  });
  t.match(await cli([...sydney, '--yes']), { code: 2, err: /such a cohort already/u });

  const edit = (...args: string[]) => cli(['cohort', 'edit', 'sydney', ...args, ...WHY]);
  t.match(await edit('--mirror'), { code: 0 }, 'moves nobody, so nobody is asked');
  t.match(await edit('--position', '0', '--no-default'), {
    code: 64,
    err: /is no longer the default, is tried in place 0/u,
  });
  t.match(await edit('--rule', JSON.stringify(rule), '--yes'), { code: 0 });
  t.match(await edit('--no-rule', '--no-per-user', '--yes', '--dirty-users', 'keep'), { code: 0 });
  t.match(control.asked.at(-1), { rule: null, migration: 'cohort', dirtyUsers: 'keep', mirror: undefined });
  for (const args of [[], ['--rule', '{'], ['--rule', '{}', '--rule-file', file], ['--position', '-1']]) {
    t.match(await edit(...args, '--yes'), { code: 64 }, args.join(' '));
  }
  t.match(await edit('--rule', '{"attribute":"user"}', '--yes'), {
    code: 1,
    err: /The rule cannot be used/u,
  });

  const remove = ['cohort', 'delete', 'sydney', ...WHY];
  t.match(await cli(remove, { answer: 'n' }), { code: 1, err: /cohort sydney, at off, is deleted: /u });
  t.match(await cli([...remove, '--yes']), { code: 0, out: /^cohort sydney is deleted since epoch 7/u });
});

void t.test('a deletion that takes long is waited for, within --wait', async (t) => {
  const { control, env, cli } = await open(t);
  const emptied = Promise.withResolvers<void>();
  control.deleting = emptied.promise;
  const remove = ['cohort', 'delete', 'beta', ...WHY, '--yes'];
  t.match(await cli([...remove, '--wait', '0']), { code: 3, err: /still taken out\. It goes on/u });
  t.match(await cli(remove), { code: 2, err: /is being deleted already/u }, 'under a key of its own');
  emptied.resolve();
  await control.deleting;
  const again = Promise.withResolvers<void>();
  control.deleting = again.promise;
  const staff = run(['cohort', 'delete', 'staff', ...WHY, '--yes', '--wait', '30'], {
    env,
    onError: () => again.resolve(),
  });
  t.match(await staff, { code: 0, err: 'its members are taken out\n', out: /^cohort staff is deleted/u });
});

void t.test('one user is shown, pinned and unpinned', async (t) => {
  const { control, cli } = await open(t);
  const membership = { cohort: 'staff', ordinal: 41, by: 'explicit' } as const;
  control.records.set('a/b', { ...ABSENT_RECORD, membership });
  control.dirtyUsers.add('a/b');
  const { code, out } = await cli(['user', 'show', 'a/b']);
  t.equal(code, 0);
  t.match(out, /^ +goes to +new$/mu);
  t.match(out, /^ +cohort +staff, added as number 42$/mu);
  t.match(out, /^ +writes in new +yes/mu);
  t.match(out, /^ +1\. The rule of cohort staff matches\.$/mu);
  t.match(out, /^2026-11-21 09:00:00Z +pin +4 +the-operator/mu);
  t.match(JSON.parse((await cli(['user', 'show', '..', '--json'])).out), {
    user: '..',
    record: { membership: null },
  });

  const pin = ['user', 'pin', 'a/b', 'legacy', ...WHY];
  t.match(await cli(pin), {
    code: 64,
    err: /^user a\/b: reads and writes move from new to legacy; 2 gateways must agree/u,
  });
  t.match(await cli(['user', 'pin', 'a/b', 'new', ...WHY]), { code: 0 }, 'is there already');
  t.match(await cli([...pin, '--yes', '--dirty-users', 'force']), {
    code: 0,
    out: /^user a\/b is pinned to legacy since epoch 7/u,
  });
  t.match(control.asked.at(-1), { user: 'a/b', backend: 'legacy', dirtyUsers: 'force' });
  const unpin = ['user', 'unpin', 'a/b', ...WHY];
  t.match(await cli(unpin, { answer: 'y' }), {
    code: 0,
    err: /the pin to legacy goes away/u,
    out: /no longer pinned/u,
  });
  t.match(await cli(['user', 'pin', 'a/b', 'old', ...WHY]), { code: 64 });
  const { out: changes } = await cli(['changes', '--user', 'a/b']);
  t.match(changes, /a\/b pinned to legacy .*\n.*a\/b pinned to new/u);
  control.failure = new WritesStrandedError(['a/b']);
  t.match(await cli([...pin, '--yes']), { code: 1, err: /Writes would be stranded/u });
});

void t.test('changes of every kind are told in words', async (t) => {
  const { control, cli } = await open(t);
  const beta = cohortNamed('beta', 'live');
  const batch = { ...AUTHOR, stage: 'live', ramp: undefined, dirtyUsers: 'drain', cohort: 'beta' } as const;
  const add = (more: Parameters<FakeControl['moveOn']>[0]) => {
    control.begin(beta, batch);
    control.moveOn({
      id: `00000000-0000-4000-8000-${String(control.log.length).padStart(12, '0')}`,
      ...more,
    });
  };
  add({ kind: 'members-add', before: undefined, after: undefined, users: 5_000, job: 'job-1' });
  add({ kind: 'members-remove', before: undefined, after: undefined, users: 1 });
  add({ kind: 'reassign', before: undefined, after: undefined, users: 7, dirty: 2 });
  add({ kind: 'cohort-edit', before: beta, after: { ...beta, isDefault: true, mirror: true } });
  add({ kind: 'cohort-edit', before: beta, after: beta });
  add({ kind: 'cohort-delete', before: beta, after: undefined });
  add({ kind: 'cohort-create', before: undefined, after: beta });
  add({ kind: 'rollback', before: beta, after: { ...beta, stage: 'shadow' }, dirty: 3, dirtyUsers: 'force' });
  const { out } = await cli(['changes']);
  for (const words of [
    '5,000 users added',
    '1 user taken out',
    '7 users to be placed anew, 2 users kept',
    'default, mirror edited',
    'order edited',
    'deleted',
    'created',
    'rollback, live to shadow: 100 %, 3 users stranded',
  ]) {
    t.ok(out.includes(`  ${words}  `), words);
  }
  t.match((await cli(['changes', '--kind', 'rollback,reassign', '--json'])).out, /"reassign"/u);
  t.match(await cli(['changes', '--open']), { code: 0, out: 'No such changes.\n' });
  t.match(await cli(['changes', '--kind', 'x']), { code: 1, err: /no kind x/u });
  t.match((await cli(['changes', '00000000-0000-4000-8000-000000000001'])).out, /^ +part of job +job-1$/mu);
});

void t.test('the map is rebuilt by an admin who confirms it', async (t) => {
  const control = new FakeControl();
  const { port } = await openAdmin(t, { tokens: TOKENS, control: () => control });
  const as = (role: string) => ({
    TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}`,
    TURNOUT_TOKEN: `${role}-token`,
  });
  t.match(await run(['rebuild', ...WHY], { env: as('admin') }), { code: 64, err: /made from the record/u });
  t.match(await run(['rebuild', ...WHY, '--yes'], { env: as('operator') }), {
    code: 1,
    err: /needs the role admin/u,
  });
  t.same(control.rebuilt, []);
  t.match(await run(['rebuild', ...WHY, '--yes'], { env: as('admin') }), {
    code: 0,
    out: 'the state map is map-2 from epoch 1000000 on\n',
  });
});
