/** `turnout check`: is the configuration right, and what would the gateway do with it? */
import type { Command } from 'commander';
import { loadConfig } from '../config/load-config.ts';
import type { Address, ConfigModel, RouteModel } from '../config/model.ts';
import { ConfigError, formatLines, formatProblems } from '../config/problem.ts';
import { truthDigest } from '../config/truth-digest.ts';
import { rampInWords } from '../workers/gateway-report.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import type { Writer } from './writer.ts';

const EXAMPLES = `
Examples:
  $ turnout check turnout.yaml
  $ turnout check turnout.yaml --json | jq '.problems[].message'

All problems are reported at once, with line and column. Exit codes: 0 right, 78 wrong.`;

/** More routes or cohorts than this are counted, not listed. */
const LISTED_MAX = 20;

function url({ host, port }: Address, scheme = 'http'): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function routeInWords({
  match,
  methods,
  class: requestClass,
  backend,
  requireUser,
  mirror,
}: RouteModel): string {
  const parts = [
    methods.length === 0 ? '' : methods.join(','),
    match,
    backend === undefined ? 'by user' : `always ${backend}`,
    requestClass === undefined ? '' : `as ${requestClass}`,
    requireUser ? 'user required' : '',
    mirror ? 'writes mirrored' : '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function list(writer: Writer, title: string, lines: readonly string[]): void {
  writer.line(writer.style('bold', `${title} (${lines.length})`));
  for (const line of lines.slice(0, LISTED_MAX)) writer.line(`  ${line}`);
  if (lines.length > LISTED_MAX) writer.line(`  and ${lines.length - LISTED_MAX} more`);
}

function identityInWords({ identity }: ConfigModel): string {
  const sources = identity.map((source) =>
    source.from === 'jwt' ? `JWT claim ${source.claim}` : `${source.from} ${source.name}`,
  );
  return sources.length === 0 ? 'none: every request is anonymous' : sources.join(', then ');
}

function printSummary(writer: Writer, config: ConfigModel): void {
  const { listen, admin, backends, state, record, cohorts, routes } = config;
  writer.line(`${writer.style('green', 'right')}  ${config.file}`);
  writer.line();
  writer.table([
    ['part', 'what the gateway would do'],
    ['listen', `${url(listen, listen.tls === undefined ? 'http' : 'https')}, workers: ${config.workers}`],
    [
      'admin',
      `${url(admin.listen)}, tokens: ${admin.tokens.length === 0 ? 'none, this machine only' : admin.tokens.length}`,
    ],
    ['legacy', backends.legacy.origin + backends.legacy.basePath],
    ['new', backends.new.origin + backends.new.basePath],
    ['state', state.kind],
    ['record', record.kind === 'embedded' ? `embedded in ${record.dir}` : record.kind],
    ['users', `${identityInWords(config)}; without one: ${config.anonymous}`],
  ]);
  writer.line();
  list(
    writer,
    'Cohorts, in the order in which they are tried',
    cohorts.map((cohort) => {
      const ramp =
        cohort.ramp.kind === 'percent' && cohort.ramp.buckets === 10_000
          ? ''
          : `  ramp ${rampInWords(cohort.ramp)}`;
      return `${cohort.name}  ${cohort.stage}${ramp}${cohort.isDefault ? '  (default)' : ''}`;
    }),
  );
  list(writer, 'Routes', routes.map(routeInWords));
}

/** The whole configuration is not for a screen or a log: it holds secrets. */
function summary(config: ConfigModel): Record<string, unknown> {
  const { file, listen, workers, admin, backends, state, record, identity, anonymous, cohorts, routes } =
    config;
  return {
    ok: true,
    file,
    listen: { host: listen.host, port: listen.port, tls: listen.tls !== undefined },
    workers,
    admin: { ...admin.listen, tokens: admin.tokens.map(({ name, role }) => ({ name, role })) },
    backends: { legacy: backends.legacy.origin, new: backends.new.origin },
    state: state.kind,
    record: record.kind,
    identity: identity.map((source) => ({
      from: source.from,
      name: source.from === 'jwt' ? source.claim : source.name,
    })),
    anonymous,
    cohorts: cohorts.map(({ name, stage, ramp, isDefault }) => ({
      name,
      stage,
      ramp: rampInWords(ramp),
      default: isDefault,
    })),
    routes: routes.map(({ name, match, methods, backend, class: requestClass }) => ({
      name,
      match,
      methods,
      backend: backend ?? null,
      class: requestClass ?? null,
    })),
    truthDigest: truthDigest(config),
    warnings: config.warnings,
  };
}

function check(file: string, json: boolean, { env, writer }: CliContext): ExitCode {
  try {
    const config = loadConfig(file, env);
    if (json) writer.json(summary(config));
    else printSummary(writer, config);
    if (!json && config.warnings.length > 0)
      writer.note(`\nWarnings:\n${formatLines(file, config.warnings)}`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (json) writer.json({ ok: false, file, problems: error.problems });
    else writer.note(`${formatProblems(error)}\n\n${error.message}`);
    return EXIT.config;
  }
}

export function addCheck(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('check')
    .summary('validate a configuration')
    .description('Validates a configuration and says what the gateway would do with it.')
    .argument('<file>', 'the configuration')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action((file: string, { json = false }: { json?: boolean }) => end(check(file, json, context)));
}
