import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';

const BACKENDS = `
backends:
  legacy: { url: "http://127.0.0.1:9001" }
  new: { url: "https://shop.example:9443/base/" }
`;

void t.test('two backends are enough: everything else has its default', (t) => {
  const config = parseConfig(BACKENDS);
  t.match(config, {
    file: 'configuration',
    listen: { host: '127.0.0.1', port: 8080 },
    workers: 1,
    admin: { listen: { host: '127.0.0.1', port: 8081 }, tokens: [] },
    backends: {
      legacy: { origin: 'http://127.0.0.1:9001', basePath: '', connectMs: 1000 },
      new: { origin: 'https://shop.example:9443', basePath: '/base', tls: { verify: true } },
    },
    state: { kind: 'embedded', userCacheMax: 200_000 },
    record: { kind: 'embedded', dir: './data' },
    anonymous: 'legacy',
    log: { level: 'info', accessSample: 0 },
    warnings: [],
  });
  t.end();
});

void t.test('the model is frozen at every depth', (t) => {
  const config = parseConfig(
    `${BACKENDS}routes: [{ match: "/api/*", shadow: { compare: { ignore: ["$.at"] } } }]\n`,
  );
  const assertFrozen = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    t.ok(Object.isFrozen(value), `${path} is frozen`);
    for (const [key, inner] of Object.entries(value)) assertFrozen(inner, `${path}.${key}`);
  };
  assertFrozen(config, 'config');
  t.end();
});
