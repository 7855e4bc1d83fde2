/**
 * @fastify/http-proxy as a careful team would deploy it: no blind retries, certificates verified, bodies passed
 * through unparsed, no logs. Arguments: the ports of legacy and new, and optionally of Redis, which then decides
 * between the two for each request.
 */
import httpProxyPlugin from '@fastify/http-proxy';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import { announceReady } from '../announce-ready.ts';
import { USER_HEADER } from '../scenarios.ts';
import { BACKEND_CONNECTIONS, REDIS_KEY_PREFIX } from './peer.ts';

const [legacyPort, newPort, redisPort] = process.argv.slice(2);
const origins: Record<string, string> = {
  legacy: `http://127.0.0.1:${legacyPort}`,
  new: `http://127.0.0.1:${newPort}`,
};

const app = fastify({ logger: false, keepAliveTimeout: 600_000 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
app.decorateRequest('backend', '');

const common = {
  upstream: origins['legacy'] ?? '',
  undici: { connections: BACKEND_CONNECTIONS, pipelining: 1, connect: { rejectUnauthorized: true } },
  retryMethods: [],
  disableRequestLogging: true,
};

if (redisPort === undefined) {
  await app.register(httpProxyPlugin, common);
} else {
  const redis = new Redis({ port: Number(redisPort), host: '127.0.0.1', enableAutoPipelining: true });
  await app.register(httpProxyPlugin, {
    ...common,
    preHandler: (request, _reply, done) => {
      const key = `${REDIS_KEY_PREFIX}${String(request.headers[USER_HEADER])}`;
      void redis.get(key, (problem, backend) => {
        request.backend = backend ?? 'legacy';
        done(problem ?? undefined);
      });
    },
    replyOptions: {
      getUpstream: (request, base) => ('backend' in request ? (origins[`${request.backend}`] ?? base) : base),
    },
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    backend: string;
  }
}

await app.listen({ host: '127.0.0.1', port: 0 });
await announceReady([app.server], { keepAliveMs: 600_000 });
