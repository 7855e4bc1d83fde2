/** `turnout ramp`: lets a cohort's ramp grow by a plan, one step at a time, on evidence. */
import type { Command } from 'commander';
import { CohortAtEpochSchema } from '../admin/control-documents.ts';
import { GuardSchema } from '../admin/guard-documents.ts';
import {
  type PlanDocument,
  type RampRunDocument,
  RampRunSchema,
  RunAnswerSchema,
} from '../admin/ramp-documents.ts';
import { movement, movementInWords } from '../wording/movement.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { gatesInWords, runInWords, stepRows, stepsInWords } from '../wording/ramp-in-words.ts';
import { askAdmin, askPages, ENVIRONMENT_HELP, tellOnce } from './admin-client.ts';
import { agreement } from './carry-out.ts';
import { confirm } from './confirm.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { countMembers } from './count-members.ts';
import { spanMs } from './duration.ts';
import { oneOf } from './options.ts';
import {
  collectGate,
  GATES_HELP,
  type PlanForm,
  type PlanOptions,
  parseSteps,
  planOf,
} from './ramp-plan-option.ts';

const ACTIONS = ['start', 'pause', 'resume', 'abort', 'approve', 'status'] as const;
type Action = (typeof ACTIONS)[number];

const EXAMPLES = `
A plan is a list of steps, each larger than the one before: numbers of users first, shares after them. A step stays for its
bake time; then the gates are looked at, and only when all of them are met the next step is taken, through the same hold
as any change. Without --automatic a person approves each step. When the guard trips, the plan stops.

  start    begins a plan: one of the configuration (--plan), or one that is written here (--steps)
  status   how far it is, and what it waits for
  approve  lets a plan that waits for a person take its next step, once its time is over and its gates are met
  pause    stays where it is; resume goes on
  abort    ends the plan; the cohort stays where it is ("turnout rollback" sends it back)

Examples:
  $ turnout ramp beta start --plan slowly --reason 'no mismatch for a week'
  $ turnout ramp beta start --steps "100,1000,10%,100%" --bake 10m --gate comparedMin=1000 --reason 'the plan of CHG-7'
  $ turnout ramp beta start --steps "1%,10%,50%,100%" --bake 1h --automatic --reason 'over the weekend' --yes
  $ turnout ramp beta status
  $ turnout ramp beta approve --reason 'the figures are good'
  $ turnout ramp beta abort --reason 'another day'

What lets users move to the other backend (start, approve, resume) is confirmed first, in person or with --yes.

Exit codes: 0 done, 1 failed or refused (a plan is under way already, the guard tripped), 64 wrong usage or not confirmed.
${ENVIRONMENT_HELP}`;

const RUNS_SHOWN = 10;

