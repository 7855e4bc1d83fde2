/** `turnout cohort add|remove`: sends the lines of a file, and says how to go on when the connection breaks. */
import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { CohortAtEpochSchema, type CohortDocument } from '../admin/control-documents.ts';
import { usersInWords } from '../wording/change-in-words.ts';
import { ownerInWords } from '../wording/movement.ts';
import { printable } from '../wording/printable.ts';
import { askAdmin } from './admin-client.ts';
import { agreement } from './carry-out.ts';
import { confirm } from './confirm.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { RefusedLines } from './refused-lines.ts';
import { cohortInWords, cohortPath, endOf, type JobOptions, runMemberJob } from './run-member-job.ts';

export interface UploadOptions extends JobOptions {
  readonly file: string;
  readonly fromLine?: number;
  readonly refusedFile?: string;
}

type Action = 'add' | 'remove';

interface Source {
  readonly open: () => Readable;
  /** `undefined` for what is piped in. */
  readonly bytes: number | undefined;
  readonly inWords: string;
}

function sourceOf(file: string, { stdin }: CliContext): Source {
  if (file === '-') return { open: () => stdin, bytes: undefined, inWords: 'the users that are piped in' };
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw new Error('it is a directory');
    const inWords = `the users in ${printable(file)} (${(stat.size / 1e6).toFixed(1)} MB)`;
    return { open: () => createReadStream(file), bytes: stat.isFile() ? stat.size : undefined, inWords };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${file} cannot be read: ${reason}`, EXIT.failure, { cause });
  }
}

/** In words: who would move. */
function uploadInWords(action: Action, cohort: CohortDocument, { inWords }: Source): string {
  if (action === 'add') return `${inWords} join ${cohortInWords(cohort)}: ${ownerInWords(cohort)}`;
  return (
    `${inWords} leave ${cohortInWords(cohort)}: their next requests are placed by the rules, and reads and writes of ` +
    'those whose owner changes by that move with them'
  );
}

/** A word of a shell's command line. */
function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function resumeCommand(action: Action, name: string, options: UploadOptions, fromLine: number): string {
  const { file, reason, dirtyUsers, refusedFile, json = false } = options;
  const always = [
    'turnout',
    'cohort',
    action,
    name,
    '--file',
    file,
    '--from-line',
    String(fromLine),
    '--reason',
    reason,
  ];
  const words = [
    ...always,
    ...(dirtyUsers === undefined ? [] : ['--dirty-users', dirtyUsers]),
    ...(refusedFile === undefined ? [] : ['--refused-file', refusedFile]),
    ...(json ? ['--json'] : []),
    '--yes',
  ];
  return words.map(quoted).join(' ');
}

function query({ reason, dirtyUsers, expectedEpoch }: JobOptions, fromLine: number): string {
  const parameters = new URLSearchParams({
    reason,
    ...(dirtyUsers === undefined ? {} : { dirtyUsers }),
    ...(expectedEpoch === undefined ? {} : { expectedEpoch: String(expectedEpoch) }),
    ...(fromLine === 1 ? {} : { fromLine: String(fromLine) }),
  });
  return parameters.toString();
}

export async function upload(
  action: Action,
  name: string,
  options: UploadOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { file, fromLine = 1, refusedFile, yes = false, json = false } = options;
  if (file === '-' && !yes) {
    throw new CliError('With --file - nobody can be asked: add --yes.', EXIT.usage);
  }
  const source = sourceOf(file, context);
  const { cohort } = await askAdmin(CohortAtEpochSchema, cohortPath(name), context);
  if (!yes)
    await confirm(`${uploadInWords(action, cohort, source)}; ${await agreement(context)}`, yes, context);
  const refusals = new RefusedLines(context, refusedFile, fromLine > 1);
  const position = { line: fromLine - 1, refused: 0 };
  const { bytes } = source;
  try {
    const job = {
      method: action === 'add' ? 'POST' : 'DELETE',
      path: `${cohortPath(name)}/members?${query(options, fromLine)}`,
      headers: { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' },
      body: source.open(),
    } as const;
    const done = await runMemberJob(
      job,
      { ...(bytes === undefined ? {} : { bytes }), json, refusals, position },
      context,
    );
    const did = action === 'add' ? 'added to' : 'taken out of';
    const unchanged = done.unchanged === 0 ? '' : `, ${done.unchanged.toLocaleString('en')} were so already`;
    const since = done.epoch === null ? '' : `, on every gateway since epoch ${done.epoch}`;
    const sentence = `${usersInWords(done.changed)} ${did} cohort ${printable(name)}${unchanged}${since}`;
    return endOf(done, refusals, json, sentence, context);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const from = position.line + 1;
    const where =
      file === '-' ? `Pipe the same lines in again with --from-line ${from}:` : 'To go on from there:';
    const upTo =
      position.line === 0
        ? 'Nothing is known to be in force.'
        : `Everything up to line ${position.line} is in force.`;
    const message = `${error.message}\n${upTo} ${where}\n  ${resumeCommand(action, name, options, from)}`;
    throw new CliError(message, error.exitCode, { cause: error });
  }
}
