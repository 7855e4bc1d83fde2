/** `turnout rebuild`: makes the state map anew from the record. */
import { Type } from '@sinclair/typebox';
import type { Command } from 'commander';
import { ENVIRONMENT_HELP, tellOnce } from './admin-client.ts';
import { confirm } from './confirm.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';

const EXAMPLES = `
Example:
  $ turnout rebuild --reason 'a bucket was edited by hand'

A map that is lost or older than the record is rebuilt without being asked. This is for one that is damaged in a way that
nobody notices. Needs a token with the role admin. Exit codes: 0 done, 1 failed, 64 wrong usage or not confirmed.
${ENVIRONMENT_HELP}`;

/** 10 million users take minutes. */
const REBUILD_MS = 3_600_000;

interface RebuildOptions {
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

async function run(
  { reason, yes = false, json = false }: RebuildOptions,
  context: CliContext,
): Promise<ExitCode> {
  await confirm(
    'the state map is replaced by one that is made from the record; until it is there gateways serve what they know, and ' +
      'refuse writes of users on the move when it takes longer than cutover.selfFenceAfterMs',
    yes,
    context,
  );
  const schema = Type.Object({ mapId: Type.String(), epoch: Type.Integer() });
  const wanted = { method: 'POST', path: '/api/v1/rebuild', body: { reason }, answerMs: REBUILD_MS } as const;
  const rebuilt = await tellOnce(schema, wanted, context);
  if (json) context.writer.json(rebuilt);
  else context.writer.line(`the state map is ${rebuilt.mapId} from epoch ${rebuilt.epoch} on`);
  return EXIT.ok;
}

export function addRebuild(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('rebuild')
    .summary('make the state map anew from the record')
    .description('Replaces the state map in Redis by one that is made from the record.')
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: RebuildOptions) => end(await run(options, context)));
}
