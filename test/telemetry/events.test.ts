import { glob, readFile } from 'node:fs/promises';
import t from 'tap';
import { EVENTS } from '../../src/telemetry/events.ts';

void t.test(
  'every event that the code logs is in the list, and every event of the list is logged',
  async (t) => {
    const used = new Set<string>();
    for await (const file of glob('src/**/*.ts')) {
      for (const [, name = ''] of (await readFile(file, 'utf8')).matchAll(/\bevent: '([^']+)'/gu))
        used.add(name);
    }
    t.same([...used].toSorted(), EVENTS.toSorted());
  },
);

void t.test('the documentation explains exactly the events of the list', async (t) => {
  const page = await readFile('docs/log-events.md', 'utf8');
  const documented = [...page.matchAll(/^\| `([^`]+)` \|/gmu)].map(([, name]) => name);
  t.same(documented, EVENTS);
});
