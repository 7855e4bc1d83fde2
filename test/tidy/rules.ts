/** The rules that keep the house tidy. Each takes the sources and answers one line for each violation. */
import { blank } from './scan-source.ts';
import { arrowsOf, packageOf, roomOf, type SourceTree } from './source-tree.ts';

/**
 * Which rooms a room may import. A new arrow is written down here, by somebody who has thought about it: what
 * lies above may know what lies below, and nothing else.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'model.ts': [],
  'errors.ts': [],
  'node-http.ts': [],
  routing: [],
  decision: [],
  comparison: [],
  // Its judging part is pure; the rest says here what it needs of others.
  guard: ['cutover', 'decision', 'telemetry'],
  reports: ['comparison', 'shadow'],
  // The configuration has its rules of comparison and its conditions checked by those who apply them.
  config: ['comparison', 'guard', 'routing'],
  // Off the data path: chosen on it, sent and compared when the user has the answer.
  shadow: ['comparison', 'config', 'forwarding', 'intake', 'telemetry', 'upstream'],
  // The cutover and the reports declare what they need of the stores (change.ts, stores.ts, report-store.ts); storage
  // and state keep it.
  storage: ['comparison', 'config', 'cutover', 'guard', 'reports', 'shadow'],
  state: ['config', 'cutover', 'guard', 'storage'],
  telemetry: ['guard', 'state'],
  upstream: ['config'],
  intake: ['config', 'routing', 'upstream'],
  cutover: ['config', 'decision', 'intake', 'state'],
  forwarding: ['intake', 'upstream'],
  pipeline: ['cutover', 'decision', 'guard', 'intake', 'routing', 'state', 'telemetry'],
  'gateway.ts': [
    'config',
    'cutover',
    'forwarding',
    'guard',
    'intake',
    'pipeline',
    'routing',
    'shadow',
    'state',
    'telemetry',
    'upstream',
  ],
  admin: ['comparison', 'config', 'cutover', 'guard', 'reports', 'telemetry'],
  // What the API says, in the sentences that the command line and the console share.
  wording: ['admin', 'decision'],
  workers: [
    'admin',
    'config',
    'cutover',
    'gateway.ts',
    'guard',
    'pipeline',
    'reports',
    'shadow',
    'state',
    'storage',
    'telemetry',
    'upstream',
  ],
  // It runs in a browser: of the API it takes the types, of the comparison how it walks two documents.
  console: ['admin', 'comparison', 'wording'],
  demo: ['config'],
  cli: [
    'admin',
    'comparison',
    'config',
    'cutover',
    'decision',
    'demo',
    'guard',
    'intake',
    'pipeline',
    'reports',
    'routing',
    'state',
    'storage',
    'telemetry',
    'wording',
    'workers',
  ],
  'main.ts': ['cli', 'workers'],
};

/** Every room may speak these. */
const EVERYWHERE = new Set(['model.ts', 'errors.ts', 'node-http.ts']);

export function importDirections(tree: SourceTree): string[] {
  const rooms = new Set(Object.keys(ROOMS));
  return arrowsOf(tree).flatMap(({ from, to, specifier }) => {
    if (to === undefined) return [];
    const [here, there] = [roomOf(from), roomOf(to)];
    if (!to.startsWith('src/')) return [`${from} imports ${specifier}, which is outside of src`];
    if (here === there || EVERYWHERE.has(there)) return [];
    if (!rooms.has(here)) return [`${from}: the room ${here} is not in the table of rooms`];
    return ROOMS[here]?.includes(there) === true
      ? []
      : [`${from} imports ${to}: ${here} may not know ${there}`];
  });
}

/**
 * Parts of Node that files of pure rooms may use, because they compute and do nothing else: the same arguments give
 * the same result, without I/O, clock or chance.
 */
const COMPUTING: Readonly<Record<string, readonly string[]>> = {
  'src/comparison/decode-body.ts': ['node:zlib'],
  'src/comparison/compare-bytes.ts': ['node:crypto'],
  'src/comparison/redact-value.ts': ['node:crypto'],
};

export function pureRooms(tree: SourceTree): string[] {
  return arrowsOf(tree)
    .filter(({ from }) => ['routing', 'decision', 'comparison'].includes(roomOf(from)))
    .filter(({ to }) => to === undefined)
    .filter(({ from, specifier }) => COMPUTING[from]?.includes(specifier) !== true)
    .map(({ from, specifier }) => `${from} imports ${specifier}: this room is pure`);
}

/** Packages that one room wraps, so that they can be replaced there. */
const WRAPPED: Readonly<Record<string, { room: string }>> = {
  pg: { room: 'storage' },
  '@electric-sql/pglite': { room: 'storage' },
  ioredis: { room: 'state' },
  opossum: { room: 'upstream' },
  'prom-client': { room: 'telemetry' },
  yaml: { room: 'config' },
  ajv: { room: 'config' },
  fastify: { room: 'admin' },
  commander: { room: 'cli' },
  'fast-jwt': { room: 'intake' },
  preact: { room: 'console' },
  uplot: { room: 'console' },
  esbuild: { room: 'console' },
};

