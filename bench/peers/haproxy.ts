/** HAProxy: one thread, connections to the backend always reused, no logs. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/fixtures/server-process.ts';
import type { Peer } from './peer.ts';

export const haproxy: Peer = {
  name: 'haproxy',
  title: 'HAProxy, plain',
  missing: () => (spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'apt-get install haproxy'),
  version: () => {
    const { stdout } = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
    return /^(HAProxy version \S+)/.exec(stdout)?.[1] ?? 'HAProxy';
  },
  start: async ({ processes, backends, directory }) => {
    const port = await freePort();
    const file = join(directory, 'haproxy.cfg');
    writeFileSync(file, configuration(port, backends.legacy));
    const started = processes.start('haproxy', ['-db', '-f', file], { core: 'proxy' });
    await processes.untilListening(port, started);
    return { started, port };
  },
};

function configuration(port: number, backendPort: number): string {
  return `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server legacy 127.0.0.1:${backendPort}
`;
}
