/** nginx: one worker, keep-alive to the backends, bodies streamed, no access log; plain and with Lua and Redis. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/fixtures/server-process.ts';
import { USER_HEADER } from '../scenarios.ts';
import {
  BACKEND_CONNECTIONS,
  type Peer,
  REDIS_KEY_PREFIX,
  type RunningPeer,
  type Surroundings,
} from './peer.ts';
import { REDIS_HINT } from './redis-hint.ts';

const NGINX_HINT = 'apt-get install nginx';
const LUA_HINT =
  'apt-get install nginx libnginx-mod-http-lua lua-nginx-redis (or put lua-resty-redis into a folder and name it in BENCH_LUA_PATH)';
const MODULES = ['ndk_http_module.so', 'ngx_http_lua_module.so'].map(
  (name) => `/usr/lib/nginx/modules/${name}`,
);

/** Debian's lua-nginx-redis names the module after nginx, upstream after resty. */
const REDIS_MODULES = ['nginx/redis.lua', 'resty/redis.lua'];

export const nginx: Peer = {
  name: 'nginx',
  title: 'nginx, plain proxy_pass',
  missing: () => (installed() ? undefined : NGINX_HINT),
  version,
  start: (surroundings) =>
    start(surroundings, 'nginx', { modules: '', http: '', choose: '', target: 'legacy' }),
};

export const nginxLuaRedis: Peer = {
  name: 'nginx-lua-redis',
  title: 'nginx + Lua, one Redis GET a request (lua-resty-redis, pooled connections)',
  missing: ({ redisPort }) => {
    if (!installed() || !MODULES.every((file) => existsSync(file)) || findRedisModule() === undefined)
      return LUA_HINT;
    return redisPort === undefined ? REDIS_HINT : undefined;
  },
  version,
  start: (surroundings) => {
    const found = findRedisModule();
    if (found === undefined) throw new Error(LUA_HINT);
    return start(surroundings, 'nginx-lua-redis', {
      modules: MODULES.map((file) => `load_module ${file};`).join('\n'),
      http: `lua_package_path "${found.folder}/?.lua;;";`,
      choose: lookup(found.module, surroundings.redisPort),
      target: '$backend',
    });
  },
};

/** A Redis that does not answer is a 503, never a default backend. */
function lookup(module: string, redisPort: number | undefined): string {
  return `
      set $backend "";
      access_by_lua_block {
        local redis = require("${module}"):new()
        redis:set_timeout(1000)
        local connected = redis:connect("127.0.0.1", ${redisPort})
        if not connected then return ngx.exit(503) end
        local backend, problem = redis:get("${REDIS_KEY_PREFIX}" .. (ngx.var.http_${USER_HEADER.replaceAll('-', '_')} or ""))
        if problem then return ngx.exit(503) end
        redis:set_keepalive(60000, 128)
        ngx.var.backend = backend == ngx.null and "legacy" or backend
      }`;
}

interface Parts {
  readonly modules: string;
  readonly http: string;
  readonly choose: string;
  readonly target: string;
}

async function start(surroundings: Surroundings, name: string, parts: Parts): Promise<RunningPeer> {
  const { processes, directory } = surroundings;
  const port = await freePort();
  const folder = join(directory, name);
  mkdirSync(folder);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(surroundings, folder, port, parts));
  const args = ['-p', folder, '-c', file, '-e', join(folder, 'error.log')];
  const started = processes.start('nginx', args, { core: 'proxy' });
  await processes.untilListening(port, started);
  return { started, port };
}

function configuration({ backends }: Surroundings, folder: string, port: number, parts: Parts): string {
  const upstreams = Object.entries(backends).map(
    ([name, backendPort]) => `
  upstream ${name} {
    server 127.0.0.1:${backendPort};
    keepalive ${BACKEND_CONNECTIONS};
    keepalive_requests 1000000000;
  }`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  return `
${parts.modules}
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${join(folder, 'nginx.pid')};
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_request_buffering off;
  proxy_buffers 16 8k;
  proxy_max_temp_file_size 0;
  ${parts.http}
  ${upstreams.join('')}
  server {
    listen 127.0.0.1:${port};
    location / {
      ${parts.choose}
      proxy_pass http://${parts.target};
    }
  }
}
`;
}

function installed(): boolean {
  return spawnSync('nginx', ['-v']).error === undefined;
}

function version(): string {
  return spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.trim().replace('nginx version: ', '');
}

function findRedisModule(): { folder: string; module: string } | undefined {
  const folders = [process.env['BENCH_LUA_PATH'] ?? '', '/usr/share/lua/5.1', '/usr/local/share/lua/5.1'];
  for (const folder of folders.filter((path) => path !== '')) {
    const file = REDIS_MODULES.find((path) => existsSync(join(folder, path)));
    if (file !== undefined) return { folder, module: file.replace('.lua', '').replace('/', '.') };
  }
  return undefined;
}
