/** What the benchmarks behind `npm run bench -- NAME` do alike: options, the run, its report on paper and as files. */
import { writeResults } from './write-results.ts';

export interface BenchCommand<Options, Run> {
  readonly usage: string;
  /** Throws in words for the person at the terminal. */
  readonly parse: (args: readonly string[]) => Options;
  /** @param tell is given a line for each step */
  readonly measure: (options: Options, tell: (line: string) => void) => Promise<Run>;
  readonly report: (run: Run, options: Options) => Report;
}

export interface Report {
  /** Of the files. */
  readonly name: string;
  readonly startedAt: Date;
  readonly markdown: string;
  readonly json: unknown;
  /** `undefined`: bench/results. */
  readonly folder: string | undefined;
}

/** @returns the exit code */
export async function benchCommand<Options, Run>(
  { usage, parse, measure, report }: BenchCommand<Options, Run>,
  args: readonly string[],
): Promise<number> {
  let options: Options;
  try {
    options = parse(args);
  } catch (problem) {
    console.error(`${problem instanceof Error ? problem.message : String(problem)}\n\n${usage}`);
    return 2;
  }
  try {
    const run = await measure(options, (line) => console.log(line));
    const { name, startedAt, markdown, json, folder } = report(run, options);
    console.log(`\n${markdown}`);
    for (const file of writeResults(name, startedAt, { markdown, json }, folder)) {
      console.log(`written: ${file}`);
    }
    return 0;
  } catch (problem) {
    console.error(problem instanceof Error ? problem.message : problem);
    return 1;
  }
}
