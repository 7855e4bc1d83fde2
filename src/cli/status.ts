/** `turnout status`: what a running gateway is doing. */
import { Value } from '@sinclair/typebox/value';
import type { Command } from 'commander';
import { type StatusDocument, StatusSchema } from '../admin/admin-source.ts';
import { askAdmin, ENVIRONMENT_HELP } from './admin-client.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import type { Writer } from './writer.ts';

const EXAMPLES = `
Examples:
  $ turnout status
  $ turnout status --json | jq '.cohorts[] | select(.stage == "live") | .name'
  $ TURNOUT_ADMIN_URL=http://10.0.0.5:8081 TURNOUT_TOKEN=… turnout status

${ENVIRONMENT_HELP}`;

/** `3d 4h`, `4h 12m`, `12m 5s`, `5s`. */
export function durationInWords(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return '0s';
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ');
}

function stateInWords({ state }: StatusDocument['stores']): string {
  if (state === null) return 'unknown: no worker answers';
  const problem = state.problem === null ? '' : `: ${state.problem}`;
  const since = state.attachment === 'attached' ? '' : ` for ${durationInWords(state.detachedMs)}${problem}`;
  return `${state.kind}, ${state.attachment}${since}`;
}

function print(writer: Writer, status: StatusDocument): void {
  const { version, uptimeMs, listen, config, stores, gateways, cohorts, truthDigest } = status;
  writer.line(
    `turnout ${version}, up ${durationInWords(uptimeMs)}, listening on ${listen.host}:${listen.port}`,
  );
  writer.line(`configuration ${config.file} (truth digest ${truthDigest.slice(0, 12)})`);
  writer.line(`state map ${stateInWords(stores)}; record ${stores.record.kind}`);
  writer.line();
  writer.table([
    ['worker', 'pid', 'state', 'up', 'epoch', 'attachment', 'in flight'],
    ...gateways.map((gateway) => [
      gateway.worker,
      String(gateway.pid),
      gateway.state,
      durationInWords(gateway.uptimeMs),
      gateway.epoch === null ? '?' : String(gateway.epoch),
      gateway.attachment ?? '?',
      String(gateway.inFlight),
    ]),
  ]);
  writer.line();
  writer.table([
    ['cohort', 'stage', 'ramp', 'migration', ''],
    ...cohorts.map((cohort) => [
      cohort.name,
      cohort.stage,
      cohort.ramp,
      cohort.migration,
      [cohort.default ? 'default' : '', cohort.held ? 'held' : ''].filter((word) => word !== '').join(', '),
    ]),
  ]);
}

export function addStatus(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('status')
    .summary('what a running gateway is doing')
    .description('Prints the workers, epochs, stores and cohorts of a running gateway.')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json = false }: { json?: boolean }) => {
      const document = await askAdmin('/api/v1/status', context);
      if (!Value.Check(StatusSchema, document)) {
        throw new CliError('The gateway answered in a form that this version of the command does not know.');
      }
      if (json) context.writer.json(document);
      else print(context.writer, document);
      end(EXIT.ok);
    });
}
