/** `turnout demo` as a person runs it: a process of its own, stopped, killed, refused. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { within } from '../harness/within.ts';
import { processGone } from './process-gone.ts';
import { tempFolder } from './with-shop.ts';

/** A first start prepares the embedded Postgres, which takes seconds on a busy machine. */
const START_MAX_MS = 90_000;
const MAIN = fileURLToPath(new URL(`../../src/main${extname(import.meta.filename)}`, import.meta.url));

t.setTimeout(170_000);

const folder = await tempFolder();
const dataDir = join(folder.path, 'data');
t.teardown(() => folder.remove());

await t.test('it serves one user from each shop, and Ctrl-C leaves the data and no process', async (t) => {
  const demo = await startDemo();
  t.teardown(() => demo.child.kill('SIGKILL'));

  const legacy = await ask(demo.gatewayUrl, { 'x-user-id': 'u-17' });
  t.equal(legacy.headers.get('x-shop'), 'legacy');
  t.match(await legacy.text(), /"userName":"Samir Berg"/);
  const staff = await ask(demo.gatewayUrl, { 'x-user-id': 'u-42', 'x-plan': 'staff' });
  t.equal(staff.headers.get('x-shop'), 'new');
  t.match(await staff.text(), /"name":"Grace Nair"/);
  const logo = await fetch(`${demo.gatewayUrl}/static/logo.svg`, { headers: { 'x-user-id': 'u-42' } });
  t.equal(logo.headers.get('x-shop'), 'legacy');
  t.equal(logo.headers.get('content-type'), 'image/svg+xml');
  t.match(await logo.text(), /^<svg /);
  const explained = await fetch(`${demo.adminUrl}/api/v1/explain?user=u-17&path=/api/profile`);
  t.equal(explained.status, 200);
  t.match(await explained.text(), /everyone/);
  const metrics = await fetch(`${demo.adminUrl}/metrics`);
  t.match(await metrics.text(), /turnout_requests_total\{[^}]*backend="new"/);
  const written = await fetch(`${demo.gatewayUrl}/api/profile`, {
    method: 'PATCH',
    headers: { 'x-user-id': 'u-42', 'content-type': 'application/json' },
    body: JSON.stringify({ userName: 'Grace Kept' }),
  });
  t.equal(written.status, 200);
  await written.body?.cancel();

  const traffic = run(['demo', '--traffic', '--url', demo.gatewayUrl, '--rate', '25', '--duration', '2']);
  const table = await text(traffic.stdout);
  t.equal(await exitOf(traffic), 0);
  t.match(table, /^all +legacy +[1-9]\d* +[1-9]/m);
  t.match(table, /^all +new +[1-9]\d* +[1-9]/m);
  t.notMatch(table, /^all +(gateway|nobody)/m);

  // A terminal sends it to the whole group.
  process.kill(-demo.pid, 'SIGINT');
  t.equal(await exitOf(demo.child), 0);
  for (const pid of demo.shopPids) await processGone(pid);
  await demo.silent;
  t.match(demo.lines.at(-1), /^stopped; the data is kept in /);
});

await t.test('the data is there at the next start; kill -9 leaves no process', async (t) => {
  const demo = await startDemo();
  t.teardown(() => demo.child.kill('SIGKILL'));
  const staff = await ask(demo.gatewayUrl, { 'x-user-id': 'u-42' });
  t.equal(staff.headers.get('x-shop'), 'new', 'placed by an earlier run');
  t.match(await staff.text(), /"name":"Grace Kept"/);
  demo.child.kill('SIGKILL');
  await once(demo.child, 'exit');
  for (const pid of demo.shopPids) await processGone(pid);
});

await t.test('it starts again after kill -9', async (t) => {
  const demo = await startDemo();
  t.teardown(() => demo.child.kill('SIGKILL'));
  const staff = await ask(demo.gatewayUrl, { 'x-user-id': 'u-42' });
  t.match(await staff.text(), /"name":"Grace Kept"/);
  demo.child.kill('SIGTERM');
  t.equal(await exitOf(demo.child), 0);
  for (const pid of demo.shopPids) await processGone(pid);
});

await t.test('a port in use is one clear line and exit 1', async (t) => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const child = run(['demo', '--port', String(port)]);
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr)]);
  t.equal(await exitOf(child), 1);
  t.equal(said, '');
  t.equal(complained, `port ${port} (gateway) is in use; choose another with --port or TURNOUT_PORT\n`);
});

await t.test('a wrong command line or variable says what is right', async (t) => {
  for (const [args, env, message] of [
    [['demo', '--rate', '10'], {}, /^--rate says something of the traffic: add --traffic\.\n$/],
    [['demo', '--traffic', '--rate', '2001'], {}, /whole number from 1 to 2000/],
    [['demo', '--traffic', '--url', 'localhost:8080'], {}, /http:\/\/127\.0\.0\.1:8080/],
    [
      ['demo'],
      { TURNOUT_NEW_PORT: 'x' },
      /^TURNOUT_NEW_PORT is "x"; a port is a number from 0 to 65535\.\n$/,
    ],
  ] as const) {
    const child = run(args, env);
    const complained = await text(child.stderr);
    t.equal(await exitOf(child), 64, args.join(' '));
    t.match(complained, message);
  }
});

interface Demo {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly lines: readonly string[];
  /** Resolves when it has said its last line. */
  readonly silent: Promise<unknown>;
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly shopPids: readonly number[];
}

/** Resolves when the banner is complete. */
async function startDemo(): Promise<Demo> {
  const child = run(['demo'], {}, true);
  const lines: string[] = [];
  const complete = Promise.withResolvers<void>();
  const reader = createInterface({ input: child.stdout });
  const silent = once(reader, 'close');
  reader.on('line', (line) => {
    lines.push(line);
    if (line.endsWith('Ctrl-C stops everything.')) complete.resolve();
  });
  const complained = text(child.stderr);
  child.once('exit', () => {
    void complained.then((reason) => complete.reject(new Error(`the demo ended: ${reason}`)));
  });
  await within(complete.promise, 'the banner', START_MAX_MS);
  const find = (pattern: RegExp): string => {
    const found = pattern.exec(lines.join('\n'))?.[1];
    if (found === undefined) throw new Error(`the banner has no ${pattern.source}`);
    return found;
  };
  return {
    child,
    pid: child.pid ?? 0,
    lines,
    silent,
    gatewayUrl: find(/gateway +(http:\S+)/),
    adminUrl: find(/admin +(http:\S+)/),
    shopPids: [Number(find(/legacy shop .*process (\d+)/)), Number(find(/new shop .*process (\d+)/))],
  };
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, group = false) {
  return spawn(process.execPath, [MAIN, ...args], {
    detached: group,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TURNOUT_PORT: '0',
      TURNOUT_ADMIN_PORT: '0',
      TURNOUT_LEGACY_PORT: '0',
      TURNOUT_NEW_PORT: '0',
      TURNOUT_DATA_DIR: dataDir,
      ...env,
    },
  });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    await within(once(child, 'exit'), 'the end of the process', 30_000);
  }
  return child.exitCode;
}

function ask(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`${url}/api/profile`, { headers });
}
