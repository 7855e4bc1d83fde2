/** What can be found out about a Redis before anybody relies on it: is it set up to keep a state map? */
import { Cluster, type Redis } from 'ioredis';
import { openRedis, type RedisModel } from './redis-client.ts';
import { redisKeys } from './redis-keys.ts';
import { within } from './within.ts';

export interface RedisNode {
  /** Host and port. */
  readonly where: string;
  readonly version: string;
  /** What it does when it is full; `undefined` when it does not say. */
  readonly policy: string | undefined;
  readonly usedBytes: number;
  /** 0: no bound but the machine's. */
  readonly maxBytes: number;
  /** Of the machine; 0 when it does not say. */
  readonly machineBytes: number;
  readonly appendOnly: boolean;
  /** Whether it writes snapshots by itself; `undefined` when it may not be asked. */
  readonly snapshots: boolean | undefined;
  /** Whether the last write to its disk went well. */
  readonly persisted: boolean;
  readonly replicas: number;
}

export interface RedisHealth {
  readonly mode: RedisModel['mode'];
  /** The server, or every master of the cluster. */
  readonly nodes: readonly RedisNode[];
  /** `ok` of a cluster whose slots are all served; `undefined` for a single server. */
  readonly clusterState: string | undefined;
  /** The map that is in it. */
  readonly map: { readonly id: string; readonly epoch: number } | undefined;
}

/** The fields of INFO, all sections. */
function fieldsOf(info: string): ReadonlyMap<string, string> {
  const rows = info.split(/\r?\n/u).flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon < 1 || line.startsWith('#') ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
  });
  return new Map(rows);
}

/** Hosted servers often refuse CONFIG. */
async function snapshotsOf(node: Redis): Promise<boolean | undefined> {
  try {
    const answer: unknown = await node.config('GET', 'save');
    if (!Array.isArray(answer)) return undefined;
    return typeof answer[1] === 'string' ? answer[1] !== '' : undefined;
  } catch {
    return undefined;
  }
}

async function nodeOf(node: Redis, where: string): Promise<RedisNode> {
  const [info, snapshots] = await Promise.all([node.info(), snapshotsOf(node)]);
  const fields = fieldsOf(info);
  const number = (name: string): number => Number(fields.get(name) ?? 0) || 0;
  const failed = ['rdb_last_bgsave_status', 'aof_last_write_status', 'aof_last_bgrewrite_status'].filter(
    (name) => fields.has(name) && fields.get(name) !== 'ok',
  );
  return {
    where,
    version: fields.get('redis_version') ?? 'unknown',
    policy: fields.get('maxmemory_policy'),
    usedBytes: number('used_memory'),
    maxBytes: number('maxmemory'),
    machineBytes: number('total_system_memory'),
    appendOnly: fields.get('aof_enabled') === '1',
    snapshots,
    persisted: failed.length === 0,
    replicas: number('connected_slaves'),
  };
}

function placeOf({ options }: Redis): string {
  return `${options.host ?? '?'}:${options.port ?? '?'}`;
}

async function nodesOf(raw: Redis | Cluster, mode: RedisModel['mode']): Promise<RedisNode[]> {
  if (raw instanceof Cluster) {
    return Promise.all(raw.nodes('master').map((node) => nodeOf(node, placeOf(node))));
  }
  return [await nodeOf(raw, mode === 'sentinel' ? 'the master that the sentinels name' : placeOf(raw))];
}

async function clusterStateOf(raw: Redis | Cluster): Promise<string | undefined> {
  if (!(raw instanceof Cluster)) return undefined;
  const info: unknown = await raw.cluster('INFO');
  return fieldsOf(String(info)).get('cluster_state');
}

/**
 * Reads only.
 *
 * @param boundMs for connecting, and once more for the answers
 * @throws Error in words for an operator when Redis cannot be reached or does not answer
 */
export async function checkRedis(model: RedisModel, boundMs: number): Promise<RedisHealth> {
  const client = await openRedis(model, boundMs, false);
  try {
    const { raw } = client;
    const answers = Promise.all([
      nodesOf(raw, model.mode),
      clusterStateOf(raw),
      raw.hmget(redisKeys(model.keyPrefix).meta, 'id', 'epoch'),
    ]);
    const [nodes, clusterState, [id, epoch]] = await within(answers, boundMs, 'Redis');
    const map = typeof id === 'string' ? { id, epoch: Number(epoch ?? 0) } : undefined;
    return { mode: model.mode, nodes, clusterState, map };
  } finally {
    client.close();
  }
}
