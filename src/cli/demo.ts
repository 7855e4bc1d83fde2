/** `turnout demo`: the sample shops with a gateway between them, or traffic for it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { DEMO_PORTS, type DemoGateway, type DemoPorts, runDemo } from '../demo/demo.ts';
import { DemoError } from '../demo/demo-error.ts';
import { tellFailNew } from '../demo/fail-new-story.ts';
import { packageRoot } from '../demo/package-root.ts';
import { runTraffic, TRAFFIC_DURATION_MAX_S, TRAFFIC_RATE_MAX } from '../demo/traffic/run-traffic.ts';
import { createTelemetry } from '../telemetry/create-telemetry.ts';
import { startTurnout } from '../workers/start-turnout.ts';
import { readConfig } from './config-file.ts';
import { type CliContext, CliError, EXIT, type ExitCode, type Signals } from './context.ts';
import { storyGateway } from './fail-new.ts';
import { parsePort } from './options.ts';

const EXAMPLES = `
Examples:
  $ turnout demo                                  two sample shops and a gateway; Ctrl-C stops all of it
  $ turnout demo --port 9090 --admin-port 9091
  $ turnout demo --no-faults                      the new shop without its three seeded faults
  $ turnout demo --fail-new                       a story of a minute: the new shop breaks, nobody does anything
  $ turnout demo --traffic                        in another terminal: a minute of traffic by 300 users
  $ turnout demo --traffic --rate 500 --duration 600 --url http://127.0.0.1:9090

--fail-new keeps its data in a folder of its own, which it takes away at the end.

Environment: TURNOUT_PORT, TURNOUT_ADMIN_PORT, TURNOUT_LEGACY_PORT, TURNOUT_NEW_PORT move the ports (8080, 8081,
9001, 9002); TURNOUT_DATA_DIR moves the data (./data), which is kept when the demo stops.

docs/demo.md is a tour of five minutes.
Exit codes: 0 stopped, 1 could not start, 64 wrong usage.`;

const TRAFFIC_DEFAULTS = { rate: 50, duration: 60, seed: 1 } as const;

/** What is said of the traffic makes no sense without it. */
const TRAFFIC_OPTIONS = ['rate', 'duration', 'url', 'seed'] as const;

interface DemoCommandOptions {
  readonly port?: number;
  readonly adminPort?: number;
  readonly faults: boolean;
  readonly failNew?: boolean;
  readonly traffic?: boolean;
  readonly rate?: number;
  readonly duration?: number;
  readonly url?: URL;
  readonly seed?: number;
}

export function addDemo(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('demo')
    .summary('try it: a gateway between two sample systems')
    .description(
      'Runs a legacy shop, its rewrite and a gateway between them on this machine, on embedded stores. ' +
        'With --traffic it runs none of these, but sends users to a demo that runs already.',
    )
    .option('-p, --port <number>', 'the gateway listens here (8080)', parsePort)
    .option('--admin-port <number>', 'the admin listener listens here (8081)', parsePort)
    .option('--no-faults', 'the new shop without its seeded faults')
    .option('--fail-new', 'tell what happens when the new shop breaks, in about a minute')
    .option('--traffic', 'play 300 users against a running demo')
    .option(
      '--rate <number>',
      `with --traffic: requests a second, at most ${TRAFFIC_RATE_MAX} (50)`,
      wholeNumber(1, TRAFFIC_RATE_MAX),
    )
    .option(
      '--duration <seconds>',
      'with --traffic: how long it lasts (60)',
      wholeNumber(1, TRAFFIC_DURATION_MAX_S),
    )
    .option('--url <url>', 'with --traffic: the gateway (http://127.0.0.1:8080)', parseUrl)
    .option(
      '--seed <number>',
      'with --traffic: another one, other things that users do (1)',
      wholeNumber(0, 1_000_000),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (options: DemoCommandOptions) => {
      const stray = TRAFFIC_OPTIONS.find((name) => options[name] !== undefined);
      if (options.traffic !== true && stray !== undefined) {
        throw new CliError(`--${stray} says something of the traffic: add --traffic.`, EXIT.usage);
      }
      if (options.traffic === true && options.failNew === true) {
        throw new CliError('--fail-new has its own traffic: leave out --traffic.', EXIT.usage);
      }
      try {
        if (options.failNew === true) await failNew(options, context);
        else if (options.traffic === true) await traffic(options, context);
        else await demo(options, context);
      } catch (error) {
        if (error instanceof DemoError) throw new CliError(error.message, EXIT.failure, { cause: error });
        throw error;
      }
      end(EXIT.ok);
    });
}

async function traffic(options: DemoCommandOptions, context: CliContext): Promise<void> {
  const { rate, duration, seed } = { ...TRAFFIC_DEFAULTS, ...options };
  await runTraffic({
    url: options.url ?? new URL(`http://127.0.0.1:${portsOf(options, context).gateway}`),
    rate,
    durationS: duration,
    seed,
    signal: context.signals().stop,
    write: (line) => context.writer.line(line),
  });
}

