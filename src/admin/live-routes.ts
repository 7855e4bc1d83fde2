/** Live views: one stream of server-sent events for each. */
import type { Logger } from 'pino';
import type { AdminSource } from './admin-source.ts';
import type { ControlAccess } from './control-access.ts';
import type { GuardAccess } from './guard-access.ts';
import { guardDocument } from './guard-routes.ts';
import { LIVE_PATH, LiveSchema } from './live-document.ts';
import { LiveFeed } from './live-feed.ts';
import { fullStatus } from './status-document.ts';
import type { AdminServer } from './type-provider.ts';

/** What is known of the guard is told also when its stores hang: live views are there for such moments. */
const GUARD_MS = 1_000;

async function guardNow(guard: GuardAccess) {
  if (guard.running === undefined) return null;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), GUARD_MS);
  });
  const known = guard
    .ask((asked) => asked.status())
    .then(
      (cohorts) => guardDocument(cohorts, guard),
      () => null,
    );
  try {
    return await Promise.race([known, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param stopping aborted when the listener closes: streams end then
 * @returns ends all streams, so that whoever may go on asking connects again
 */
export function liveRoutes(
  server: AdminServer,
  source: AdminSource,
  access: ControlAccess,
  guard: GuardAccess,
  log: Logger,
  stopping: AbortSignal,
): () => void {
  const feed = new LiveFeed({
    log,
    read: async () => {
      const at = new Date().toISOString();
      const [status, known] = await Promise.all([fullStatus(source, access), guardNow(guard)]);
      return { at, status, guard: known };
    },
  });
  stopping.addEventListener('abort', () => feed.end(), { once: true });
  server.get(
    LIVE_PATH,
    {
      config: {
        summary: 'Status and guard as they change, as server-sent events',
        description:
          'First a `snapshot`, then an `update` once a second at the most, whose `guard` has only the last 10 seconds ' +
          'of both backends. A comment every 15 seconds says that the connection is alive. The number of streams is bounded.',
        produces: 'text/event-stream',
        answers: LiveSchema,
      },
      exposeHeadRoute: false,
    },
    async (_request, reply) => {
      feed.expectRoom();
      const { raw } = reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) raw.setHeader(name, value);
      }
      // Proxies that gather what they pass on are asked not to.
      raw.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      if (stopping.aborted) raw.end();
      else feed.add(raw);
    },
  );
  return () => feed.end();
}
