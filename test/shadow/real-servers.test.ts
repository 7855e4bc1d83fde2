/** Two majors of a public server behind the gateway: the report says what differs between them, and nothing else. */
import t, { type Test } from 'tap';
import { createReportReader, type ReportReader } from '../../src/reports/create-report-reader.ts';
import type { ReportSink } from '../../src/shadow/report-sink.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startGateway } from '../harness/gateway.ts';
import { postgresReports } from '../reports/postgres-reports.ts';
import { startJsonServer } from './json-servers.ts';
import { MemorySink } from './memory-sink.ts';

t.setTimeout(120_000);

interface Read {
  readonly target: string;
  readonly method?: 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
}

const get = (...targets: string[]): readonly Read[] => targets.map((target) => ({ target }));

/** What clients of the old major ask for. */
const READS: readonly Read[] = [
  ...get('/posts', '/posts?_sort=views', '/posts?_sort=views&_order=desc', '/posts?title=Brown%20mugs'),
  ...get('/posts?_page=1&_limit=2', '/posts?_page=3&_limit=2', '/posts?_limit=2', '/posts?_start=1&_end=3'),
  ...get(
    '/posts?q=tea',
    '/posts?id=3',
    '/posts?_embed=comments',
    '/posts?_expand=maker',
    '/posts?price.unit=EUR',
  ),
  ...get('/posts/1', '/posts/5', '/posts/404', '/posts/1?_embed=comments', '/posts/1?_expand=maker'),
  ...get('/posts/1/comments', '/posts/2/comments'),
  ...get('/comments', '/comments?postId=1', '/comments?votes_gte=3', '/comments?votes_gte=3&votes_lte=5'),
  ...get('/comments?approved=true', '/comments?text_like=well', '/comments?votes_ne=2'),
  ...get('/makers', '/makers?site.place=Oslo', '/makers/2', '/makers/404', '/about', '/db', '/nothing'),
  { target: '/posts', method: 'HEAD' },
  { target: '/posts/1', method: 'HEAD' },
  { target: '/about', headers: { 'accept-encoding': 'gzip' } },
];

/** Of these, what the new major answers alike but for ids and headers. */
const SAME = [
  '/posts',
  '/posts?_sort=views',
  '/posts?title=Brown%20mugs',
  '/posts?price.unit=EUR',
  '/posts/1',
  '/posts/5',
  '/comments',
  '/comments?postId=1',
  '/comments?votes_gte=3',
  '/comments?votes_gte=3&votes_lte=5',
  '/comments?approved=true',
  '/comments?votes_ne=2',
  '/makers',
  '/makers?site.place=Oslo',
  '/makers/2',
  '/about',
  '/about',
];

const COMPARE = { headers: ['cache-control', 'link', 'x-total-count'] };
const ROUTES = [
  '/posts',
  '/posts/:id',
  '/posts/:id/comments',
  '/comments',
  '/makers',
  '/makers/:id',
  '/about',
  '/*',
].map((match) => ({ match, shadow: { sample: 1, compare: COMPARE } }));

