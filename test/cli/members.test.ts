import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { progressInWords } from '../../src/cli/progress-bar.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { FakeControl } from '../admin/fake-control.ts';
import { openAdmin } from '../admin/open-admin.ts';
import { type RunOptions, run } from './run-in-process.ts';
import { startProgram } from './run-program.ts';

async function open(t: Test) {
  const control = new FakeControl();
  const { port, admin } = await openAdmin(t, { control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const cli = (args: readonly string[], options: RunOptions = {}) => run(args, { env, ...options });
  const dir = t.testdir({});
  const file = async (text: string, name = 'users.txt') => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  return { control, admin, env, cli, dir, file };
}

const WHY = ['--reason', "it's time"];

void t.test('the users of a file are added by who confirms it, and taken out again', async (t) => {
  const { control, cli, file } = await open(t);
  const users = await file('u1\nu2\nu3\n');
  const add = ['cohort', 'add', 'beta', '--file', users, ...WHY];
  t.match(await cli(add, { answer: 'n' }), {
    code: 1,
    err: /^the users in \S+users\.txt \(0\.0 MB\) join cohort beta, at shadow at 50 %: reads and writes of those in new move to legacy; 2 gateways must agree\./u,
  });
  t.same(control.asked, []);
  t.match(await cli([...add, '--yes']), {
    code: 0,
    out: '3 users added to cohort beta, on every gateway since epoch 4\n',
    err: '',
  });
  t.match(control.asked, [{ action: 'add', reason: "it's time" }]);
  t.match(await cli([...add, '--yes']), {
    code: 0,
    out: '0 users added to cohort beta, 3 were so already\n',
  });
  const json = await cli([...add, '--yes', '--json', '--dirty-users', 'keep', '--expected-epoch', '4']);
  t.match(JSON.parse(json.out), { done: true, line: 3, changed: 0, unchanged: 3, refusals: [] });
  t.match(control.asked.at(-1), { dirtyUsers: 'keep', expectedEpoch: 4 });
  const remove = ['cohort', 'remove', 'beta', '--file', users, ...WHY];
  t.match(await cli(remove, { answer: 'y' }), {
    code: 0,
    err: /leave cohort beta.*placed by the rules/u,
    out: /^3 users taken out of cohort beta/u,
  });
  const live = ['cohort', 'add', 'staff', '--file', users, ...WHY];
  t.match(await cli(live), { code: 64, err: /those in legacy move to new/u });
});

void t.test('users that are piped in need --yes', async (t) => {
  const { control, cli } = await open(t);
  const add = ['cohort', 'add', 'beta', '--file', '-', ...WHY];
  t.match(await cli(add, { answer: 'y' }), { code: 64, err: /add --yes/u });
  const stdin = Readable.from([Buffer.from('u1\nu'), Buffer.from('2\n')]);
  t.match(await cli([...add, '--yes'], { stdin }), { code: 0, out: /^2 users added/u });
  t.same([...control.records.keys()], ['u1', 'u2']);
});

void t.test('lines that were refused are shown, counted, and written to a file', async (t) => {
  const { cli, dir, file } = await open(t);
  const users = await file(`u1\nu2\n${`${'x'.repeat(300)}\n`.repeat(30)}refuse-me\tnow\n`);
  const refused = join(dir, 'refused.tsv');
  const ran = await cli([
    'cohort',
    'add',
    'beta',
    '--file',
    users,
    '--refused-file',
    refused,
    '--yes',
    ...WHY,
  ]);
  t.equal(ran.code, 4);
  t.match(ran.out, /^2 users added/u);
  t.match(ran.err, /^line 3 refused: a user has at most 256 bytes/mu);
  t.match(ran.err, /^and 11 more lines refused$/mu);
  const rows = (await readFile(refused, 'utf8')).trimEnd().split('\n');
  t.equal(rows.length, 31);
  t.match(rows[0], /^3\ta user has at most 256 bytes, this one has 300\tx{256}$/u);
  t.equal(rows[30], '33\twrote to new\trefuse-me now');
});

void t.test('when the connection breaks, the command that goes on is printed, and goes on', async (t) => {
  const { control, cli, file } = await open(t);
  const users = await file('u1\nu2\nu3\nu4\nu5\n', 'my users.txt');
  const add = ['cohort', 'add', 'beta', '--file', users, '--yes', ...WHY];
  control.inBatch = async () => {
    if (control.batches === 1) control.failure = new Error('connect ECONNREFUSED');
  };
  const broken = await cli(add);
  t.equal(broken.code, 1);
  t.equal(broken.out, '');
  t.match(broken.err, /A store does not answer/u);
  t.match(broken.err, /Everything up to line 2 is in force\. To go on from there:/u);
  const command = broken.err.trimEnd().split('\n').at(-1)?.trim();
  t.equal(command, `turnout cohort add beta --file '${users}' --from-line 3 --reason 'it'\\''s time' --yes`);
  control.failure = undefined;
  control.inBatch = () => Promise.resolve();
  t.match(await cli([...add, '--from-line', '3']), { code: 0, out: /^3 users added/u });
  t.same([...control.records.keys()], ['u1', 'u2', 'u3', 'u4', 'u5']);
});

void t.test('a gateway that goes away in the middle breaks the connection', async (t) => {
  const { control, cli, admin } = await open(t);
  const lines = new Readable({ read: () => undefined });
  lines.push('u1\nu2\nu3');
  control.inBatch = async () => void setImmediate(() => void admin.close());
  const ran = await cli(['cohort', 'add', 'beta', '--file', '-', '--yes', ...WHY], { stdin: lines });
  t.match(ran, {
    code: 1,
    err: /Everything up to line 2 is in force\. Pipe the same lines in again with --from-line 3/u,
  });
});

void t.test('a connection that is cut is not taken for a file that cannot be read', async (t) => {
  const { control, cli, env } = await open(t);
  const clients: Socket[] = [];
  const relay = createServer((client) => {
    const onwards = connect(Number(new URL(env.TURNOUT_ADMIN_URL).port), '127.0.0.1');
    for (const socket of [client, onwards]) socket.on('error', () => undefined);
    client.pipe(onwards).pipe(client);
    clients.push(client);
    t.teardown(() => onwards.destroy());
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.teardown(() => relay.close());
  const address = relay.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const lines = new Readable({ read: () => undefined });
  lines.push('u1\nu2\n');
  control.inBatch = async () => {
    if (control.batches === 0) lines.push('u3\nu4\n');
    else clients.at(-1)?.resetAndDestroy();
  };
  const through = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const add = ['cohort', 'add', 'beta', '--file', '-', '--yes', ...WHY];
  const ran = await cli(add, { stdin: lines, env: through });
  t.match(ran, { code: 1, err: /^The connection broke: it was cut/u });
  t.match(ran.err, /--from-line \d/u);
});

void t.test('Ctrl-C ends it with the command that goes on', async (t) => {
  const { control, cli } = await open(t);
  const stop = new AbortController();
  const lines = new Readable({ read: () => undefined });
  lines.push('u1\nu2\n');
  control.inBatch = async () => {
    lines.push('u3\n');
    if (control.batches === 0) return;
    stop.abort();
  };
  lines.push('u3\nu4\n');
  const ran = await cli(['cohort', 'add', 'beta', '--file', '-', '--yes', ...WHY], {
    stdin: lines,
    stop: stop.signal,
  });
  t.match(ran, {
    code: 1,
    err: /^Stopped\.\n(?:Everything up to line 2 is|Nothing is known to be) in force/u,
  });
});

void t.test('what cannot be read or does not exist is said before anything is sent', async (t) => {
  const { control, cli, dir } = await open(t);
  const add = (name: string, file: string) => cli(['cohort', 'add', name, '--file', file, '--yes', ...WHY]);
  t.match(await add('beta', join(dir, 'none.txt')), { code: 1, err: /cannot be read: ENOENT/u });
  t.match(await add('beta', dir), { code: 1, err: /is a directory/u });
  t.match(await add('nobody', '-'), { code: 1, err: /There is no cohort nobody/u });
  t.match(await cli(['cohort', 'add', 'beta', ...WHY]), { code: 64 });
  t.same(control.asked, []);
});

void t.test('a bar shows how far it is, to a person', async (t) => {
  const { cli, file } = await open(t);
  const users = await file('u1\nu2\nu3\n');
  const ran = await cli(['cohort', 'add', 'beta', '--file', users, '--yes', ...WHY], { isTTY: true });
  t.ok(ran.err.startsWith('\r\u001b[K['), JSON.stringify(ran.err));
  t.match(ran.err, / lines\/s/u);
  t.ok(ran.err.endsWith('\r\u001b[K'), 'and goes away');
  t.equal(
    progressInWords({ share: 0.5, lines: 500_000, refused: 3 }, 40_000),
    '[############------------]   50 %  500,000 lines  12,500 lines/s  40s left  3 refused',
  );
  t.equal(progressInWords({ share: undefined, lines: 0, refused: 0 }, 0), '0 lines  0 lines/s');
});

void t.test('members are a file, or JSON', async (t) => {
  const { control, cli } = await open(t);
  const users = Array.from({ length: 1_500 }, (_, n) => `u${String(n).padStart(4, '0')}`);
  for (const [ordinal, user] of users.entries()) {
    control.records.set(user, { ...ABSENT_RECORD, membership: { cohort: 'beta', ordinal, by: 'explicit' } });
  }
  t.equal((await cli(['cohort', 'members', 'beta'])).out, `${users.join('\n')}\n`);
  t.equal((await cli(['cohort', 'members', 'beta', '--limit', '2'])).out, 'u0000\nu0001\n');
  const json = JSON.parse((await cli(['cohort', 'members', 'beta', '--json', '--limit', '600'])).out);
  t.match(json, { length: 600 });
  t.match(json[1], { user: 'u0001', by: 'explicit', ordinal: 1, pin: null });
  t.match(await cli(['cohort', 'members', 'nobody']), { code: 1, err: /There is no cohort nobody/u });
});

void t.test('whoever has enough of a list ends it without a stack', async (t) => {
  const { control, env } = await open(t);
  const membership = { cohort: 'beta', ordinal: undefined, by: 'rule' } as const;
  for (let n = 0; n < 50_000; n += 1) control.records.set(`user-${n}`, { ...ABSENT_RECORD, membership });
  const child = startProgram(['cohort', 'members', 'beta'], env);
  const ended = once(child, 'close');
  const told = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await ended;
  t.same([code, await told], [1, '']);
});

void t.test('members whom a rule placed are placed anew', async (t) => {
  const { control, cli } = await open(t);
  const reassign = ['cohort', 'reassign', 'beta', ...WHY];
  t.match(await cli(reassign), { code: 64, err: /are placed anew by their next requests/u });
  t.match(await cli([...reassign, '--yes', '--dirty-users', 'keep']), {
    code: 0,
    out: '4 users of cohort beta will be placed anew\n',
  });
  t.match(control.asked, [{ cohort: 'beta', dirtyUsers: 'keep', reason: "it's time" }]);
});
