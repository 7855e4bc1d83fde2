/** What `deploy/` asks Prometheus for is what there is. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { parse } from 'yaml';

// Tests run in the root of the repository.
const ALERTS = 'deploy/prometheus/turnout-alerts.yaml';
const DASHBOARD = 'deploy/grafana/turnout.json';

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

interface Documented {
  readonly labels: ReadonlySet<string>;
  readonly type: string;
}

/** By name, as `docs/metrics.md` has them; a test of the telemetry holds that to the code. */
async function documentedMetrics(): Promise<ReadonlyMap<string, Documented>> {
  const metrics = new Map<string, Documented>();
  for (const line of (await readFile('docs/metrics.md', 'utf8')).split('\n')) {
    const [, name = '', labels = '', type = ''] = line
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', ''));
    if (!name.startsWith('turnout_')) continue;
    const words = labels.split(',').map((label) => label.trim());
    metrics.set(name, { labels: new Set(words.filter((label) => label !== '')), type });
  }
  return metrics;
}

/** Labels that Prometheus itself gives, and the one of the buckets of a histogram. */
const GIVEN = new Set(['instance', 'job', 'le', 'worker']);

/** What is wrong with an expression, as far as that can be said without Prometheus. */
function problemsOf(expression: string, metrics: ReadonlyMap<string, Documented>): string[] {
  const problems: string[] = [];
  for (const [whole, name = '', selector = ''] of expression.matchAll(/\b(turnout_\w+)(?:\{([^}]*)\})?/gu)) {
    const base = name.replace(/_(?:bucket|sum|count)$/u, '');
    const metric = metrics.get(name) ?? metrics.get(base);
    if (metric === undefined) {
      problems.push(`there is no metric ${name}`);
      continue;
    }
    if (name !== base && !metrics.has(name) && !metric.type.startsWith('histogram')) {
      problems.push(`${base} is no histogram`);
    }
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/gu)) {
      if (!metric.labels.has(label) && !GIVEN.has(label))
        problems.push(`${whole}: ${base} has no label ${label}`);
    }
  }
  for (const [, list = ''] of expression.matchAll(/\bby \(([^)]*)\)/gu)) {
    for (const label of list.split(',').map((word) => word.trim())) {
      const isKnown = GIVEN.has(label) || [...metrics.values()].some(({ labels }) => labels.has(label));
      if (!isKnown) problems.push(`nothing has a label ${label}`);
    }
  }
  const depth = expression
    .replaceAll(/"[^"]*"/gu, '')
    .split('')
    .reduce((open, letter) => open + (letter === '(' ? 1 : letter === ')' ? -1 : 0), 0);
  if (depth !== 0) problems.push(`parentheses: ${expression}`);
  return problems;
}

void t.test(
  'every metric and label of the alert rules is there, and every alert says what to do',
  async (t) => {
    const metrics = await documentedMetrics();
    const rules: unknown = parse(await readFile(ALERTS, 'utf8'));
    const names = new Set<string>();
    for (const group of listOf(isRecord(rules) ? rules['groups'] : undefined)) {
      if (!isRecord(group)) throw new Error('a group that is none');
      t.type(group['name'], 'string');
      for (const rule of listOf(group['rules'])) {
        if (!isRecord(rule)) throw new Error('a rule that is none');
        const name = String(rule['alert']);
        t.match(name, /^Turnout[A-Z]\w+$/u);
        t.notOk(names.has(name), `${name} is there once`);
        names.add(name);
        t.same(problemsOf(String(rule['expr']), metrics), [], name);
        t.match(rule, { labels: { severity: /^(?:page|ticket)$/u } }, name);
        t.match(rule, { annotations: { summary: /\S/u, description: /\S{3,}.* .*\.$/su } }, name);
        if (rule['for'] !== undefined) t.match(rule['for'], /^\d+[smh]$/u, name);
      }
    }
    t.ok(names.has('TurnoutGuardWentBack'));
  },
);

void t.test('every metric and label of the dashboard is there, and no panel lies over another', async (t) => {
  const metrics = await documentedMetrics();
  const dashboard: unknown = JSON.parse(await readFile(DASHBOARD, 'utf8'));
  if (!isRecord(dashboard)) throw new Error('no dashboard');
  const ids = new Set<unknown>();
  const taken = new Set<string>();
  let expressions = 0;
  for (const panel of listOf(dashboard['panels'])) {
    if (!isRecord(panel) || !isRecord(panel['gridPos'])) throw new Error('a panel that is none');
    t.notOk(ids.has(panel['id']), `id ${String(panel['id'])} is there once`);
    ids.add(panel['id']);
    const [x, y, w, h] = ['x', 'y', 'w', 'h'].map((key) => Number(Object(panel['gridPos'])[key]));
    for (let column = x ?? 0; column < (x ?? 0) + (w ?? 0); column += 1) {
      for (let line = y ?? 0; line < (y ?? 0) + (h ?? 0); line += 1) {
        const cell = `${column} ${line}`;
        t.notOk(taken.has(cell) || column >= 24, `${String(panel['title'])}: ${cell}`);
        taken.add(cell);
      }
    }
    for (const target of listOf(panel['targets'])) {
      const expression = isRecord(target) ? String(target['expr']) : '';
      t.same(problemsOf(expression, metrics), [], String(panel['title']));
      expressions += 1;
    }
  }
  t.ok(expressions > 20);
});

void t.test('what is not there would be found', async (t) => {
  const metrics = await documentedMetrics();
  for (const [expression, problem] of [
    ['turnout_no_such_total', /no metric turnout_no_such_total/u],
    ['rate(turnout_held_writes_bucket[5m])', /no histogram/u],
    ['turnout_guard_held{cohrt="x"}', /no label cohrt/u],
    ['sum by (chort) (turnout_guard_held)', /nothing has a label chort/u],
    ['sum(turnout_guard_held', /parentheses/u],
  ] as const) {
    t.match(problemsOf(expression, metrics).join('\n'), problem, expression);
  }
});
