/** Two majors of json-server, a public REST server over a file, each as a process of its own over its own copy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onFreePorts, PortTakenError, startServer } from '../fixtures/server-process.ts';
import type { Teardown } from '../harness/teardown.ts';
import { within } from '../harness/within.ts';

/** What both serve: numbers, nulls, nesting, texts beyond ASCII, and one resource that is no list. */
export const DATA = {
  posts: [
    post(1, 'Kettles', 1, 120, 4.5, ['tea', 'steel']),
    post(2, 'Ångström lamps', 2, 80, 3.25, []),
    post(3, 'Brown mugs', 1, 300, null, ['tea']),
    post(4, 'Old maps', 3, 9, 0.1, ['paper']),
    post(5, 'Zinc tubs', 2, 41, 1e21, ['steel', 'garden']),
  ],
  comments: [
    comment(1, 1, 'Works well', 7, true),
    comment(2, 1, 'Too loud', 2, false),
    comment(3, 2, 'bright', 5, true),
    comment(4, 3, 'Wells up when hot', 3, null),
  ],
  makers: [
    { id: 1, label: 'Berg', site: { place: 'Oslo', at: [59.91, 10.75] }, retired: null },
    { id: 2, label: 'Ito', site: { place: 'Kyoto', at: [35.01, 135.77] }, retired: null },
    { id: 3, label: 'Moss', site: { place: 'Leeds', at: [53.8, -1.55] }, retired: '2019-04-01' },
  ],
  about: { title: 'A shop of things', since: 1998, closed: null, hours: { mon: [9, 17], sun: [] } },
};

function post(
  id: number,
  title: string,
  makerId: number,
  views: number,
  score: number | null,
  tags: string[],
) {
  return { id, title, makerId, views, score, tags, price: { amount: views / 8, unit: 'EUR' } };
}

function comment(id: number, postId: number, text: string, votes: number, approved: boolean | null) {
  return { id, postId, text, votes, approved };
}

const MAJORS = {
  legacy: { package: 'json-server-0', program: 'lib/cli/bin.js' },
  new: { package: 'json-server-1', program: 'lib/bin.js' },
};

/** A start takes about a second; more on a busy machine. */
const START_MS = 30_000;

/** Starts one of them for `t`, with `DATA` in a folder of its own. @returns its port, once it answers */
export async function startJsonServer(t: Teardown, major: keyof typeof MAJORS): Promise<number> {
  const { package: name, program } = MAJORS[major];
  const home = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const cwd = await mkdtemp(join(tmpdir(), `turnout-${name}-`));
  t.teardown(() => rm(cwd, { recursive: true, force: true }));
  await writeFile(join(cwd, 'data.json'), JSON.stringify(DATA));
  return onFreePorts(1, async ([port = 0]) => {
    const taken = Promise.withResolvers<never>();
    const server = await startServer({
      file: process.execPath,
      args: [join(home, program), '--host', '127.0.0.1', '--port', `${port}`, 'data.json'],
      cwd,
      ready: /\/posts/,
      endSignal: 'KILL',
      onLine: (line) => {
        if (/Cannot bind|EADDRINUSE/.test(line)) taken.reject(new PortTakenError(line));
      },
    });
    t.teardown(() => server.end());
    await within(Promise.race([answers(port), taken.promise]), `an answer of ${name}`, START_MS);
    return port;
  });
}

/** They say that they serve a moment before they do. */
async function answers(port: number): Promise<void> {
  const deadlineMs = performance.now() + START_MS;
  while (performance.now() < deadlineMs) {
    const response = await fetch(`http://127.0.0.1:${port}/about`).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
