/**
 * `npm run test:histories -- [--minutes N] [--seed S] [--gateways N]`: runs of some minutes each, one after the other, until
 * the time is over or a property is violated. `-- --check FOLDER` judges a history that was kept once more.
 */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkHistory } from './checker/check-history.ts';
import type { Violation } from './checker/history.ts';
import { readHistory } from './recorder.ts';
import { runHistory } from './run-history.ts';
import { Teardowns } from './teardowns.ts';

const MINUTES_MAX = 24 * 60;
/** A run is over after this, so that its history stays small; the next one has the next seed. */
const RUN_MINUTES_MAX = 3;
const SHOWN_MAX = 20;

const USAGE = `npm run test:histories -- [--minutes N] [--seed S] [--gateways N] [--calm]
npm run test:histories -- --check FOLDER`;

interface Wanted {
  readonly minutes: number;
  readonly seed: number;
  readonly gateways: number;
  /** Changes only, and nothing that fails: more of them meet each other. */
  readonly calm: boolean;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
      gateways: { type: 'string', default: '3' },
      calm: { type: 'boolean', default: false },
      check: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.check !== undefined) return check(values.check);
  const wanted = {
    minutes: inRange('minutes', values.minutes, 0.1, MINUTES_MAX),
    seed: inRange('seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
    gateways: inRange('gateways', values.gateways, 2, 16),
    calm: values.calm,
  };
  return runAll(wanted);
}

function inRange(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new RangeError(`--${name} is a number from ${least} to ${most}, not ${text}`);
}

async function check(folder: string): Promise<number> {
  const { violations, counts } = checkHistory(await readHistory(folder));
  console.log(JSON.stringify(counts));
  return verdictOf(violations);
}

async function runAll({ minutes, seed, ...wanted }: Wanted): Promise<number> {
  let leftMs = minutes * 60_000;
  for (let run = 0; leftMs > 0; run += 1) {
    const forMs = Math.min(leftMs, RUN_MINUTES_MAX * 60_000);
    leftMs -= forMs;
    const code = await runOnce({ ...wanted, minutes: forMs / 60_000, seed: seed + run });
    if (code !== 0) return code;
  }
  return 0;
}

async function runOnce({ minutes, seed, gateways, calm }: Wanted): Promise<number> {
  console.log(`seed ${seed}, ${minutes.toFixed(1)} minutes, ${gateways} gateways${calm ? ', calm' : ''}`);
  const teardowns = new Teardowns();
  const interrupted = (): void => void teardowns.run().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const { violations, summary, dir } = await runHistory(teardowns, {
      seed,
      forMs: minutes * 60_000,
      gateways,
      ...(calm ? { misfortunesMs: 'calm' } : {}),
      keep,
    });
    for (const line of summary) console.log(line);
    if (violations.length > 0) console.log(`kept in ${keep(dir)}`);
    return verdictOf(violations);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await teardowns.run();
  }
}

/** Copies the history, the logs and the configurations to where nobody removes them. */
function keep(dir: string): string {
  const kept = mkdtempSync(join(tmpdir(), 'turnout-kept-history-'));
  cpSync(dir, kept, { recursive: true });
  return kept;
}

function verdictOf(violations: readonly Violation[]): number {
  for (const { property, user, text } of violations.slice(0, SHOWN_MAX)) {
    console.log(`property ${property}${user === undefined ? '' : `, ${user}`}: ${text}`);
  }
  if (violations.length > SHOWN_MAX) console.log(`and ${violations.length - SHOWN_MAX} more`);
  console.log(violations.length === 0 ? 'nothing is violated' : `VIOLATED ${violations.length} times`);
  return violations.length === 0 ? 0 : 1;
}
