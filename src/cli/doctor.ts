/** `turnout doctor`: looks at everything that moving users depends on, and says for each what to do. */
import type { Command } from 'commander';
import { loadConfig } from '../config/load-config.ts';
import type { ConfigModel } from '../config/model.ts';
import { ConfigError } from '../config/problem.ts';
import { truthDigest } from '../config/truth-digest.ts';
import { ENVIRONMENT_HELP } from './admin-client.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { checkBackends } from './doctor-backends.ts';
import { checkGateway } from './doctor-gateway.ts';
import { checkRecord, checkState } from './doctor-stores.ts';
import { type Finding, fail, ok, printFindings, skip, warn } from './finding.ts';

const EXAMPLES = `
Examples:
  $ turnout doctor --config turnout.yaml     the configuration, its stores and backends, and the gateway if it runs
  $ turnout doctor                           a running gateway
  $ turnout doctor --json | jq '.findings[] | select(.verdict == "fail")'

It changes nothing. Clocks are not looked at: each gateway measures its own elapsed time, and none are compared.

Exit codes: 0 nothing is wrong (there may be something to look at), 1 something is, 64 wrong usage.
${ENVIRONMENT_HELP}`;

function counted({ length }: readonly unknown[], one: string): string {
  return `${length} ${length === 1 ? one : `${one}s`}`;
}

function configurationOf(file: string, context: CliContext): { findings: Finding[]; config?: ConfigModel } {
  try {
    const config = loadConfig(file, context.env);
    const { routes, cohorts, warnings } = config;
    const found = `${file}: ${counted(routes, 'route')}, ${counted(cohorts, 'cohort')}`;
    const more = warnings.map(({ path, line, message }) =>
      warn('configuration', `line ${line}, ${path}: ${message}`, 'It starts all the same.'),
    );
    return { config, findings: [ok('configuration', found), ...more] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const found = `${error.problems.length} problems`;
    return { findings: [fail('configuration', found, `turnout check ${file} lists them all.`)] };
  }
}

function tokensOf({ admin: { tokens } }: ConfigModel): Finding {
  if (tokens.length === 0) {
    return ok('tokens', 'none: whoever is on this machine may read and operate, nobody may rebuild the map');
  }
  const roles = new Set(tokens.map(({ role }) => role));
  const found = `${tokens.length}, with the roles ${[...roles].toSorted().join(', ')}`;
  if (roles.has('operator') || roles.has('admin')) return ok('tokens', found);
  return warn('tokens', found, 'Nobody can move users: add one with the role operator.');
}

/** Without a URL in the environment, the gateway of this configuration is looked for where it listens. */
function besideConfig(context: CliContext, { admin: { listen } }: ConfigModel): CliContext | undefined {
  if ((context.env['TURNOUT_ADMIN_URL'] ?? '') !== '') return context;
  if (listen.port === 0) return undefined;
  const any = listen.host === '0.0.0.0' || listen.host === '::';
  const host = any ? '127.0.0.1' : listen.host;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
  return { ...context, env: { ...context.env, TURNOUT_ADMIN_URL: url } };
}

async function byConfig(file: string, context: CliContext): Promise<Finding[]> {
  const { config, findings } = configurationOf(file, context);
  if (config === undefined) return findings;
  const now = new Date();
  const beside = besideConfig(context, config);
  const digest = truthDigest(config);
  const parts = await Promise.all([
    checkRecord(config),
    checkState(config),
    checkBackends(config),
    beside === undefined
      ? [skip('admin API', 'its port is chosen at the start: set TURNOUT_ADMIN_URL')]
      : checkGateway({ required: false, digest, now }, beside),
  ]);
  return [...findings, tokensOf(config), ...parts.flat()];
}

async function run(
  { config, json = false }: { config?: string; json?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const findings =
    config === undefined
      ? await checkGateway({ required: true, digest: undefined, now: new Date() }, context)
      : await byConfig(config, context);
  const healthy = findings.every(({ verdict }) => verdict !== 'fail');
  if (json) context.writer.json({ ok: healthy, findings });
  else printFindings(findings, context.writer);
  return healthy ? EXIT.ok : EXIT.failure;
}

export function addDoctor(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('doctor')
    .summary('what is wrong, and what to do about it')
    .description('Looks at configuration, stores, backends and gateways, and says for each what to do.')
    .option('-c, --config <file>', 'look also at this configuration, its stores and its backends')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { config?: string; json?: boolean }) => end(await run(options, context)));
}
