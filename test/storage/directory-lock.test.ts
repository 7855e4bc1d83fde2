import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockDirectory } from '../../src/storage/directory-lock.ts';

await t.test('a lock is held by one at a time and goes from hand to hand', async (t) => {
  const dir = t.testdir();
  const lock = await lockDirectory(dir);
  await t.rejects(lockDirectory(dir), { message: /is in use by process \d+\. Stop that one first/ });
  await lock.release();
  const next = await lockDirectory(dir);
  await next.release();
  t.strictSame(readdirSync(dir), []);
});

await t.test('the lock of a process that has died is taken over, by one of those who try', async (t) => {
  const dir = t.testdir();
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  const held = await lockDirectory(dir);
  const content = readFileSync(join(dir, 'turnout.lock'), 'utf8');
  await held.release();
  writeFileSync(join(dir, 'turnout.lock'), content.replace(/^\d+/, `${dead.pid}`));
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => lockDirectory(dir)));
  const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  t.equal(won.length, 1);
  for (const lock of won) await lock.release();
});

await t.test('a process number that was given to another process since does not hold the lock', async (t) => {
  const dir = t.testdir();
  const held = await lockDirectory(dir);
  const [pid, started, namespace, token] = readFileSync(join(dir, 'turnout.lock'), 'utf8').split('\n');
  await held.release();
  // Where the system does not tell when a process started, the number is all there is to go by.
  if (started === '') return;
  writeFileSync(join(dir, 'turnout.lock'), [pid, '1', namespace, token].join('\n'));
  const lock = await lockDirectory(dir);
  t.not(readFileSync(join(dir, 'turnout.lock'), 'utf8').split('\n')[3], token, 'the lock is ours');
  await lock.release();
});

await t.test('the lock of another container counts until it is no longer touched', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'turnout.lock');
  writeFileSync(file, ['1', '5', 'another namespace', 'x'].join('\n'));
  const touch = setInterval(() => utimesSync(file, new Date(), new Date()), 100);
  await t.rejects(lockDirectory(dir), { message: /is in use by process 1/ });
  clearInterval(touch);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(file, longAgo, longAgo);
  await (await lockDirectory(dir)).release();
});