export function wrappedPackages(tree: SourceTree): string[] {
  return arrowsOf(tree).flatMap(({ from, specifier, typeOnly }) => {
    const name = packageOf(specifier);
    const here = roomOf(from);
    // The logger is handed around; only telemetry makes one.
    if (name === 'pino') {
      return typeOnly || here === 'telemetry' ? [] : [`${from} imports pino: only telemetry makes loggers`];
    }
    if (name === 'node:http' && !typeOnly && from !== 'src/node-http.ts')
      return [`${from} imports node:http, and all that Node keeps behind its names: node-http.ts has it`];
    const wrapped = WRAPPED[name];
    if (wrapped === undefined || wrapped.room === here) return [];
    return [`${from} imports ${name}: only ${wrapped.room} does`];
  });
}

/** Lines of a file of `src`. Split it by what it does, not by its length. */
export const LINES_MAX = 350;

/** @param exceptions files that are longer, with their length: it may only shrink */
export function fileLengths(tree: SourceTree, exceptions: ReadonlyMap<string, number>): string[] {
  const lengths = new Map([...tree].map(([path, text]) => [path, text.trimEnd().split('\n').length]));
  const tooLong = [...lengths].flatMap(([path, lines]) => {
    const most = exceptions.get(path) ?? LINES_MAX;
    return lines > most ? [`${path} has ${lines} lines, at most ${most} are allowed`] : [];
  });
  const loose = [...exceptions].flatMap(([path, most]) => {
    const lines = lengths.get(path) ?? 0;
    return lines < most ? [`${path} has ${lines} lines: lower its exception from ${most}, or remove it`] : [];
  });
  return [...tooLong, ...loose];
}

export function names(tree: SourceTree): string[] {
  return [...tree.keys()].flatMap((path) => {
    const parts = path.replace(/(\.test|\.e2e\.test|\.d)?\.tsx?$/, '').split('/');
    const vague = parts.find((part) => /^(utils?|helpers?|commons?|misc)$/.test(part));
    if (vague !== undefined) return [`${path}: "${vague}" says nothing about what is inside`];
    return parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))
      ? []
      : [`${path} is not in kebab-case`];
  });
}

interface Ban {
  readonly pattern: RegExp;
  readonly why: string;
  /** Looked for in the text as written instead of in the code. */
  readonly inComments?: boolean;
  readonly allowed?: (path: string) => boolean;
}

const BANS: readonly Ban[] = [
  { pattern: /\bconsole\s*[.[]/, why: 'the logger and the CLI writer are the only ways to say something' },
  {
    pattern: /[:<,|&]\s*any\b(?!\s*[(.:])|\bas\s+any\b/,
    why: '`any` switches the compiler off; use `unknown`',
  },
  { pattern: /[\w)\]]!(?:[.;,)\]]|\s*$)/m, why: 'a non-null assertion hides a case; handle it' },
  {
    pattern: /@ts-(?:ignore|nocheck|expect-error)/,
    why: 'the compiler is right, or the types want mending',
    inComments: true,
  },
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/, why: 'do it, or open an issue', inComments: true },
  {
    pattern: /\bprocess\s*\.\s*(?:env|argv)\b|[{,]\s*(?:env|argv)\b[^}]*\}\s*=\s*process\b/,
    why: 'only main.ts reads the environment and the command line',
    allowed: (path) => path === 'src/main.ts',
  },
  {
    pattern: /\.#?\w+\s*(?:\?\?)?=\s*(?:async\s*)?(?:\([^()]*\)[^=;(){}]*|\w+\s*)=>/,
    why: 'V8 makes this function in the old generation, for each request; give it a name, and assign that',
    allowed: (path) => !/^src\/(?:forwarding|intake|pipeline)\//.test(path),
  },
  { pattern: /\bexport\s+default\b/, why: 'a name that everybody chooses anew cannot be searched for' },
];

export function bans(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, source]) => {
    const code = blank(source);
    return BANS.flatMap(({ pattern, why, inComments, allowed }) => {
      if (allowed?.(path) === true) return [];
      const text = inComments === true ? source : code;
      const found = pattern.exec(text);
      if (found === null) return [];
      const line = text.slice(0, found.index).split('\n').length;
      return [`${path}:${line} ${found[0].trim()}: ${why}`];
    });
  });
}

/** @param entries files that processes are started with, or that nothing else may import */
export function unreferenced(tree: SourceTree, entries: readonly string[]): string[] {
  const imported = new Set(arrowsOf(tree).map(({ to }) => to));
  return [...tree.keys()]
    .filter((path) => !imported.has(path) && !entries.includes(path))
    .map((path) => `${path} is imported by nothing`);
}
