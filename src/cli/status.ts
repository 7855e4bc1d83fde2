/** `turnout status`: what a running gateway is doing. */
import type { Command } from 'commander';
import { type FullStatusDocument, FullStatusSchema } from '../admin/status-document.ts';
import { durationInWords } from '../wording/duration-in-words.ts';
import { askAdmin, ENVIRONMENT_HELP } from './admin-client.ts';
import { changesTable } from './changes.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { gatewaysTable } from './gateways.ts';
import { watchStatus } from './watch/watch.ts';
import type { Writer } from './writer.ts';

const EXAMPLES = `
Examples:
  $ turnout status
  $ turnout status --watch
  $ turnout status --json | jq '.cohorts[] | select(.stage == "live") | .name'
  $ TURNOUT_ADMIN_URL=http://10.0.0.5:8081 TURNOUT_TOKEN=… turnout status

--watch draws charts of the last minute on a terminal, and follows when the window changes its size. Elsewhere it prints a
line for each cohort and second. When the connection is lost it says so, and tries again until it is there.

Exit codes: 0 done, or ended by a person, 1 no answer, 64 wrong usage.
${ENVIRONMENT_HELP}`;

function stateInWords({ state }: FullStatusDocument['stores']): string {
  if (state === null) return 'unknown: no worker answers';
  const problem = state.problem === null ? '' : `: ${state.problem}`;
  const since = state.attachment === 'attached' ? '' : ` for ${durationInWords(state.detachedMs)}${problem}`;
  return `${state.kind}, ${state.attachment}${since}`;
}

function print(writer: Writer, status: FullStatusDocument): void {
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
  printControl(writer, status);
}

/** What is being changed, and who has to agree to it. */
function printControl(writer: Writer, { changes, registry }: FullStatusDocument): void {
  writer.line();
  if (changes === null || registry === null) {
    writer.line('The record or the state map does not answer: nothing can be changed.');
    return;
  }
  if (changes.length > 0) writer.table(changesTable(changes));
  else writer.line('No change is in progress.');
  writer.line();
  writer.table(gatewaysTable(registry));
  const digests = new Set(registry.flatMap(({ digest }) => digest ?? []));
  if (digests.size > 1) {
    writer.line();
    writer.line('Gateways have different configurations: no users can be moved until they agree.');
  }
}

export function addStatus(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('status')
    .summary('what a running gateway is doing')
    .description(
      'Prints the workers, epochs, stores and cohorts of a running gateway. With --watch it goes on, once a second, until ' +
        'q or Ctrl-C.',
    )
    .option('-w, --watch', 'show it live: rates, errors and latencies of both backends, holds, trips')
    .option('--json', 'print JSON; with --watch one document a line')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json = false, watch = false }: { json?: boolean; watch?: boolean }) => {
      if (watch) return end(await watchStatus(json, context));
      const document = await askAdmin(FullStatusSchema, '/api/v1/status', context);
      if (json) context.writer.json(document);
      else print(context.writer, document);
      end(EXIT.ok);
    });
}
