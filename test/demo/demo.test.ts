/** The order in which the demo starts and stops things, with a stand-in for the gateway. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { type DemoGateway, type DemoOptions, runDemo } from '../../src/demo/demo.ts';
import { packageRoot } from '../../src/demo/package-root.ts';
import { tempFolder } from './with-shop.ts';

t.setTimeout(90_000);

const folder = await tempFolder();
t.teardown(() => folder.remove());

await t.test('the backends serve before the gateway starts and until it has stopped', async (t) => {
  const stopper = new AbortController();
  const shops: string[] = [];
  const events: string[] = [];
  const lines = await demo({
    signal: stopper.signal,
    startGateway: async (variables) => {
      t.equal(variables.TURNOUT_PORT, '0');
      t.equal(variables.TURNOUT_ADMIN_PORT, '0');
      t.equal(variables.TURNOUT_DATA_DIR, join(folder.path, 'data'));
      shops.push(`http://127.0.0.1:${variables.TURNOUT_LEGACY_PORT}`);
      shops.push(`http://127.0.0.1:${variables.TURNOUT_NEW_PORT}`);
      events.push(`start: ${await answers(shops)}`);
      setImmediate(() => stopper.abort());
      return {
        ...standIn(),
        close: async () => {
          events.push(`close: ${await answers(shops)}`);
        },
      };
    },
  });
  t.strictSame(events, ['start: legacy, new', 'close: legacy, new']);
  await t.rejects(answers(shops), 'they are gone');
  const text = lines.join('\n');
  t.match(text, 'http://127.0.0.1:4001   send requests here');
  t.match(text, 'with three seeded faults');
  t.match(text, 'TURNOUT_ADMIN_URL=http://127.0.0.1:4002 npm run -s turnout -- explain --user u-42');
  t.match(text, 'demo --traffic --url http://127.0.0.1:4001');
  t.match(lines.at(-1), /^stopped; the data is kept in /);
});

await t.test('a gateway that cannot start leaves no backend', async (t) => {
  const shops: string[] = [];
  const running = demo({
    startGateway: async (variables) => {
      shops.push(`http://127.0.0.1:${variables.TURNOUT_LEGACY_PORT}`);
      throw new Error('no stores today');
    },
  });
  await t.rejects(running, { message: 'no stores today' });
  await t.rejects(answers(shops));
});

await t.test('a backend that cannot start takes the other one with it', async (t) => {
  const first = new AbortController();
  let legacyUrl = '';
  const running = demo({
    signal: first.signal,
    startGateway: async (variables) => {
      legacyUrl = `http://127.0.0.1:${variables.TURNOUT_LEGACY_PORT}`;
      // A second demo on the same data, while the first one has it.
      const second = demo({ startGateway: () => Promise.reject(new Error('too far')) });
      await t.rejects(second, { message: /^the (legacy|new) sample backend cannot start .*locked/ });
      setImmediate(() => first.abort());
      return standIn();
    },
  });
  await running;
  await t.rejects(answers([legacyUrl]));
});

await t.test('a port in use is one line that says how to choose another', async (t) => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const neverStarted = () => Promise.reject(new Error('it started'));
  for (const [name, hint] of [
    ['gateway', '--port or TURNOUT_PORT'],
    ['admin', '--admin-port or TURNOUT_ADMIN_PORT'],
    ['legacy', 'TURNOUT_LEGACY_PORT'],
    ['new', 'TURNOUT_NEW_PORT'],
  ] as const) {
    const ports = { gateway: 0, admin: 0, legacy: 0, new: 0, [name]: port };
    await t.rejects(demo({ ports, startGateway: neverStarted }), {
      message: new RegExp(`^port ${port} \\(${name}.*\\) is in use; choose another with ${hint}$`),
    });
  }
  const ports = { gateway: 4000, admin: 0, legacy: 0, new: 4000 };
  await t.rejects(demo({ ports, startGateway: neverStarted }), {
    message: /^port 4000 is wanted by the gateway and the new shop/,
  });
});

await t.test('the root of the package is found from any module in it', (t) => {
  t.equal(packageRoot(import.meta.url), packageRoot(new URL('../../src/demo/demo.ts', import.meta.url).href));
  t.throws(() => packageRoot('file:///no/such/place/module.js'), /no package\.json/);
  t.end();
});

async function demo(options: Partial<DemoOptions> & Pick<DemoOptions, 'startGateway'>): Promise<string[]> {
  const lines: string[] = [];
  await runDemo({
    ports: { gateway: 0, admin: 0, legacy: 0, new: 0 },
    dataDir: join(folder.path, 'data'),
    faults: true,
    copies: false,
    write: (line) => lines.push(line),
    signal: new AbortController().signal,
    ...options,
  });
  return lines;
}

function standIn(): DemoGateway {
  return {
    gateway: { host: '127.0.0.1', port: 4001 },
    admin: { host: '127.0.0.1', port: 4002 },
    close: async () => undefined,
  };
}

/** The `x-shop` of each; rejects when one does not answer. */
async function answers(urls: readonly string[]): Promise<string> {
  const responses = await Promise.all(urls.map((url) => fetch(`${url}/health`)));
  for (const response of responses) await response.body?.cancel();
  return responses.map((response) => response.headers.get('x-shop')).join(', ');
}
