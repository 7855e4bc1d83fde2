/** A bare @fastify/http-proxy, alone and with one Redis read a request. See `http-proxy-server.ts`. */
import { fileURLToPath } from 'node:url';
import { installedVersion } from './floor.ts';
import type { Peer } from './peer.ts';
import { REDIS_HINT } from './redis-hint.ts';

const SERVER = fileURLToPath(new URL('./http-proxy-server.js', import.meta.url));

const version = (): string =>
  `@fastify/http-proxy ${installedVersion('@fastify/http-proxy')}, fastify ${installedVersion('fastify')}`;

export const httpProxy: Peer = {
  name: 'http-proxy',
  title: 'bare @fastify/http-proxy, safe settings',
  missing: () => undefined,
  version,
  start: async ({ processes, backends }) => {
    const args = [`${backends.legacy}`, `${backends.new}`];
    const { ports, ...started } = await processes.startNode(SERVER, args, { core: 'proxy' });
    return { started, port: ports[0] ?? 0 };
  },
};

export const httpProxyRedis: Peer = {
  name: 'http-proxy-redis',
  title: 'the same with one auto-pipelined Redis GET a request',
  missing: ({ redisPort }) => (redisPort === undefined ? REDIS_HINT : undefined),
  version,
  start: async ({ processes, backends, redisPort }) => {
    const args = [`${backends.legacy}`, `${backends.new}`, `${redisPort}`];
    const { ports, ...started } = await processes.startNode(SERVER, args, { core: 'proxy' });
    return { started, port: ports[0] ?? 0 };
  },
};
