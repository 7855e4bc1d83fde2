/** `npm run bench -- guard-simulation`: false trips and missed ones, on the real judging code. */
import { cpus } from 'node:os';
import { writeResults } from '../write-results.ts';
import { type Cell, HARMLESS, harmlessCells, SIMULATED_METRICS } from './cell.ts';
import {
  GUARD_SIMULATION_USAGE,
  type GuardSimulationOptions,
  parseGuardSimulationOptions,
} from './guard-simulation-options.ts';
import {
  type GuardSimulation,
  guardSimulationMarkdown,
  POWER_MIN,
  POWER_SECONDS,
  powerWithin,
  type SimulatedFailures,
  TRIPS_MAX,
  troubleText,
} from './guard-simulation-report.ts';
import { simulateDays, simulateFailures } from './simulate.ts';

const NO_TROUBLE = { kind: 'none' } as const;
/** What is asked for, first; then what else one may want to know. `value` as a part of the threshold. */
const ASKED: readonly Cell[] = SIMULATED_METRICS.map((metric) => ({
  metric,
  rate: 200,
  value: 1.5,
  trouble: NO_TROUBLE,
}));
const FAILURES: readonly Cell[] = [
  ...ASKED,
  ...[2, 20, 200].map((rate): Cell => ({ metric: 'errorRate', rate, value: 20, trouble: NO_TROUBLE })),
  ...[2, 20, 200].map((rate): Cell => ({ metric: 'errorRate', rate, value: 4, trouble: NO_TROUBLE })),
  ...[20, 200].map((rate): Cell => ({ metric: 'errorRate', rate, value: 1.6, trouble: NO_TROUBLE })),
  ...[2, 20, 200].map((rate): Cell => ({ metric: 'meanLatencyMs', rate, value: 3, trouble: NO_TROUBLE })),
];
const SECONDS_MAX = 600;

/** @returns the exit code: 1 also for a figure that is not what is asked for */
export function runGuardSimulation(args: readonly string[]): number {
  let options: GuardSimulationOptions;
  try {
    options = parseGuardSimulationOptions(args);
  } catch (problem) {
    console.error(
      `${problem instanceof Error ? problem.message : String(problem)}\n\n${GUARD_SIMULATION_USAGE}`,
    );
    return 2;
  }
  const run = simulate(options, (line) => console.log(line));
  const markdown = guardSimulationMarkdown(run);
  console.log(`\n${markdown}`);
  const results = { markdown, json: run };
  for (const file of writeResults('guard-simulation', run.startedAt, results, options.results)) {
    console.log(`written: ${file}`);
  }
  return isAsAsked(run) ? 0 : 1;
}

export function simulate(options: GuardSimulationOptions, print: (line: string) => void): GuardSimulation {
  const startedAt = new Date();
  const cells = harmlessCells().filter(({ metric }) => options.metrics.includes(metric));
  const daysEach = Math.max(1, Math.ceil((options.days * options.metrics.length) / cells.length));
  const days = cells.map((cell, at) => {
    const one = simulateDays(cell, daysEach, options.seed * 1000 + at);
    print(
      `  ${cell.metric}, ${cell.rate}/s, ${troubleText(cell)}: ${one.trips.length} trips in ${daysEach} days`,
    );
    return one;
  });
  const chosen = FAILURES.filter(({ metric }) => options.metrics.includes(metric));
  const failures = chosen.map((cell, at): SimulatedFailures => {
    const seed = options.seed * 1000 + 500 + at;
    const runs = isAsked(cell) ? options.runs : Math.ceil(options.runs / 5);
    const delays = simulateFailures(cell, HARMLESS[cell.metric], runs, SECONDS_MAX, seed);
    const power = powerWithin(POWER_SECONDS, delays);
    print(
      `  ${cell.metric}, ${cell.rate}/s, ${cell.value} × the threshold: ${power} within ${POWER_SECONDS} s`,
    );
    return { cell, delays, secondsMax: SECONDS_MAX };
  });
  const machine = `${cpus()[0]?.model.trim()}, Node ${process.version}`;
  return { startedAt, machine, options, days, failures };
}

function isAsked(cell: Cell): boolean {
  return ASKED.includes(cell);
}

function isAsAsked({ days, failures }: GuardSimulation): boolean {
  const trips = days.reduce((sum, one) => sum + one.trips.length, 0);
  const asked = failures.filter(({ cell }) => isAsked(cell));
  return trips <= TRIPS_MAX && asked.every(({ delays }) => powerWithin(POWER_SECONDS, delays) >= POWER_MIN);
}
