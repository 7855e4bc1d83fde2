/** The floor: what any proxy on `node:http` and undici has to pay. See `floor-server.ts`. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Peer } from './peer.ts';

const SERVER = fileURLToPath(new URL('./floor-server.js', import.meta.url));

export const floor: Peer = {
  name: 'floor',
  title: 'plain node:http + undici dispatch proxy',
  missing: () => undefined,
  version: () => `undici ${installedVersion('undici')}`,
  start: async ({ processes, backends }) => {
    const { ports, ...started } = await processes.startNode(SERVER, [`${backends.legacy}`], {
      core: 'proxy',
    });
    return { started, port: ports[0] ?? 0 };
  },
};

export function installedVersion(name: string): string {
  const manifest: unknown = createRequire(import.meta.url)(`${name}/package.json`);
  const isNamed = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isNamed ? String(manifest.version) : 'unknown';
}
