/** `turnout cohort`: the cohorts of a running gateway. */
import type { Command } from 'commander';
import {
  ChangeSchema,
  CohortAtEpochSchema,
  type CohortDocument,
  CohortSchema,
} from '../admin/control-documents.ts';
import { printable, rampFormInWords } from '../wording/printable.ts';
import { askAdmin, askPages, ENVIRONMENT_HELP } from './admin-client.ts';
import { changesTable } from './changes.ts';
import { addDefinition } from './cohort-definition.ts';
import { addMembers } from './cohort-members.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';

const EXAMPLES = `
Examples:
  $ turnout cohort list
  $ turnout cohort list --json | jq -r '.[] | select(.stage == "live") | .name'
  $ turnout cohort show beta
  $ turnout cohort create sydney --reason 'the next city'
  $ turnout cohort add sydney --file users.txt --reason 'the next city'

"turnout stage" moves a cohort. ${ENVIRONMENT_HELP}`;

const COHORTS_MAX = 100_000;
/** Changes of one cohort that are shown with it. */
const CHANGES_SHOWN = 5;

function placed({ default: isDefault, byRule }: CohortDocument): string {
  if (isDefault) return 'everybody else';
  return byRule ? 'by rule' : 'members only';
}

function now({ held, change }: CohortDocument): string {
  return [held ? 'held' : '', change === null ? '' : `change ${change}`].filter(Boolean).join(', ');
}

async function list(json: boolean, context: CliContext): Promise<ExitCode> {
  const cohorts = await askPages(CohortSchema, '/api/v1/cohorts', COHORTS_MAX, context);
  if (json) {
    context.writer.json(cohorts);
    return EXIT.ok;
  }
  context.writer.table([
    ['cohort', 'stage', 'ramp', 'users', 'migration', 'now'],
    ...cohorts.map((cohort) => {
      const { name, stage, ramp, migration } = cohort;
      return [printable(name), stage, rampFormInWords(ramp), placed(cohort), migration, now(cohort)];
    }),
  ]);
  return EXIT.ok;
}

async function show(name: string, json: boolean, context: CliContext): Promise<ExitCode> {
  const { writer } = context;
  const encoded = encodeURIComponent(name);
  const { epoch, cohort } = await askAdmin(CohortAtEpochSchema, `/api/v1/cohorts/${encoded}`, context);
  const path = `/api/v1/changes?cohort=${encoded}`;
  const changes = await askPages(ChangeSchema, path, CHANGES_SHOWN, context);
  if (json) {
    writer.json({ epoch, cohort, changes });
    return EXIT.ok;
  }
  const facts = [
    ['stage', cohort.stage],
    ['ramp', rampFormInWords(cohort.ramp)],
    ['users', placed(cohort)],
    ['rule', cohort.rule === null ? 'none' : printable(JSON.stringify(cohort.rule))],
    ['migration', cohort.migration],
    ['mirrored writes', cohort.mirror ? 'yes' : 'no'],
    ['held', cohort.held ? 'yes' : 'no'],
    ['open change', cohort.change ?? 'none'],
    ['epoch', String(epoch)],
  ];
  writer.line(writer.style('bold', `cohort ${printable(cohort.name)}`));
  for (const [fact = '', value = ''] of facts)
    writer.line(`  ${writer.style('dim', fact.padEnd(15))} ${value}`);
  if (changes.length === 0) return EXIT.ok;
  writer.line();
  writer.table(changesTable(changes));
  return EXIT.ok;
}

export function addCohort(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const cohort = program
    .command('cohort')
    .summary('the cohorts, who is in them, and what they are at')
    .description('Shows and changes the cohorts of a running gateway.')
    .addHelpText('after', EXAMPLES);
  cohort
    .command('list')
    .description('Lists the cohorts in the order in which their rules are tried.')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json = false }: { json?: boolean }) => end(await list(json, context)));
  cohort
    .command('show')
    .description('Shows one cohort and its latest changes.')
    .argument('<name>', 'of the cohort')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, { json = false }: { json?: boolean }) =>
      end(await show(name, json, context)),
    );
  addDefinition(cohort, context, end);
  addMembers(cohort, context, end);
}
