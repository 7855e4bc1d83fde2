/**
 * Where the state map and the record live.
 */
import { isHost } from './listeners.ts';
import type { Address, RecordModel, StateModel } from './model.ts';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';
import type { Report } from './report.ts';
import type { RecordWritten, StateWritten } from './schema.ts';

type RedisWritten = Extract<StateWritten, { kind: 'redis' }>;

/** @returns the state map's form; `undefined` if it has a problem, reported */
export function readState(written: StateWritten, place: Place, { report }: Reading): StateModel | undefined {
  if (written.kind === 'embedded') return { kind: 'embedded', userCacheMax: written.userCacheMax };
  const reachable =
    written.mode === 'single' ? readSingle(written, place, report) : readNodes(written, place, report);
  if (reachable === undefined) return undefined;
  return {
    kind: 'redis',
    mode: written.mode,
    ...reachable,
    keyPrefix: written.keyPrefix,
    userBuckets: written.userBuckets,
    userCacheMax: written.userCacheMax,
    commandMs: written.commandMs,
  };
}

type Reachable = Pick<
  Extract<StateModel, { kind: 'redis' }>,
  'url' | 'nodes' | 'sentinelName' | 'username' | 'password' | 'tls'
>;

function readSingle(written: RedisWritten, place: Place, report: Report): Reachable | undefined {
  for (const key of ['nodes', 'sentinelName'] as const) {
    if (key === 'nodes' ? written.nodes.length === 0 : written.sentinelName === undefined) continue;
    report.problem([...place, key], '`mode: single` has a `url` and nothing of this; is another mode meant?');
  }
  const inner = [...place, 'url'];
  if (written.url === undefined) {
    report.problem(
      inner,
      'missing; expected a redis:// or rediss:// URL, or `mode: cluster` or `sentinel` with `nodes`',
    );
    return undefined;
  }
  const url = readStoreUrl(written.url, ['redis:', 'rediss:'], 'redis://127.0.0.1:6379', inner, report);
  if (url === undefined) return undefined;
  if (url.hostname === '' || url.search !== '' || !/^\/?\d{0,4}$/.test(url.pathname)) {
    report.problem(
      inner,
      'expected a host, a port and perhaps the number of a database, such as redis://127.0.0.1:6379/0',
    );
    return undefined;
  }
  const isTls = url.protocol === 'rediss:';
  if (written.tls && !isTls) report.problem([...place, 'tls'], 'with a `url`, TLS is asked for by rediss://');
  for (const key of ['username', 'password'] as const) {
    if (url[key] !== '' && written[key] !== undefined)
      report.problem([...place, key], 'the `url` already has one');
  }
  return {
    url: written.url,
    nodes: [],
    sentinelName: undefined,
    username: written.username ?? fromUrl(url.username),
    password: written.password ?? fromUrl(url.password),
    tls: isTls,
  };
}

function fromUrl(encoded: string): string | undefined {
  return encoded === '' ? undefined : decodeURIComponent(encoded);
}

function readNodes(written: RedisWritten, place: Place, report: Report): Reachable | undefined {
  if (written.url !== undefined) {
    report.problem([...place, 'url'], `\`mode: ${written.mode}\` has \`nodes\` instead of a \`url\``);
  }
  if (written.mode === 'sentinel' && written.sentinelName === undefined) {
    report.problem(
      [...place, 'sentinelName'],
      'missing; expected the name under which the sentinels know the master',
    );
  }
  if (written.mode === 'cluster' && written.sentinelName !== undefined) {
    report.problem([...place, 'sentinelName'], 'this belongs to `mode: sentinel`');
  }
  if (written.nodes.length === 0)
    report.problem([...place, 'nodes'], 'missing; expected a list of host:port');
  const nodes = written.nodes.map((node, index) => readNode(node, [...place, 'nodes', index], report));
  return {
    url: '',
    nodes: nodes.filter((node) => node !== undefined),
    sentinelName: written.sentinelName,
    username: written.username,
    password: written.password,
    tls: written.tls,
  };
}

function readNode(text: string, place: Place, report: Report): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (isHost(host) && port >= 1 && port <= 65_535) return { host, port };
  report.problem(place, 'expected host:port such as 10.0.0.5:6379', { expected: 'host:port' });
  return undefined;
}

/** @returns the record's form; `undefined` if it has a problem, reported */
export function readRecord(
  written: RecordWritten,
  place: Place,
  { report }: Reading,
): RecordModel | undefined {
  if (written.kind === 'embedded') return { kind: 'embedded', dir: written.dir };
  const inner = [...place, 'url'];
  const example = 'postgres://turnout@127.0.0.1:5432/turnout';
  const url = readStoreUrl(written.url, ['postgres:', 'postgresql:'], example, inner, report);
  if (url === undefined) return undefined;
  return { kind: 'postgres', url: written.url, poolMax: written.poolMax, statementMs: written.statementMs };
}

/** The messages never show the URL, which may carry a password. */
function readStoreUrl(
  text: string,
  protocols: readonly string[],
  example: string,
  place: Place,
  report: Report,
): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && protocols.includes(url.protocol) && !/\s/.test(text) && isDecodable(url))
    return url;
  const expected = `a ${protocols.map((protocol) => `${protocol}//`).join(' or ')} URL`;
  report.problem(place, `expected ${expected} such as ${example}`, { expected });
  return undefined;
}

function isDecodable(url: URL): boolean {
  try {
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    return false;
  }
}

/** What several processes cannot share. */
export function checkOneProcess(
  workers: number | 'auto',
  state: StateModel,
  record: RecordModel,
  { report }: Reading,
): void {
  if (workers === 1) return;
  if (state.kind === 'embedded') {
    report.problem(
      ['workers'],
      'embedded mode is one process: with `state.kind: embedded` this has to be 1; use `kind: redis` for more',
    );
  } else if (record.kind === 'embedded') {
    report.problem(
      ['workers'],
      'the embedded record belongs to one process: with `record.kind: embedded` this has to be 1; use `kind: postgres` for more',
    );
  }
}
