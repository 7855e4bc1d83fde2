/** `turnout stage`: moves a cohort to another stage or ramp, through the barrier. */
import type { Command } from 'commander';
import {
  type ChangeInProgressDocument,
  CohortAtEpochSchema,
  type CohortDocument,
} from '../admin/control-documents.ts';
import { STAGES, type Stage } from '../model.ts';
import { usersInWords } from '../wording/change-in-words.ts';
import { movement, movementInWords, type StageAndRamp } from '../wording/movement.ts';
import { printable, rampFormInWords } from '../wording/printable.ts';
import { askAdmin, ENVIRONMENT_HELP } from './admin-client.ts';
import {
  addChangeOptions,
  addDirtyOption,
  agreement,
  authorBody,
  type ChangeOptions,
  carryOut,
  type DirtyOption,
} from './carry-out.ts';
import { confirm } from './confirm.ts';
import type { CliContext, ExitCode } from './context.ts';
import { countMembers } from './count-members.ts';
import { oneOf, parseRamp } from './options.ts';

const EXAMPLES = `
Stages, in the order of a migration: ${STAGES.join(', ')}.
Without --ramp the ramp stays as it is.

Examples:
  $ turnout stage beta live --ramp 10% --reason 'no mismatch for a week'
  $ turnout stage beta live --ramp 1000 --reason 'the first thousand'
  $ turnout stage beta off --reason 'another month' --dirty-users keep
  $ turnout stage everyone live --reason 'the day' --yes --json | jq .epoch

Going back strands the writes that are in new only: --dirty-users says what becomes of those users, and
"turnout rollback" shows them first. A change that moves users to the other backend is confirmed first, in person or with --yes. While it waits, it says
for whom. When a gateway cannot finish its writes in time the change is undone, and nobody has moved.

Exit codes: 0 in force everywhere, 1 failed or undone, 2 somebody else was first (another change of the cohort is
open, or the epoch is not the expected one), 3 still under way after --wait, 64 wrong usage or not confirmed.
${ENVIRONMENT_HELP}`;

interface StageOptions extends ChangeOptions, DirtyOption {
  readonly ramp?: number | string;
}

/** Says what would move, and asks, if anything would. */
async function confirmMovement(
  cohort: CohortDocument,
  after: StageAndRamp,
  yes: boolean,
  context: CliContext,
): Promise<void> {
  const moves = movement(cohort, after);
  if (moves.length === 0 || yes) return;
  const known = await countMembers(cohort, context);
  const sentence = movementInWords({ ...cohort, known }, moves);
  await confirm(`${sentence}; ${await agreement(context)}`, yes, context);
}

function printDone(change: ChangeInProgressDocument, { writer }: CliContext): void {
  const { cohort, to, epoch, id, dirty, dirtyUsers } = change;
  const at = to === null ? 'changed' : `${to.stage} at ${rampFormInWords(to.ramp)}`;
  writer.line(
    `cohort ${printable(cohort ?? '')} is ${at} on every gateway, since epoch ${epoch ?? '?'} (change ${id})`,
  );
  if (dirty === 0) return;
  const what =
    dirtyUsers === 'force' ? 'went back without writes of theirs, which are in new only' : 'stayed in new';
  writer.line(`${usersInWords(dirty)} ${what}: "turnout changes ${id} --dirty" lists them`);
}

async function run(
  name: string,
  stage: Stage,
  options: StageOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { ramp, yes = false } = options;
  const path = `/api/v1/cohorts/${encodeURIComponent(name)}`;
  const { cohort } = await askAdmin(CohortAtEpochSchema, path, context);
  await confirmMovement(cohort, { stage, ramp: ramp ?? cohort.ramp }, yes, context);
  const body = { stage, ...authorBody(options), ...(ramp === undefined ? {} : { ramp }) };
  const wanted = { method: 'POST', path: `${path}/stage`, body } as const;
  return carryOut(wanted, options, (change) => printDone(change, context), context);
}

export function addStage(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const stage = program
    .command('stage')
    .summary('move a cohort to another stage or ramp')
    .description('Changes the stage or the ramp of a cohort on every gateway at one moment.')
    .argument('<cohort>', 'its name')
    .argument('<stage>', 'the stage it is to have', oneOf(STAGES))
    .option('--ramp <ramp>', 'the share (10%) or number (1000) of users that get the stage', parseRamp);
  addChangeOptions(addDirtyOption(stage))
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, to: Stage, options: StageOptions) =>
      end(await run(name, to, options, context)),
    );
}
