/** Runs a job on members for a person: with a bar, the lines that were refused, and how it ended. */
import type { Command } from 'commander';
import type { CohortDocument } from '../admin/control-documents.ts';
import { printable, rampFormInWords } from '../wording/printable.ts';
import { addDirtyOption, type DirtyOption } from './carry-out.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { type Job, type JobDone, runJob } from './member-job.ts';
import { wholeNumber } from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import type { RefusedLines } from './refused-lines.ts';

export interface JobOptions extends DirtyOption {
  readonly reason: string;
  readonly yes?: boolean;
  readonly expectedEpoch?: number;
  readonly json?: boolean;
}

export function addJobOptions(command: Command): Command {
  return addDirtyOption(command)
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('-y, --yes', 'do not ask before users move')
    .option(
      '--expected-epoch <epoch>',
      'refuse if the state map has moved on from this epoch',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--json', 'print JSON');
}

export const cohortPath = (name: string): string => `/api/v1/cohorts/${encodeURIComponent(name)}`;

export function cohortInWords({ name, stage, ramp }: CohortDocument): string {
  return `cohort ${printable(name)}, at ${stage} at ${rampFormInWords(ramp)}`;
}

/** Where the job is: the line up to which everything is in force, and how much was refused. */
export interface Position {
  line: number;
  refused: number;
}

/** Runs a job with a bar, and prints how it ended. */
export async function runMemberJob(
  job: Omit<Job, 'stop'>,
  {
    bytes,
    json,
    refusals,
    position,
  }: { bytes?: number; json: boolean; refusals: RefusedLines; position: Position },
  context: CliContext,
): Promise<JobDone> {
  const bar = new ProgressBar(context.writer, () => performance.now());
  const first = position.line;
  let sent = 0;
  const draw = (): void => {
    if (json) return;
    const share = bytes === undefined || bytes === 0 ? undefined : sent / bytes;
    bar.draw({ share, lines: position.line - first, refused: position.refused });
  };
  try {
    const done = await runJob(
      { ...job, stop: context.signals().stop },
      {
        onProgress: ({ line, refused }) => {
          position.line = line;
          position.refused = refused;
          draw();
        },
        onRefused: (refused) => refusals.add(refused),
        onSent: (total) => {
          sent = total;
          draw();
        },
      },
      context,
    );
    position.refused = done.refused;
    return done;
  } finally {
    bar.clear();
    await refusals.end(position.refused);
  }
}

export function endOf(
  done: JobDone,
  refusals: RefusedLines,
  json: boolean,
  sentence: string,
  context: CliContext,
): ExitCode {
  if (json) context.writer.json({ ...done, refusals: refusals.list });
  else context.writer.line(sentence);
  return done.refused > 0 ? EXIT.partly : EXIT.ok;
}
