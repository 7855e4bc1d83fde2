/** The console: a page, a script, a style sheet and an icon, from the package itself. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { AdminError } from './admin-error.ts';
import type { AdminServer } from './type-provider.ts';

/** What anybody may load who reaches the listener. */
export const CONSOLE_PATHS: ReadonlySet<string> = new Set(['/', '/assets/:name']);

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Nothing but what this listener serves; no script or style in the page itself; in nobody's frame. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** A name has a digest of its content, so what it stands for never changes. */
const FOR_GOOD = 'public, max-age=31536000, immutable';

const NOT_BUILT =
  'The console is not built.\n\n' +
  'In a checkout, `npm run build` builds it. The admin API is here all the same, under /api/v1, and the\n' +
  'turnout command does what the console does.\n';

const AssetParams = Type.Object({
  name: Type.String({ pattern: '^[a-z]+-[0-9a-f]{16}\\.(js|css|svg)$' }),
});

/** Where the bundle is, whether this module runs compiled, beside it, or as it was written. */
function bundledIn(): string | undefined {
  const here = import.meta.dirname;
  return [join(here, '../../console'), join(here, '../../build/console')].find((folder) =>
    existsSync(join(folder, 'index.html')),
  );
}

/** @param folder of the bundle; found in the package unless given */
export function consoleRoutes(server: AdminServer, folder: string | undefined = bundledIn()): void {
  const send = (reply: FastifyReply, type: string, cache: string, content: Buffer): FastifyReply =>
    reply
      .headers({ ...HEADERS, 'cache-control': cache })
      .type(type)
      .send(content);

  server.get('/', async (_request, reply) => {
    const page = folder === undefined ? undefined : await contentOf(join(folder, 'index.html'));
    if (page === undefined) return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT);
    return send(reply, 'text/html; charset=utf-8', 'no-cache', page);
  });
  server.get('/assets/:name', { schema: { params: AssetParams } }, async ({ params, headers }, reply) => {
    const path = join(folder ?? '', 'assets', params.name);
    const type = TYPES[params.name.split('.').at(-1) ?? ''];
    const takesGzip = /\bgzip\b/u.test(String(headers['accept-encoding'] ?? ''));
    const packed = folder !== undefined && takesGzip ? await contentOf(`${path}.gz`) : undefined;
    const content = packed ?? (folder === undefined ? undefined : await contentOf(path));
    if (content === undefined || type === undefined) {
      throw new AdminError(
        'not_found',
        'There is no such file. Load the page again: it may be of an older version.',
      );
    }
    reply.header('vary', 'accept-encoding');
    if (packed !== undefined) reply.header('content-encoding', 'gzip');
    return send(reply, type, FOR_GOOD, content);
  });
}

/** @returns `undefined` when there is no such file */
async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
