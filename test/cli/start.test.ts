import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { get } from '../workers/client.ts';
import { backend } from '../workers/running-workers.ts';
import { configurationFile } from './configuration.ts';
import { run } from './run-in-process.ts';
import { TurnoutProcess } from './turnout-process.ts';

t.setTimeout(180_000);

function configuration(backendPort: number, more = ''): string {
  return `
listen: { port: 0 }
admin: { listen: { port: 0 } }
backends:
  legacy: { url: "http://127.0.0.1:${backendPort}" }
  new: { url: "http://127.0.0.1:${backendPort}" }
state: { kind: embedded }
record: { kind: embedded, dir: "\${DATA_DIR}" }
identity: [{ from: header, name: x-user, trusted: true }]
cohorts: [{ name: everyone, default: true, stage: off }]
shutdown: { graceMs: 20000 }
${more}`;
}

async function start(t: Test, backendPort: number) {
  const file = await configurationFile(t, configuration(backendPort));
  const env = { DATA_DIR: `${dirname(file)}/data` };
  const turnout = new TurnoutProcess(t, ['start', '--config', file], env);
  const { port, adminPort } = await turnout.ports();
  return { turnout, file, env, port, adminPort };
}

/** A backend whose answers end when they are told to. */
async function slowBackend(t: Test) {
  const finish = Promise.withResolvers<void>();
  const port = await backend(t, (incoming, response) => {
    if (incoming.url !== '/slow') {
      response.end('ok');
      return;
    }
    response.write('begun ');
    void finish.promise.then(() => response.end('finished'));
  });
  return { port, finish: () => finish.resolve() };
}

async function download(port: number) {
  const sent = request({ host: '127.0.0.1', port, path: '/slow', agent: false });
  sent.on('error', () => {});
  sent.end();
  const [response] = await once(sent, 'response');
  return response;
}

void t.test('start serves, takes a good file on SIGHUP and keeps the last good one otherwise', async (t) => {
  const slow = await slowBackend(t);
  const { turnout, file, env, port, adminPort } = await start(t, slow.port);
  t.match(await get(port, false), { ok: true });
  const online = { env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${adminPort}` } };
  t.match(await run(['status'], online), { code: 0, out: /everyone +off/u });

  await writeFile(file, 'nonsense: true\n');
  turnout.signal('SIGHUP');
  const rejected = await turnout.logged('config_rejected');
  t.match(rejected, { level: 'error', problems: [{ line: 1 }, { path: String }] }, 'all problems are logged');
  t.match(await get(port, false), { ok: true }, 'and it still serves');

  await writeFile(file, configuration(slow.port, 'routes: [{ match: "/moved/*", backend: new }]'));
  turnout.signal('SIGHUP');
  t.match(await turnout.logged('config_reloaded'), { applied: ['routes'] });
  const explained = await run(['explain', '--path', '/moved/x', '--json'], online);
  t.match(JSON.parse(explained.out), { route: '/moved/*', decision: { target: 'new' } });

  const offline = await run(['explain', '--config', file, '--path', '/moved/x', '--json'], { env });
  t.same(JSON.parse(offline.out).decision, JSON.parse(explained.out).decision, 'the same without a gateway');

  const response = await download(port);
  turnout.signal('SIGTERM');
  await turnout.logged('stopping');
  t.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 503, 'no longer ready');
  slow.finish();
  t.equal(await text(response), 'begun finished');
  t.equal(await turnout.end(), 0);
  t.equal(turnout.stderr, '');
  t.match(turnout.entries.at(-1), { event: 'stopped' });
});

void t.test('a second signal ends it at once', async (t) => {
  const slow = await slowBackend(t);
  const { turnout, port } = await start(t, slow.port);
  const response = await download(port);
  turnout.signal('SIGINT');
  await turnout.logged('stopping');
  turnout.signal('SIGINT');
  await t.rejects(text(response), { code: 'ECONNRESET' });
  t.equal(await turnout.end(), 0);
});

void t.test('a port in use is one clear line and ends with 1', async (t) => {
  const taken = await backend(t);
  const file = await configurationFile(t, configuration(taken));
  const env = { DATA_DIR: `${dirname(file)}/data` };
  for (const [option, listener] of [
    ['--port', 'the gateway'],
    ['--admin-port', 'the admin listener'],
  ] as const) {
    const turnout = new TurnoutProcess(t, ['start', '--config', file, option, String(taken)], env);
    t.equal(await turnout.end(), 1, option);
    const line = `Port ${taken} on 127.0.0.1 is in use, so ${listener} cannot start. Stop what uses it, or choose another with ${option}.\n`;
    t.equal(turnout.stderr, line);
  }
});

void t.test('a wrong configuration prints every problem and ends with 78', async (t) => {
  const file = await configurationFile(t, 'listn: {}\nworkers: many\n');
  const turnout = new TurnoutProcess(t, ['start', '--config', file]);
  t.equal(await turnout.end(), 78);
  t.match(turnout.stderr, /listn/u);
  t.match(turnout.stderr, /workers/u);
});

void t.test('without arguments it prints help and ends with 64', async (t) => {
  const turnout = new TurnoutProcess(t, []);
  t.equal(await turnout.end(), 64);
  t.match(turnout.stderr, /^Usage: turnout/u);
});
