/** `npm run bench -- flips`: how long a flip takes with 1, 3 and 10 gateways, and what it costs the clients. */
import { cpus } from 'node:os';
import { benchCommand, type Report } from '../bench-command.ts';
import { runInFolder } from '../run-in-folder.ts';
import { FLIP_USAGE, type FlipOptions, parseFlipOptions } from './flip-options.ts';
import { type FlipRun, flipMarkdown, flipRows, isQuick } from './flip-report.ts';
import { type FlipSample, measureFlips } from './measure-flips.ts';

/** @returns the exit code */
export function runFlips(args: readonly string[]): Promise<number> {
  const report = (run: FlipRun, options: FlipOptions): Report => {
    const { samples: _raw, ...rest } = run;
    const each = run.samples.map(({ gateways, flips: all }) => ({ gateways, each: all }));
    return {
      name: isQuick(options) ? 'flips-quick' : 'flips',
      startedAt: run.startedAt,
      markdown: flipMarkdown(run),
      json: { ...rest, rows: flipRows(run), flips: each },
      folder: options.results,
    };
  };
  return benchCommand({ usage: FLIP_USAGE, parse: parseFlipOptions, measure: flips, report }, args);
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
