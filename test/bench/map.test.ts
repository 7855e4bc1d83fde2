import t from 'tap';
import { mapMarkdown } from '../../bench/map/map-report.ts';
import { map } from '../../bench/map/run-map.ts';
import { userName } from '../../bench/map/users.ts';

t.setTimeout(90_000);

void t.test('a small map is loaded, rebuilt, looked up and cached', async (t) => {
  const users = 5_000;
  const options = { users, lookups: 500, rounds: 1, caches: [3_000], minutes: 1, results: undefined };
  const run = await map(options, () => undefined);

  t.match(run.loaded, { users, packed: 1 });
  t.ok(run.loaded.bytesAUser > 20 && run.loaded.bytesAUser < 60, `${run.loaded.bytesAUser} bytes a user`);
  t.match(run.rebuilt, [{ users, packed: 1 }]);
  t.same(run.leftOut, []);
  t.equal(run.lookups.length, 4);
  const [hit, miss] = run.lookups;
  t.ok((hit?.cpuUs ?? 0) < (miss?.cpuUs ?? 0), 'a hit is cheaper than a miss');
  t.ok((miss?.redisCpuUs ?? 0) > 0, 'a miss asks Redis');
  t.equal(run.memory.length, 2);
  t.ok(
    run.memory.every(({ cachedUsers, userCacheMax }) => cachedUsers >= userCacheMax / 2),
    'caches are full',
  );
  t.match(mapMarkdown(run), /^\| rebuilt +\| 5000 /m);
});

void t.test('users are UUIDs, each another', async (t) => {
  const names = Array.from({ length: 100 }, (_, n) => userName(n));
  t.equal(new Set(names).size, 100);
  t.match(names[7], /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});
