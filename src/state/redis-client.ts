/**
 * One connection to Redis: a server, a cluster or what the sentinels name. It is used until it first fails and
 * then thrown away, so that nobody reads from a server that came back as another one: whoever opens the next
 * connection checks first that it is the same map. So ioredis's own reconnecting, resending and queueing while
 * offline are off; inside a cluster, single nodes still come and go.
 */
import { createHash } from 'node:crypto';
import { Cluster, Command, Redis, type RedisOptions } from 'ioredis';
import type { StateModel } from '../config/model.ts';
import type { RedisScript } from './redis-scripts.ts';
import { within } from './within.ts';

export type RedisModel = Extract<StateModel, { kind: 'redis' }>;
export type Argument = string | number | Buffer;

export interface RedisClient {
  readonly raw: Redis | Cluster;
  /** Runs a script by its digest, sending it when the server does not have it. */
  script(script: RedisScript, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  /** Settles, with the reason, when the connection is gone for good. */
  readonly ended: Promise<Error>;
  close(): void;
}

function nodeOptions(model: RedisModel): RedisOptions {
  return {
    lazyConnect: true,
    // The replies of both protocols are read here the same way, and older servers know this one only.
    protocol: 2,
    connectTimeout: 5_000,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    connectionName: 'turnout',
    keepAlive: 5_000,
    ...(model.username === undefined ? {} : { username: model.username }),
    ...(model.password === undefined ? {} : { password: model.password }),
    ...(model.tls ? { tls: {} } : {}),
  };
}

/** @param pipelined commands of one turn of the event loop share a write; not for a blocking reader */
function createRaw(model: RedisModel, pipelined: boolean): Redis | Cluster {
  const options = nodeOptions(model);
  switch (model.mode) {
    case 'single':
      return new Redis(model.url, { ...options, enableAutoPipelining: pipelined });
    case 'sentinel':
      return new Redis({
        ...options,
        sentinels: [...model.nodes],
        name: model.sentinelName ?? 'mymaster',
        sentinelRetryStrategy: () => null,
        enableAutoPipelining: pipelined,
      });
    case 'cluster': {
      const { retryStrategy: _retry, enableOfflineQueue: _queue, lazyConnect: _lazy, ...perNode } = options;
      return new Cluster([...model.nodes], {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: () => null,
        redisOptions: perNode,
        slotsRefreshTimeout: 2_000,
        enableAutoPipelining: pipelined,
      });
    }
    default: {
      const unknown: never = model.mode;
      throw new Error(`unknown Redis mode ${String(unknown)}`);
    }
  }
}

const digests = new Map<string, string>();

function digestOf(lua: string): string {
  let digest = digests.get(lua);
  if (digest === undefined) {
    digest = createHash('sha1').update(lua).digest('hex');
    digests.set(lua, digest);
  }
  return digest;
}

function isMissingScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/**
 * Connects. Rejects when that takes longer than `connectMs` or fails; then nothing is left open.
 */
export async function openRedis(
  model: RedisModel,
  connectMs: number,
  pipelined: boolean,
): Promise<RedisClient> {
  const raw = createRaw(model, pipelined);
  let lastError: Error | undefined;
  raw.on('error', (error: Error) => {
    lastError = error;
  });
  const ended = new Promise<Error>((resolve) => {
    raw.once('end', () => resolve(lastError ?? new Error('the connection to Redis was closed')));
  });
  try {
    await within(raw.connect(), connectMs, 'Redis');
  } catch (error) {
    raw.disconnect();
    throw new Error(`Redis cannot be reached: ${(lastError ?? asError(error)).message}`, { cause: error });
  }
  // The library's own methods for scripts cannot give binary replies.
  const send = async (name: string, args: Argument[]): Promise<unknown> =>
    raw.sendCommand(new Command(name, args, { replyEncoding: null }));
  return {
    raw,
    ended,
    async script({ lua, keys: count }, keys, args) {
      try {
        return await send('evalsha', [digestOf(lua), count, ...keys, ...args]);
      } catch (error) {
        if (!isMissingScript(error)) throw error;
        return send('eval', [lua, count, ...keys, ...args]);
      }
    },
    close: () => raw.disconnect(),
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