async function demo(options: DemoCommandOptions, context: CliContext): Promise<void> {
  const ports = portsOf(options, context);
  const signals = context.signals();
  const hangUp = new AbortController();
  // There is nothing to reload here, and a terminal that was closed takes its demo with it.
  signals.onReload(() => hangUp.abort());
  await runDemo({
    ports,
    dataDir: resolve(variable(context, 'TURNOUT_DATA_DIR') ?? 'data'),
    faults: options.faults,
    copies: true,
    startGateway: (variables) => startGateway(variables, signals, context),
    write: (line) => context.writer.line(line),
    signal: AbortSignal.any([signals.stop, hangUp.signal]),
  });
}

/** Requests a second of the story: a busy laptop takes them. */
const STORY_RATE = 50;
/** The quiet before the new shop breaks. */
const STORY_CALM_MS = 6_000;

async function failNew(options: DemoCommandOptions, context: CliContext): Promise<void> {
  const signals = context.signals();
  const hangUp = new AbortController();
  signals.onReload(() => hangUp.abort());
  const signal = AbortSignal.any([signals.stop, hangUp.signal]);
  const write = (line: string): void => context.writer.line(line);
  const dataDir = await mkdtemp(join(tmpdir(), 'turnout-demo-'));
  write(
    'Two shops run on this machine, an old one (legacy) and its rewrite (new), with Turnout between them.',
  );
  write('This takes about a minute. Nothing of it is kept.');
  write('');
  try {
    await runDemo({
      ports: portsOf(options, context),
      dataDir,
      // The story has one thing that goes wrong.
      faults: false,
      // What new alone was told is the point of it.
      copies: false,
      startGateway: (variables) => startGateway(variables, signals, context, 'error'),
      story: async ({ gatewayUrl, adminUrl, newShop }) => {
        const gateway = storyGateway(adminUrl);
        const pace = { rate: STORY_RATE, calmMs: STORY_CALM_MS };
        await tellFailNew({ gatewayUrl, gateway, newShop, ...pace, signal, write });
        write('');
      },
      write: () => undefined,
      signal,
    });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
  write(signals.stop.aborted ? 'stopped' : 'The end. docs/demo.md and docs/guard-operation.md say more.');
}

/** As `turnout start --config config/demo.yaml` does it, but quiet: people read the banner, not a log. */
async function startGateway(
  variables: Readonly<Record<string, string>>,
  { stopNow }: Signals,
  { env, writer }: CliContext,
  level: 'warn' | 'error' = 'warn',
): Promise<DemoGateway> {
  const file = join(packageRoot(import.meta.url), 'config', 'demo.yaml');
  const config = readConfig(file, { env: { ...env, ...variables } });
  const telemetry = createTelemetry({
    level,
    accessSample: 0,
    destination: { write: (text) => writer.rawNote(text) },
  });
  const impatience = whenAborted(stopNow);
  const started = startTurnout({ config, telemetry }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`The gateway cannot start: ${reason}`, EXIT.failure, { cause });
  });
  const running = await Promise.race([started, impatience]);
  if (running === 'aborted') throw new CliError('Stopped before it had started.');
  return {
    gateway: running.address,
    admin: running.adminAddress,
    close: async () => {
      const outcome = await Promise.race([running.close(), impatience]);
      if (outcome === 'aborted') await running.kill();
      telemetry.close();
    },
  };
}

/** The command line wins over the environment. */
function portsOf({ port, adminPort }: DemoCommandOptions, context: CliContext): DemoPorts {
  return {
    gateway: port ?? portFrom(context, 'TURNOUT_PORT') ?? DEMO_PORTS.gateway,
    admin: adminPort ?? portFrom(context, 'TURNOUT_ADMIN_PORT') ?? DEMO_PORTS.admin,
    legacy: portFrom(context, 'TURNOUT_LEGACY_PORT') ?? DEMO_PORTS.legacy,
    new: portFrom(context, 'TURNOUT_NEW_PORT') ?? DEMO_PORTS.new,
  };
}

function portFrom(context: CliContext, name: string): number | undefined {
  const text = variable(context, name);
  if (text === undefined) return undefined;
  try {
    return parsePort(text);
  } catch (cause) {
    throw new CliError(`${name} is "${text}"; a port is a number from 0 to 65535.`, EXIT.usage, { cause });
  }
}

/** Empty counts as not set, as in the configuration. */
function variable({ env }: CliContext, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,9}$/u.test(text) || value < low || value > high) {
      throw new InvalidArgumentError(`It is a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:') throw new InvalidArgumentError('It looks like http://127.0.0.1:8080.');
  return url;
}

function whenAborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((done) => {
    if (signal.aborted) done('aborted');
    else signal.addEventListener('abort', () => done('aborted'), { once: true });
  });
}
