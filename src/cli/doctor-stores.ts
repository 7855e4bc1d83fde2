/** The doctor's look at the record and at Redis, by a configuration. */
import type { ConfigModel } from '../config/model.ts';
import { checkRedis, type RedisHealth, type RedisNode } from '../state/redis-health.ts';
import { readMigrations } from '../storage/migration-status.ts';
import { type Finding, fail, messageOf, ok, skip, warn } from './finding.ts';

const ANSWER_MS = 5_000;
/** The oldest one that the tests run against is newer; what is used has been there since this one. */
const REDIS_OLDEST = [6, 2] as const;
const MEMORY_FULL = 0.8;

export async function checkRecord({ record, file }: ConfigModel): Promise<Finding[]> {
  const migrate = `turnout db migrate --config ${file}`;
  try {
    const { where, server, applied, pending, unknown } = await readMigrations(record, ANSWER_MS);
    const reached = server === undefined ? where : `${where}, Postgres ${server}`;
    if (unknown.length > 0) {
      const found = `has migration ${unknown.join(', ')}, which this version does not know`;
      return [ok('record', reached), fail('record schema', found, 'Run the newer version of Turnout.')];
    }
    if (pending.length === 0)
      return [ok('record', reached), ok('record schema', `migration ${applied.length}, the newest`)];
    const found = `${pending.length} migrations to run: ${pending.map(({ name }) => name).join(', ')}`;
    const advice = `The first gateway that starts runs them; so does ${migrate}.`;
    return [ok('record', reached), warn('record schema', found, advice)];
  } catch (error) {
    const found = messageOf(error);
    if (record.kind === 'embedded' && /in use by/u.test(found)) {
      return [ok('record', `the embedded record in ${record.dir} is in use: a gateway runs on it`)];
    }
    const advice =
      'No users can be moved without the record. Look at record.url, at the server and at what is between.';
    return [fail('record', found, advice)];
  }
}

/** Eviction takes buckets away: every gateway detaches and the map is rebuilt, again and again. */
function policyOf({ where, policy }: RedisNode): Finding {
  if (policy === undefined) return skip('redis eviction', `${where} does not say`);
  if (policy === 'noeviction') return ok('redis eviction', `${where}: noeviction`);
  return fail(
    'redis eviction',
    `${where}: maxmemory-policy is ${policy}, so that users may be thrown out of the map`,
    'Set maxmemory-policy noeviction. Other users of this Redis that need eviction belong into another one.',
  );
}

function persistenceOf({ where, appendOnly, snapshots, persisted }: RedisNode): Finding {
  if (!persisted) {
    return warn(
      'redis persistence',
      `${where}: its last write to disk failed`,
      'Look at its log and at its disk.',
    );
  }
  if (appendOnly) return ok('redis persistence', `${where}: append-only file`);
  const advice =
    'Without an append-only file a restart loses changes, and the map is rebuilt from the record: appendonly yes.';
  if (snapshots === false)
    return warn('redis persistence', `${where}: neither append-only file nor snapshots`, advice);
  const found =
    snapshots === true ? 'snapshots only' : 'no append-only file, and snapshots may not be asked for';
  return warn('redis persistence', `${where}: ${found}`, advice);
}

const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;

function memoryOf({ where, usedBytes, maxBytes, machineBytes }: RedisNode): Finding {
  const most = maxBytes === 0 ? machineBytes : maxBytes;
  const of = maxBytes === 0 ? 'the machine, without a bound of its own' : 'maxmemory';
  const found = `${where}: ${inMegabytes(usedBytes)} of ${most === 0 ? 'an unknown bound' : `${inMegabytes(most)} of ${of}`}`;
  if (most > 0 && usedBytes / most > MEMORY_FULL) {
    const advice =
      'A full Redis refuses changes. Give it more: a user takes about 40 bytes, a rebuild needs no more than that.';
    return warn('redis memory', found, advice);
  }
  return ok('redis memory', found);
}

function versionOf({ where, version }: RedisNode): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest, since] = REDIS_OLDEST;
  if (major > oldest || (major === oldest && minor >= since))
    return ok('redis version', `${where}: ${version}`);
  return warn(
    'redis version',
    `${where}: ${version}`,
    `Turnout is tested with Redis ${oldest}.${since} and newer.`,
  );
}

function shapeOf({ mode, nodes, clusterState }: RedisHealth): Finding {
  const replicas = nodes.map((node) => node.replicas);
  const bare = replicas.filter((count) => count === 0).length;
  switch (mode) {
    case 'single':
      return bare === 0
        ? ok('redis shape', 'one server with replicas, which nobody promotes by itself')
        : warn(
            'redis shape',
            'one server',
            'While it is down nobody can be moved; Sentinel or Cluster take over by themselves.',
          );
    case 'sentinel':
      return bare === 0
        ? ok('redis shape', `sentinels, a master and ${replicas[0] ?? 0} replicas`)
        : fail(
            'redis shape',
            'sentinels, but the master has no replica',
            'Nothing could take over: add a replica.',
          );
    case 'cluster': {
      if (clusterState !== 'ok') {
        return fail(
          'redis shape',
          `the cluster is ${clusterState ?? 'of unknown state'}`,
          'Look at CLUSTER INFO and CLUSTER NODES.',
        );
      }
      const found = `a cluster of ${nodes.length} masters`;
      return bare === 0
        ? ok('redis shape', found)
        : warn('redis shape', `${found}, ${bare} of them without a replica`, 'Give each master a replica.');
    }
    default:
      mode satisfies never;
      throw new Error('a Redis of no shape');
  }
}

export async function checkState({ state }: ConfigModel): Promise<Finding[]> {
  if (state.kind === 'embedded')
    return [ok('redis', 'not used: the state map is in the one process of the gateway')];
  try {
    const health = await checkRedis(state, ANSWER_MS);
    const { map, nodes } = health;
    const found = map === undefined ? 'no map in it yet' : `map ${map.id} at epoch ${map.epoch}`;
    return [
      ok('redis', `reachable, ${found}`),
      shapeOf(health),
      ...nodes.flatMap((node) => [versionOf(node), policyOf(node), persistenceOf(node), memoryOf(node)]),
    ];
  } catch (error) {
    const advice =
      'Gateways serve what they know, then refuse writes of users on the move. Look at state.url and at the server.';
    return [fail('redis', messageOf(error), advice)];
  }
}