interface RampOptions extends PlanOptions {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

function pathOf(cohort: string): string {
  return `/api/v1/cohorts/${encodeURIComponent(cohort)}/ramp`;
}

function printRun(run: RampRunDocument, { writer }: CliContext): void {
  writer.line(writer.style('bold', `ramp of cohort ${printable(run.cohort)}`));
  writer.line(`  ${runInWords(run)}`);
  writer.line(
    `  ${run.plan.automatic ? 'by itself' : 'a person approves each step'}; gates: ${gatesInWords(run.plan)}`,
  );
  writer.line(`  begun ${timeInWords(run.startedAt)} by ${printable(run.actor)}: ${printable(run.reason)}`);
  writer.line();
  writer.table([['step', 'ramp', 'stays', ''], ...stepRows(run, Date.now())]);
}

async function status(cohort: string, json: boolean, context: CliContext): Promise<ExitCode> {
  const { writer } = context;
  const runs = await askPages(RampRunSchema, pathOf(cohort), RUNS_SHOWN, context);
  if (json) {
    writer.json(runs);
    return EXIT.ok;
  }
  const [newest, ...older] = runs;
  if (newest === undefined) {
    writer.line(`No plan was ever started for cohort ${printable(cohort)}.`);
    return EXIT.ok;
  }
  printRun(newest, context);
  if (older.length === 0) return EXIT.ok;
  writer.line();
  writer.table([
    ['begun', 'by', 'steps', 'ended', 'how'],
    ...older.map((run) => [
      timeInWords(run.startedAt),
      printable(run.actor),
      stepsInWords(run.plan),
      run.endedAt === null ? '' : timeInWords(run.endedAt),
      printable(run.note === null ? run.status : `${run.status}: ${run.note}`),
    ]),
  ]);
  return EXIT.ok;
}

/** The plan that is to be begun, or whose next step is to be taken. */
async function wholePlan(plan: string | PlanForm, context: CliContext): Promise<Pick<PlanDocument, 'steps'>> {
  if (typeof plan !== 'string') return { steps: [...plan.steps] };
  const { plans } = await askAdmin(GuardSchema, '/api/v1/guard', context);
  const known = Object.hasOwn(plans, plan) ? plans[plan] : undefined;
  if (known !== undefined) return known;
  const names = Object.keys(plans);
  const which = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
  throw new CliError(`There is no plan ${printable(plan)} under guard.ramps in the configuration: ${which}.`);
}

/** Says who may move, in which steps, and asks, if anybody would. */
async function confirmSteps(
  name: string,
  { steps }: Pick<PlanDocument, 'steps'>,
  yes: boolean,
  context: CliContext,
): Promise<void> {
  const last = steps.at(-1);
  if (yes || last === undefined) return;
  const path = `/api/v1/cohorts/${encodeURIComponent(name)}`;
  const { cohort } = await askAdmin(CohortAtEpochSchema, path, context);
  const moves = movement(cohort, { stage: cohort.stage, ramp: last.ramp });
  if (moves.length === 0) return;
  const known = await countMembers(cohort, context);
  const how = steps.length === 1 ? '' : `, in ${steps.length} steps: ${stepsInWords({ steps })}`;
  await confirm(
    `${movementInWords({ ...cohort, known }, moves)}${how}; ${await agreement(context)}`,
    yes,
    context,
  );
}

/** The steps that are still to come of the run that is under way. */
async function stepsToCome(cohort: string, context: CliContext): Promise<PlanDocument['steps']> {
  const [run] = await askPages(RampRunSchema, pathOf(cohort), 1, context);
  return run === undefined || run.endedAt !== null ? [] : run.plan.steps.slice(run.step + 1);
}

async function act(
  cohort: string,
  action: Exclude<Action, 'status'>,
  options: RampOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { reason, yes = false, json = false } = options;
  if (reason === undefined)
    throw new CliError(`Why? "ramp ${action}" needs --reason, for the audit.`, EXIT.usage);
  const plan = action === 'start' ? planOf(options) : undefined;
  if (plan !== undefined) await confirmSteps(cohort, await wholePlan(plan, context), yes, context);
  else if (action === 'approve') {
    const [next] = await stepsToCome(cohort, context);
    await confirmSteps(cohort, { steps: next === undefined ? [] : [next] }, yes, context);
  } else if (action === 'resume') {
    await confirmSteps(cohort, { steps: await stepsToCome(cohort, context) }, yes, context);
  }
  const body = { action, reason, ...(plan === undefined ? {} : { plan }) };
  // Once only: a second one would be told that a plan is under way.
  const { ramp } = await tellOnce(RunAnswerSchema, { method: 'POST', path: pathOf(cohort), body }, context);
  if (json) context.writer.json(ramp);
  else context.writer.line(`ramp of cohort ${printable(cohort)}: ${runInWords(ramp)}`);
  return EXIT.ok;
}

async function run(
  name: string,
  action: Action,
  options: RampOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { plan, steps, bake, gate, automatic } = options;
  if (action !== 'start' && [plan, steps, bake, gate, automatic].some((option) => option !== undefined)) {
    throw new CliError(
      `--plan, --steps, --bake, --gate and --automatic say what to start: "ramp ${action}" has none.`,
      EXIT.usage,
    );
  }
  return action === 'status'
    ? status(name, options.json ?? false, context)
    : act(name, action, options, context);
}

export function addRamp(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('ramp')
    .summary('let a ramp grow by a plan, step by step, on evidence')
    .description('Starts, watches and steers a plan by which the ramp of a cohort grows.')
    .argument('<cohort>', 'its name')
    .argument('<action>', ACTIONS.join(', '), oneOf(ACTIONS))
    .option('--plan <name>', 'start: a plan of the configuration, under guard.ramps')
    .option('--steps <list>', 'start: its steps, such as 100,1000,10%,100%', parseSteps)
    .option(
      '--bake <duration>',
      'start: how long each step stays before the gates are looked at (10m)',
      spanMs,
    )
    .option('--gate <gate>', `start: ${GATES_HELP}`, collectGate)
    .option('--automatic', 'start: take each step without asking a person')
    .option('--reason <text>', 'why, for the audit; not for status')
    .option('-y, --yes', 'do not ask before users move')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (cohort: string, action: Action, options: RampOptions) =>
      end(await run(cohort, action, options, context)),
    );
}
