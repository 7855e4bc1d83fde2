/** `turnout cohort add|remove|members|reassign`: who is in a cohort. */
import type { Command } from 'commander';
import { CohortAtEpochSchema } from '../admin/control-documents.ts';
import { MemberSchema } from '../admin/user-documents.ts';
import { usersInWords } from '../wording/change-in-words.ts';
import { printable } from '../wording/printable.ts';
import { askAdmin, askPages } from './admin-client.ts';
import { answerTo, openCall, refusalOf, unanswered } from './admin-connection.ts';
import { agreement } from './carry-out.ts';
import { confirm } from './confirm.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { type UploadOptions, upload } from './member-upload.ts';
import { wholeNumber } from './options.ts';
import { RefusedLines } from './refused-lines.ts';
import {
  addJobOptions,
  cohortInWords,
  cohortPath,
  endOf,
  type JobOptions,
  runMemberJob,
} from './run-member-job.ts';

const EXAMPLES = `
Examples:
  $ turnout cohort add sydney --file users.txt --reason 'the second city'
  $ zcat users.gz | turnout cohort add sydney --file - --reason 'the second city' --yes
  $ turnout cohort remove sydney --file left.txt --reason 'moved away' --refused-file refused.tsv
  $ turnout cohort members sydney > users.txt
  $ turnout cohort reassign beta --reason 'the plans have new names'

A file has one user a line, in UTF-8. Lines are in force batch by batch; when the connection breaks, the command that goes
on from there is printed. Repeating lines changes nothing.

Exit codes: 0 done, 1 failed, 2 the epoch is not the expected one, 4 done but for lines that were refused, 64 wrong usage
or not confirmed.`;

const LINE_MAX = 9_999_999_999;
const MEMBERS_MAX = 100_000_000;
/** A list that nobody sends on for so long is broken. */
const LIST_MS = 3_600_000;

async function reassign(name: string, options: JobOptions, context: CliContext): Promise<ExitCode> {
  const { reason, dirtyUsers, expectedEpoch, yes = false, json = false } = options;
  const { cohort } = await askAdmin(CohortAtEpochSchema, cohortPath(name), context);
  if (!yes) {
    const sentence =
      `users whom the rule of ${cohortInWords(cohort)} placed are placed anew by their next requests: reads and ` +
      'writes of those whose owner changes by that move with them';
    await confirm(`${sentence}; ${await agreement(context)}`, yes, context);
  }
  const refusals = new RefusedLines(context, undefined, false);
  const position = { line: 0, refused: 0 };
  const body = JSON.stringify({
    reason,
    ...(dirtyUsers === undefined ? {} : { dirtyUsers }),
    ...(expectedEpoch === undefined ? {} : { expectedEpoch }),
  });
  const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  const job = { method: 'POST', path: `${cohortPath(name)}/reassign`, headers, body } as const;
  const done = await runMemberJob(job, { json, refusals, position }, context);
  const sentence = `${usersInWords(done.changed)} of cohort ${printable(name)} will be placed anew`;
  return endOf(done, refusals, json, sentence, context);
}

interface MembersOptions {
  readonly limit?: number;
  readonly json?: boolean;
}

async function members(name: string, options: MembersOptions, context: CliContext): Promise<ExitCode> {
  const { limit = MEMBERS_MAX, json = false } = options;
  const path = `${cohortPath(name)}/members`;
  if (json) {
    context.writer.json(await askPages(MemberSchema, path, limit, context));
    return EXIT.ok;
  }
  const call = { method: 'GET', path, headers: { accept: 'text/plain' } } as const;
  const request = openCall(call, context, AbortSignal.timeout(LIST_MS));
  try {
    const answered = answerTo(request);
    request.end();
    const response = await answered;
    response.setEncoding('utf8');
    if (response.statusCode !== 200) {
      const problem: unknown = JSON.parse((await response.toArray()).join(''));
      throw refusalOf(problem, response.statusCode ?? 0, context);
    }
    let left = limit;
    for await (const chunk of response) {
      const piece = firstLines(String(chunk), left);
      await context.writer.piece(piece.text);
      left -= piece.lines;
      if (left <= 0) break;
    }
    return EXIT.ok;
  } catch (error) {
    throw error instanceof CliError ? error : unanswered(error, context);
  } finally {
    request.destroy();
  }
}

/** As much of the text as has at most so many ends of lines. */
function firstLines(text: string, most: number): { text: string; lines: number } {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    lines += 1;
    if (lines === most) return { text: text.slice(0, at + 1), lines };
  }
  return { text, lines };
}

export function addMembers(cohort: Command, context: CliContext, end: (code: ExitCode) => void): void {
  for (const [action, description] of [
    ['add', 'Adds the users of a file to a cohort.'],
    ['remove', 'Takes the users of a file out of a cohort.'],
  ] as const) {
    const command = cohort
      .command(action)
      .description(description)
      .argument('<name>', 'of the cohort')
      .requiredOption('--file <file>', 'one user a line; - for what is piped in')
      .option('--from-line <number>', 'skip the lines before this one', wholeNumber(1, LINE_MAX))
      .option(
        '--refused-file <file>',
        'write refused lines there: number, reason and user, with tabs between',
      );
    addJobOptions(command)
      .addHelpText('after', EXAMPLES)
      .action(async (name: string, options: UploadOptions) =>
        end(await upload(action, name, options, context)),
      );
  }
  cohort
    .command('members')
    .description('Lists the members that the record knows, one a line.')
    .argument('<name>', 'of the cohort')
    .option('--limit <number>', 'at most so many', wholeNumber(1, MEMBERS_MAX))
    .option('--json', 'print JSON, with what is known of each')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: MembersOptions) => end(await members(name, options, context)));
  const reassigned = cohort
    .command('reassign')
    .description('Evaluates the rules anew for the members whom a rule placed.')
    .argument('<name>', 'of the cohort');
  addJobOptions(reassigned)
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: JobOptions) => end(await reassign(name, options, context)));
}
