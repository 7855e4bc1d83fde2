/** `turnout stage`: moves a cohort to another stage or ramp, through the barrier. */
import { type Command, InvalidArgumentError } from 'commander';
import {
  type ChangeInProgressDocument,
  CohortAtEpochSchema,
  type CohortDocument,
  GatewaySchema,
  StageAnswerSchema,
} from '../admin/control-documents.ts';
import { parseRampForm } from '../admin/ramp-form.ts';
import { STAGES, type Stage } from '../model.ts';
import { askAdmin, askPages, ENVIRONMENT_HELP, Refused, tellAdmin } from './admin-client.ts';
import { confirm } from './confirm.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { exitOf, expectDone, followChange } from './follow-change.ts';
import { movement, type StageAndRamp } from './movement.ts';
import { wholeNumber } from './options.ts';
import { printable, rampFormInWords } from './printable.ts';

const EXAMPLES = `
Stages, in the order of a migration: ${STAGES.join(', ')}.
Without --ramp the ramp stays as it is.

Examples:
  $ turnout stage beta live --ramp 10% --reason 'no mismatch for a week'
  $ turnout stage beta live --ramp 1000 --reason 'the first thousand'
  $ turnout stage beta shadow --reason 'orders are slow on new' --yes
  $ turnout stage everyone live --reason 'the day' --yes --json | jq .epoch

A change that moves users to the other backend is confirmed first, in person or with --yes. While it waits, it says
for whom. When a gateway cannot finish its writes in time the change is undone, and nobody has moved.

Exit codes: 0 in force everywhere, 1 failed or undone, 2 somebody else was first (another change of the cohort is
open, or the epoch is not the expected one), 3 still under way after --wait, 64 wrong usage or not confirmed.
${ENVIRONMENT_HELP}`;

/** Gateways counted for the confirmation. */
const GATEWAYS_MAX = 10_000;

/** What the first call waits, so that a change that takes no longer needs no other one. */
const FIRST_WAIT_S = 1;

interface StageOptions {
  readonly ramp?: number | string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly expectedEpoch?: number;
  readonly wait: number;
  readonly json?: boolean;
}

function parseStage(text: string): Stage {
  const stage = STAGES.find((known) => known === text);
  if (stage === undefined) throw new InvalidArgumentError(`It is one of ${STAGES.join(', ')}.`);
  return stage;
}

function parseRamp(text: string): number | string {
  const ramp = parseRampForm(text);
  if (ramp === undefined) {
    throw new InvalidArgumentError('It is a share such as 10% or 0.5%, or a number of users such as 1000.');
  }
  return ramp;
}

/** Says what would move, and asks, if anything would. */
async function confirmMovement(
  cohort: CohortDocument,
  after: StageAndRamp,
  yes: boolean,
  context: CliContext,
): Promise<void> {
  const moves = movement(cohort, after, cohort.migration);
  if (moves.length === 0) return;
  const gateways = await askPages(GatewaySchema, '/api/v1/gateways', GATEWAYS_MAX, context);
  const agree = gateways.length === 1 ? '1 gateway has to agree' : `${gateways.length} gateways must agree`;
  for (const { id, where, state } of gateways) {
    if (state === 'live') continue;
    const seen = state === 'silent' ? 'was not seen alive yet, or not any more' : `is ${state}`;
    context.writer.note(`Gateway ${id} (${printable(where)}) ${seen}.`);
  }
  await confirm(`cohort ${cohort.name}: ${moves.join(', ')}; ${agree}`, yes, context);
}

/** @returns the change, wherever it has got to */
async function begin(
  name: string,
  body: Readonly<Record<string, unknown>>,
  waitS: number,
  context: CliContext,
): Promise<string> {
  const path = `/api/v1/cohorts/${encodeURIComponent(name)}/stage`;
  const headers = { prefer: `wait=${Math.min(FIRST_WAIT_S, waitS)}` };
  try {
    const { change } = await tellAdmin(StageAnswerSchema, { method: 'POST', path, headers, body }, context);
    return change.id;
  } catch (error) {
    // It is told like one that is undone later.
    if (error instanceof Refused && error.code === 'change_undone') return String(error.problem['change']);
    throw error;
  }
}

function printDone(change: ChangeInProgressDocument, { writer }: CliContext): void {
  const { cohort, to, epoch, id } = change;
  const at = `${to.stage} at ${rampFormInWords(to.ramp)}`;
  writer.line(`cohort ${cohort} is ${at} on every gateway, since epoch ${epoch ?? '?'} (change ${id})`);
}

async function run(
  name: string,
  stage: Stage,
  options: StageOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { ramp, reason, yes = false, expectedEpoch, wait, json = false } = options;
  const { writer } = context;
  const path = `/api/v1/cohorts/${encodeURIComponent(name)}`;
  const { cohort } = await askAdmin(CohortAtEpochSchema, path, context);
  const after = { stage, ramp: ramp ?? cohort.ramp };
  await confirmMovement(cohort, after, yes, context);
  const body = {
    stage,
    reason,
    ...(ramp === undefined ? {} : { ramp }),
    ...(expectedEpoch === undefined ? {} : { expectedEpoch }),
  };
  const id = await begin(name, body, wait, context);
  const progress = json ? () => undefined : (line: string) => writer.note(line);
  const change = await followChange(id, { waitMs: wait * 1_000, progress }, context);
  if (json) {
    writer.json(change);
    return exitOf(change);
  }
  expectDone(change);
  printDone(change, context);
  return EXIT.ok;
}

export function addStage(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('stage')
    .summary('move a cohort to another stage or ramp')
    .description('Changes the stage or the ramp of a cohort on every gateway at one moment.')
    .argument('<cohort>', 'its name')
    .argument('<stage>', 'the stage it is to have', parseStage)
    .option('--ramp <ramp>', 'the share (10%) or number (1000) of users that get the stage', parseRamp)
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('-y, --yes', 'do not ask before users move')
    .option(
      '--expected-epoch <epoch>',
      'refuse if the state map has moved on from this epoch',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--wait <seconds>', 'how long to wait for the end of the change', wholeNumber(0, 86_400), 60)
    .option('--json', 'print the change as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, stage: Stage, options: StageOptions) =>
      end(await run(name, stage, options, context)),
    );
}
