/** `turnout demo --fail-new` as a person runs it, and the story over fakes where it goes otherwise. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type StoryGateway, type StoryTrip, tellFailNew } from '../../src/demo/fail-new-story.ts';

const MAIN = fileURLToPath(new URL(`../../src/main${extname(import.meta.filename)}`, import.meta.url));
const STORY_MAX_MS = 150_000;

t.setTimeout(170_000);

function startStory(tmp: string) {
  const ports = {
    TURNOUT_PORT: '0',
    TURNOUT_ADMIN_PORT: '0',
    TURNOUT_LEGACY_PORT: '0',
    TURNOUT_NEW_PORT: '0',
  };
  return spawn(process.execPath, [MAIN, 'demo', '--fail-new'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...ports, TMPDIR: tmp },
  });
}

void t.test('the new shop breaks, the cohort is back, the record says why, a person clears it', async (t) => {
  const tmp = await mkdtemp(join(tmpdir(), 'turnout-story-'));
  t.teardown(() => rm(tmp, { recursive: true, force: true }));
  const child = startStory(tmp);
  t.teardown(() => child.kill('SIGKILL'));
  const late = setTimeout(() => child.kill('SIGKILL'), STORY_MAX_MS);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  clearTimeout(late);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  t.equal(child.exitCode, 0, err);
  const order = [
    /Everybody was moved to the new shop/u,
    /All is well: \d+ requests, \d+ failed; [1-9]\d* were answered by new/u,
    /THE NEW SHOP BREAKS/u,
    /The guard has seen enough: it trips for cohort everyone/u,
    /everyone is back on legacy, in every gateway/u,
    /\d+ reads, \d+ failed: what new did not answer was asked of legacy at once/u,
    /the condition errorRate \(over 5 % and 1\.5 × what legacy has\) tripped for cohort everyone, which was at live/u,
    /What failed: \d+ × refused or no connection/u,
    /is refused:\n +The guard took cohort everyone back: clear trip/u,
    /The new shop is mended/u,
    /turnout guard clear everyone/u,
    /The end\./u,
  ];
  let from = 0;
  for (const pattern of order) {
    const at = out.slice(from).search(pattern);
    t.ok(at >= 0, `${pattern.source}, in its place`);
    from += Math.max(0, at);
  }
  if (!t.passing()) t.comment(`${out}\n${err}`);
  t.same(await readdir(tmp), [], 'nothing is kept');
});

/** Answers for both shops; what is broken answers nothing. */
async function openShop(t: Test) {
  const shop = { isBroken: false, owner: 'new' };
  const server = createServer((_request, response) => {
    response.setHeader('x-shop', shop.isBroken ? 'legacy' : shop.owner);
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const bound = server.address();
  return { shop, url: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}` };
}

function fakeGateway(more: Partial<StoryGateway> = {}): StoryGateway & { readonly cleared: string[] } {
  const cleared: string[] = [];
  const now = new Date();
  const trip = (cohort: string): StoryTrip => ({
    id: cohort,
    cohort,
    trippedAt: now,
    inForceAt: now,
    sentences: [`${cohort} tripped.`],
  });
  return {
    cleared,
    goLive: async () => undefined,
    whyNotLive: async () => 'clear trip everyone first',
    trips: async () => ['staff', 'beta', 'everyone'].map(trip),
    clear: async (cohort) => void cleared.push(cohort),
    ...more,
  };
}

async function tell(t: Test, gateway: StoryGateway, signal = new AbortController().signal) {
  const { shop, url } = await openShop(t);
  const lines: string[] = [];
  const newShop = {
    breakDown: async () => {
      shop.isBroken = true;
    },
    mend: async () => {
      shop.isBroken = false;
    },
  };
  const pace = { rate: 100, calmMs: 300 };
  await tellFailNew({
    gatewayUrl: url,
    gateway,
    newShop,
    ...pace,
    signal,
    write: (line) => lines.push(line),
  });
  return lines.join('\n');
}

void t.test('each trip is told once, and cleared once', async (t) => {
  const gateway = fakeGateway();
  const told = await tell(t, gateway);
  for (const cohort of ['staff', 'beta', 'everyone']) {
    t.equal(told.split(`it trips for cohort ${cohort}, and`).length, 2, cohort);
  }
  t.same(gateway.cleared.toSorted(), ['beta', 'everyone', 'staff']);
  t.match(told, /legacy answered 0, new [1-9]/u, 'when it is mended, only what came since is counted');
});

void t.test('whoever stops it ends it at once, with its traffic', async (t) => {
  const stop = new AbortController();
  const told = await tell(
    t,
    fakeGateway({
      trips: async () => {
        stop.abort();
        return [];
      },
    }),
    stop.signal,
  );
  t.match(told, /THE NEW SHOP BREAKS/u);
  t.notMatch(told, /What the users met/u);
});

void t.test('a gateway that refuses ends it with why', async (t) => {
  const refused = fakeGateway({
    goLive: () => Promise.reject(new Error('no')),
  });
  await t.rejects(tell(t, refused), { message: 'no' });
});
