/** `turnout cohort create|edit|delete`: which cohorts there are, and whom their rules take. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { CohortAtEpochSchema, DeletionAnswerSchema } from '../admin/control-documents.ts';
import { printable } from '../wording/printable.ts';
import { askAdmin, tellAdmin } from './admin-client.ts';
import {
  addChangeOptions,
  addDirtyOption,
  agreement,
  authorBody,
  type ChangeOptions,
  carryOut,
  type DirtyOption,
  followToEnd,
  idOf,
} from './carry-out.ts';
import { confirm } from './confirm.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { parseRamp, wholeNumber } from './options.ts';

/** How long one call waits for a deletion. */
const DELETION_WAIT_S = 5;
const RULE_BYTES_MAX = 1024 * 1024;

interface DefinitionOptions extends ChangeOptions, DirtyOption {
  readonly rule?: unknown;
  readonly ruleFile?: string;
  /** `--no-rule` makes it false. */
  readonly default?: boolean;
  readonly perUser?: boolean;
  readonly mirror?: boolean;
  readonly ramp?: number | string;
  readonly position?: number;
}

function parseRule(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(
      `A rule is JSON, such as '{ "attribute": "header.x-plan", "in": ["beta"] }'.`,
    );
  }
}

function ruleOf({ rule, ruleFile }: DefinitionOptions): unknown {
  if (ruleFile === undefined) return rule;
  if (rule !== undefined) throw new CliError('Give --rule or --rule-file, not both.', EXIT.usage);
  let text: string;
  try {
    text = readFileSync(ruleFile, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`The rule cannot be read: ${reason}`, EXIT.usage, { cause });
  }
  if (text.length > RULE_BYTES_MAX) throw new CliError(`${ruleFile} is too large for a rule.`, EXIT.usage);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${ruleFile} is not JSON: ${reason}`, EXIT.usage, { cause });
  }
}

/** The parts of a cohort that the options name. */
function partsOf(options: DefinitionOptions): Record<string, unknown> {
  const { default: isDefault, perUser, mirror, ramp, position } = options;
  const rule = ruleOf(options);
  return {
    // `--no-rule` gives false.
    ...(rule === undefined ? {} : { rule: rule === false ? null : rule }),
    ...(isDefault === undefined ? {} : { default: isDefault }),
    ...(perUser === undefined ? {} : { migration: perUser ? 'per-user' : 'cohort' }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(ramp === undefined ? {} : { ramp }),
    ...(position === undefined ? {} : { position }),
  };
}

const pathOf = (name: string): string => `/api/v1/cohorts/${encodeURIComponent(name)}`;

async function create(name: string, options: DefinitionOptions, context: CliContext): Promise<ExitCode> {
  const { yes = false } = options;
  const parts = partsOf(options);
  const takes = [
    parts['default'] === true ? 'everybody whom no other cohort takes' : '',
    parts['rule'] === undefined ? '' : 'whom its rule matches and no cohort before it took',
  ].filter((words) => words !== '');
  if (takes.length > 0 && !yes) {
    const sentence =
      `cohort ${printable(name)} begins in off and takes ${takes.join(', and ')}: reads and writes of users that were ` +
      'in new without being placed in a cohort yet move to legacy';
    await confirm(`${sentence}; ${await agreement(context)}`, yes, context);
  }
  const body = { name, ...parts, ...authorBody(options) };
  return carryOut(
    { method: 'POST', path: '/api/v1/cohorts', body },
    options,
    ({ epoch, id }) =>
      context.writer.line(
        `cohort ${printable(name)} is there since epoch ${epoch ?? '?'}, in off (change ${id})`,
      ),
    context,
  );
}

/** What an edit does to people, in words. */
function editInWords(name: string, parts: Readonly<Record<string, unknown>>): string {
  const cohort = `cohort ${printable(name)}`;
  const effects = [
    'rule' in parts ? (parts['rule'] === null ? 'loses its rule' : 'gets another rule') : '',
    'default' in parts
      ? parts['default'] === true
        ? 'becomes the default'
        : 'is no longer the default'
      : '',
    'position' in parts ? `is tried in place ${String(parts['position'])}` : '',
    'migration' in parts
      ? parts['migration'] === 'per-user'
        ? 'moves a user only when its own data was moved'
        : 'moves all its users together'
      : '',
  ].filter((words) => words !== '');
  return `${cohort} ${effects.join(', ')}: reads and writes of users whose owner changes by that move with them`;
}

async function edit(name: string, options: DefinitionOptions, context: CliContext): Promise<ExitCode> {
  const { yes = false } = options;
  const parts = partsOf(options);
  if (Object.keys(parts).length === 0) {
    throw new CliError(
      'Nothing to edit: give --rule, --no-rule, --default, --position or another.',
      EXIT.usage,
    );
  }
  const movesNobody = Object.keys(parts).every((part) => part === 'mirror');
  if (!movesNobody && !yes) {
    await confirm(`${editInWords(name, parts)}; ${await agreement(context)}`, yes, context);
  }
  const body = { ...parts, ...authorBody(options) };
  return carryOut(
    { method: 'PATCH', path: pathOf(name), body },
    options,
    ({ epoch, id }) =>
      context.writer.line(`cohort ${printable(name)} is edited since epoch ${epoch ?? '?'} (change ${id})`),
    context,
  );
}

async function remove(
  name: string,
  options: ChangeOptions & DirtyOption,
  context: CliContext,
): Promise<ExitCode> {
  const { yes = false } = options;
  if (!yes) {
    const { cohort } = await askAdmin(CohortAtEpochSchema, pathOf(name), context);
    const sentence =
      `cohort ${printable(name)}, at ${cohort.stage}, is deleted: reads and writes of its users move to where the rules ` +
      'of the other cohorts put them, else to legacy';
    await confirm(`${sentence}; ${await agreement(context)}`, yes, context);
  }
  const deadlineMs = performance.now() + options.wait * 1_000;
  const id = await beginDeletion(name, options, deadlineMs, context);
  return followToEnd(
    id,
    { ...options, wait: Math.max(0, (deadlineMs - performance.now()) / 1_000) },
    ({ epoch, id: change }) =>
      context.writer.line(
        `cohort ${printable(name)} is deleted since epoch ${epoch ?? '?'} (change ${change})`,
      ),
    context,
  );
}

/** Its members are taken out first, which takes as long as it takes: the call is repeated under its key until then. */
async function beginDeletion(
  name: string,
  options: ChangeOptions & DirtyOption,
  deadlineMs: number,
  context: CliContext,
): Promise<string> {
  const key = randomUUID();
  for (let told = false; ; told = true) {
    const waitS = Math.max(0, Math.min(DELETION_WAIT_S, Math.ceil((deadlineMs - performance.now()) / 1_000)));
    const headers = { prefer: `wait=${waitS}`, 'idempotency-key': key };
    const wanted = { method: 'DELETE', path: pathOf(name), headers, body: authorBody(options) } as const;
    const id = await idOf(async () => (await tellAdmin(DeletionAnswerSchema, wanted, context)).change?.id);
    if (id !== undefined) return id;
    if (performance.now() >= deadlineMs) {
      const message = `The members of cohort ${printable(name)} are still taken out. It goes on; repeat the command to hear more.`;
      throw new CliError(message, EXIT.underWay);
    }
    if (!told && options.json !== true) context.writer.note('its members are taken out');
  }
}

function addRuleOptions(command: Command): Command {
  return command
    .option('--rule <json>', 'users whose requests match it, as in the configuration, in JSON', parseRule)
    .option('--rule-file <file>', 'a file with the rule');
}

const CREATE_EXAMPLES = `
Examples:
  $ turnout cohort create sydney --reason 'the next city'
  $ turnout cohort create beta --rule '{ "attribute": "header.x-plan", "in": ["beta"] }' --reason 'the testers'
  $ turnout cohort create everyone --default --reason 'the rest'
`;

export function addDefinition(cohort: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const created = addRuleOptions(
    cohort
      .command('create')
      .description('Creates a cohort, in the stage off.')
      .argument('<name>', 'of the cohort'),
  )
    .option('--default', 'it takes whom no other cohort takes')
    .option('--no-mirror', 'do not mirror its writes, also where a route asks for it')
    .option('--per-user', 'a user moves only when its own data was moved')
    .option('--ramp <ramp>', 'the share (10%) or number (1000) of users that get its stages', parseRamp);
  addChangeOptions(created)
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (name: string, options: DefinitionOptions) => end(await create(name, options, context)));

  const edited = addRuleOptions(
    cohort
      .command('edit')
      .description('Changes the rule, the order or other parts of a cohort. What is not named stays.')
      .argument('<name>', 'of the cohort'),
  )
    .option('--no-rule', 'take its rule away')
    .option('--default', 'it takes whom no other cohort takes')
    .option('--no-default', 'it does so no longer')
    .option('--mirror', 'mirror its writes where a route asks for it')
    .option('--no-mirror', 'do not mirror its writes')
    .option('--per-user', 'a user moves only when its own data was moved')
    .option('--no-per-user', 'its users move together')
    .option(
      '--position <number>',
      '0-based place in the order in which rules are tried',
      wholeNumber(0, 100_000),
    );
  addChangeOptions(addDirtyOption(edited)).action(async (name: string, options: DefinitionOptions) =>
    end(await edit(name, options, context)),
  );

  const deleted = cohort
    .command('delete')
    .description('Deletes a cohort; its members are taken out first.')
    .argument('<name>', 'of the cohort');
  addChangeOptions(addDirtyOption(deleted)).action(
    async (name: string, options: ChangeOptions & DirtyOption) => end(await remove(name, options, context)),
  );
}
