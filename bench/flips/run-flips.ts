/** `npm run bench -- flips`: how long a flip takes with 1, 3 and 10 gateways, and what it costs the clients. */
import { cpus } from 'node:os';
import { runInFolder } from '../run-in-folder.ts';
import { writeResults } from '../write-results.ts';
import { FLIP_USAGE, type FlipOptions, parseFlipOptions } from './flip-options.ts';
import { type FlipRun, flipMarkdown, flipRows, isQuick } from './flip-report.ts';
import { type FlipSample, measureFlips } from './measure-flips.ts';

/** @returns the exit code */
export async function runFlips(args: readonly string[]): Promise<number> {
  let options: FlipOptions;
  try {
    options = parseFlipOptions(args);
  } catch (problem) {
    console.error(`${problem instanceof Error ? problem.message : String(problem)}\n\n${FLIP_USAGE}`);
    return 2;
  }
  try {
    const run = await flips(options, (line) => console.log(line));
    const markdown = flipMarkdown(run);
    console.log(`\n${markdown}`);
    const { samples: _raw, ...rest } = run;
    const json = {
      ...rest,
      rows: flipRows(run),
      flips: run.samples.map(({ gateways, flips: each }) => ({ gateways, each })),
    };
    for (const file of writeResults(
      isQuick(options) ? 'flips-quick' : 'flips',
      run.startedAt,
      { markdown, json },
      options.results,
    )) {
      console.log(`written: ${file}`);
    }
    return 0;
  } catch (problem) {
    console.error(problem instanceof Error ? problem.message : problem);
    return 1;
  }
}

/**
 * Measures, and leaves nothing behind.
 *
 * @param tell is given a line for each number of gateways
 */
export async function flips(options: FlipOptions, tell: (line: string) => void): Promise<FlipRun> {
  const startedAt = new Date();
  const samples: FlipSample[] = [];
  await runInFolder(async ({ directory, stopping }) => {
    for (const gateways of options.gateways) {
      samples.push(await measureFlips(gateways, options, directory, stopping));
      const [row] = flipRows({ samples: samples.slice(-1) });
      tell(
        `${gateways} gateways: ${row?.flips} flips, p50 ${row?.total.p50.toFixed(1)} ms, ${row?.failed} of ${row?.requests} requests failed`,
      );
    }
  });
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  return { startedAt, machine, options, samples };
}
