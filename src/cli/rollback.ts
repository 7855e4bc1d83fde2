/** `turnout rollback`: sends a cohort back to legacy. It first says whose writes would be stranded. */
import type { Command } from 'commander';
import { type PreviewDocument, PreviewSchema } from '../admin/control-documents.ts';
import { usersInWords } from '../wording/change-in-words.ts';
import { printable } from '../wording/printable.ts';
import { ENVIRONMENT_HELP, tellAdmin } from './admin-client.ts';
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
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';

const EXAMPLES = `
Examples:
  $ turnout rollback beta --reason 'orders are slow on new' --dry-run
  $ turnout rollback beta --reason 'orders are slow on new'
  $ turnout rollback beta --reason 'new is down' --dirty-users keep --yes

A user is dirty who wrote to new since the switch: those writes are not in legacy. --dirty-users says what becomes of
dirty users: drain (default) waits until the writes are mirrored, then does as keep; keep leaves those users in new,
pinned, and lists them; force sends everybody back, without those writes.

Exit codes: as "turnout stage".
${ENVIRONMENT_HELP}`;

/** Dirty users that are named on the screen. */
const NAMED = 10;

interface RollbackOptions extends ChangeOptions, DirtyOption {
  readonly dryRun?: boolean;
}

function named({ dirty, dirtyCount }: PreviewDocument): string {
  if (dirty.length === 0) return '';
  const names = dirty.slice(0, NAMED).map(printable).join(', ');
  return `: ${names}${dirtyCount > NAMED ? ` and ${(dirtyCount - NAMED).toLocaleString('en')} more` : ''}`;
}

function tableOf(preview: PreviewDocument): string[][] {
  const { stage, to, tracked, clean, dirtyCount } = preview;
  return [
    ['rollback of', printable(preview.cohort)],
    ['stage', `${stage} to ${to}`],
    ['clean', `${usersInWords(clean)} that the record knows lose nothing`],
    [
      'dirty',
      tracked
        ? `${usersInWords(dirtyCount)} wrote to new since the switch${named(preview)}`
        : 'not known: the cohort has been complete, where writes are not tracked',
    ],
  ];
}

function sentence(preview: PreviewDocument, policy: string): string {
  const { cohort, clean, dirtyCount, tracked } = preview;
  const moves = `of cohort ${printable(cohort)}: reads and writes move from new to legacy`;
  if (policy === 'force') {
    const lost = tracked ? `the writes of ${usersInWords(dirtyCount)}` : 'whatever was written to new';
    return `${usersInWords(clean + dirtyCount)} ${moves}, and ${lost} will be missing there`;
  }
  const stay = dirtyCount === 0 ? '' : `; ${usersInWords(dirtyCount)} with writes in new stay there, pinned`;
  return `${usersInWords(clean)} ${moves}${stay}`;
}

async function run(name: string, options: RollbackOptions, context: CliContext): Promise<ExitCode> {
  const { dryRun = false, yes = false, json = false, dirtyUsers: policy = 'drain' } = options;
  const { writer } = context;
  const path = `/api/v1/cohorts/${encodeURIComponent(name)}/rollback`;
  const body = authorBody(options);
  const ask = { method: 'POST', path, body: { ...body, dryRun: true } } as const;
  const preview = await tellAdmin(PreviewSchema, ask, context);
  if (dryRun) {
    if (json) writer.json(preview);
    else for (const [fact = '', value = ''] of tableOf(preview)) writer.line(`${fact.padEnd(12)} ${value}`);
    return EXIT.ok;
  }
  if (!preview.tracked && policy !== 'force') {
    const why = 'it has been complete, where it is not known who wrote to new';
    throw new CliError(`Cohort ${printable(name)} can only go back with --dirty-users force: ${why}.`);
  }
  if (!yes) {
    for (const [fact = '', value = ''] of tableOf(preview)) writer.note(`${fact.padEnd(12)} ${value}`);
    await confirm(`${sentence(preview, policy)}; ${await agreement(context)}`, yes, context);
  }
  return carryOut(
    { method: 'POST', path, body },
    options,
    ({ epoch, dirty, dirtyUsers, id, to }) => {
      const stage = to?.stage ?? 'shadow';
      const since = `since epoch ${epoch ?? '?'} (change ${id})`;
      writer.line(`cohort ${printable(name)} is back at ${stage} on every gateway, ${since}`);
      if (dirty === 0) return;
      const what = dirtyUsers === 'force' ? 'went back without their writes in new' : 'stayed in new, pinned';
      writer.line(`${usersInWords(dirty)} ${what}: "turnout changes ${id} --dirty" lists them`);
    },
    context,
  );
}

export function addRollback(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const rollback = program
    .command('rollback')
    .summary('send a cohort back to legacy, and say first who would lose what')
    .description('Sends a cohort back to legacy, on every gateway at one moment.')
    .argument('<cohort>', 'its name')
    .option('--dry-run', 'say only who would go back, and whose writes would be stranded');
  addChangeOptions(addDirtyOption(rollback))
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: RollbackOptions) => end(await run(name, options, context)));
}