async function world(t: Test) {
  // One after the other: side by side they would take each other's free ports.
  const postgres = await startPostgres(t);
  const legacy = await startJsonServer(t, 'legacy');
  const renewed = await startJsonServer(t, 'new');
  const now = () => Date.now();
  const { record, reports } = await postgresReports(t, postgres.url, now);
  const seen = new MemorySink();
  const sink: ReportSink = {
    compared: (read) => {
      reports.compared(read);
      seen.compared(read);
    },
    noise: (read) => {
      reports.noise(read);
      seen.noise(read);
    },
    skipped: (...skip) => {
      reports.skipped(...skip);
      seen.skipped(...skip);
    },
  };
  let asksAgain = false;
  const gateway = await startGateway(t, {
    backends: { legacy, new: renewed },
    settings: {
      cohorts: [{ name: 'everyone', default: true, stage: 'shadow' }],
      routes: ROUTES,
      shadow: { noiseSample: 0.5, confirmAfterMs: 10 },
    },
    reports: { sink, rules: reports, lagging: () => false, random: () => (asksAgain ? 0 : 0.9) },
  });
  const reader = createReportReader({
    store: record.reports,
    now,
    routes: () => ROUTES.map(({ match }) => ({ name: match, isShadowed: true, rules: COMPARE })),
    replay: undefined,
  });
  let asked = 0;
  const ask = async ({ target, method, headers }: Read) => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}${target}`, {
      method: method ?? 'GET',
      headers: { 'x-user': 'ann', ...headers },
    });
    await response.arrayBuffer();
    asked += 1;
    await seen.until(asked);
  };
  return {
    reader,
    seen,
    reports,
    /** Each read so often, and once more for noise; the record has it all then. */
    askAll: async (times: number): Promise<void> => {
      for (let time = 0; time < times; time += 1) for (const read of READS) await ask(read);
      asksAgain = true;
      for (const read of READS) await ask(read);
      asksAgain = false;
      while (!(await reports.flush()));
    },
  };
}

/** A group in one line: where, what, and how the two sides differ. */
async function openGroups(reader: ReportReader): Promise<string[]> {
  const { groups } = await reader.report('everyone', 3_600_000);
  return groups.map(({ route, kind, pattern, types }) => `${route} ${kind} ${pattern} ${types}`).toSorted();
}

const REAL = [
  '/* extra $.error absent>string',
  '/* status status 200>404',
  '/comments missing $[] object>absent',
  '/makers/:id extra $.error absent>string',
  '/posts header header.link string>absent',
  '/posts header header.x-total-count string>absent',
  '/posts missing $[] object>absent',
  '/posts missing $[].comments[] object>absent',
  '/posts status status 200>400',
  '/posts type $ array>object',
  '/posts/:id extra $.error absent>string',
  '/posts/:id missing $.comments[] object>absent',
  '/posts/:id missing $.maker object>absent',
  '/posts/:id status status 200>400',
  '/posts/:id/comments status status 200>404',
];

const IDS = [
  '/comments type $[].id number>string',
  '/makers type $[].id number>string',
  '/makers/:id type $.id number>string',
  '/posts type $[].id number>string',
  '/posts/:id type $.id number>string',
];

const CACHE_CONTROL = ROUTES.map(({ match }) => `${match} header header.cache-control string>absent`);

void t.test('two majors of a real server: every difference is a group, and nothing else is', async (t) => {
  const { reader, reports, seen, askAll } = await world(t);
  await askAll(2);
  t.strictSame(seen.skips, []);
  t.ok(
    seen.reads.every(({ verdict }) => verdict === 'confirmed'),
    'what differs does so each time',
  );
  t.equal(seen.noises.length, READS.length);
  t.ok(
    seen.noises.every(({ comparison }) => comparison.verdict === 'matched'),
    'the old major answers alike each time',
  );
  t.strictSame(await openGroups(reader), [...CACHE_CONTROL, ...IDS, ...REAL].toSorted());

  // What is judged harmless is covered by rules, and its groups are closed; they would come back.
  for (const { match } of ROUTES) {
    const rules = {
      headers: ['link', 'x-total-count'],
      comparators: { '$.id': 'text', '$[*].id': 'text' },
    };
    const saved = await reader.saveRules(match, rules, { actor: 'ann', reason: 'ids are opaque to clients' });
    t.match(saved, { kind: 'saved' });
  }
  await reports.pollRules();
  const { groups } = await reader.report('everyone', 3_600_000);
  for (const { id, pattern } of groups) {
    if (/\.id$|cache-control$/.test(pattern)) await reader.act(id, 'ann', { action: 'resolve' });
  }
  t.strictSame(await openGroups(reader), REAL);

  const before = seen.reads.length;
  await askAll(1);
  t.strictSame(await openGroups(reader), REAL, 'nothing that was closed is back');
  const same = seen.reads
    .slice(before)
    .filter(({ verdict }) => verdict === 'matched')
    .map(({ request }) => request.target);
  t.strictSame(same, SAME, 'and what is the same but for them matches');
});
