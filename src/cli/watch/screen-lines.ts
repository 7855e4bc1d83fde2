/** The live view as lines, for a terminal of some width. Pure. */
import type { CohortGuardDocument } from '../../admin/guard-documents.ts';
import type { LiveDocument } from '../../admin/live-document.ts';
import { metricValue } from '../../admin/trip-sentences.ts';
import type { Backend } from '../../model.ts';
import { changeInWords } from '../../wording/change-in-words.ts';
import { durationInWords, secondsInWords } from '../../wording/duration-in-words.ts';
import { printable, timeInWords } from '../../wording/printable.ts';
import { runInWords } from '../../wording/ramp-in-words.ts';
import type { Style } from '../writer.ts';
import { type LiveModel, SECONDS_KEPT, type SideSeries } from './live-model.ts';
import { sparkline } from './sparkline.ts';

export interface Part {
  readonly text: string;
  readonly style?: Style;
}
export type Line = readonly Part[];

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  /** Bars of ASCII. */
  readonly plainBars: boolean;
  /** Of a monotonic clock. */
  readonly nowMs: number;
  /** Since when there is no connection, of the same clock, and why. */
  readonly lost: { readonly sinceMs: number; readonly why: string } | undefined;
}

/** Three charts beside each other need this; below it figures alone are shown. */
const SPARK_MIN = 6;
/** What is beside the charts on a backend's line. */
const FIGURES_COLUMNS = 66;
const STALE_MS = 3_000;

const part = (text: string, style?: Style): Part => (style === undefined ? { text } : { text, style });

/** Cut at the edge of the terminal. */
export function fitted(line: Line, columns: number): Line {
  const parts: Part[] = [];
  let left = columns;
  for (const one of line) {
    if (left <= 0) break;
    parts.push({ ...one, text: one.text.slice(0, left) });
    left -= one.text.length;
  }
  return parts;
}

function header({ status, at }: LiveDocument): Line[] {
  const { version, uptimeMs, stores, registry, gateways } = status;
  const { state, record } = stores;
  const map = state === null ? part('state map unknown', 'red') : mapPart(state);
  const lines: Line[] = [
    [
      part(`turnout ${version}`, 'bold'),
      part(`  up ${durationInWords(uptimeMs)}  epoch ${state?.epoch ?? '?'}  `),
      map,
      part(`  record ${record.kind}  ${timeInWords(at)}`, 'dim'),
    ],
  ];
  const inFlight = gateways.reduce((sum, gateway) => sum + gateway.inFlight, 0);
  if (registry === null)
    lines.push([part('The record or the state map does not answer: nothing can be changed.', 'red')]);
  else {
    const live = registry.filter(({ state: verdict }) => verdict === 'live').length;
    const others = registry.length - live;
    lines.push([
      part(live === 1 ? '1 gateway live' : `${live} gateways live`),
      part(others === 0 ? '' : `, ${others} silent or fenced`, 'red'),
      part(`, ${inFlight} requests in flight`, 'dim'),
    ]);
  }
  return lines;
}

function mapPart({
  kind,
  attachment,
  detachedMs,
}: NonNullable<LiveDocument['status']['stores']['state']>): Part {
  if (attachment === 'attached') return part(`state map ${kind}`);
  return part(`state map ${kind} ${attachment} for ${durationInWords(detachedMs)}`, 'red');
}

function connection(model: LiveModel, { lost, nowMs }: ScreenOptions): Line[] {
  if (lost !== undefined) {
    const since = durationInWords(nowMs - lost.sinceMs);
    return [[part(`Connection lost for ${since}: ${printable(lost.why)} Trying again.`, 'red')]];
  }
  const age = model.ageMs(nowMs);
  return age < STALE_MS ? [] : [[part(`Nothing new for ${durationInWords(age)}.`, 'yellow')]];
}

/** What the guard says of it, in a few words. */
function guardParts(guard: CohortGuardDocument | undefined): Part[] {
  if (guard === undefined) return [];
  const { phase, trip, judgements } = guard;
  if (phase === 'tripped') {
    return [part('TRIPPED', 'red'), part(trip === null ? '' : ` ${trip.condition.name}`, 'red')];
  }
  if (phase === 'cooling') return [part(`${trip?.condition.name ?? 'a condition'} tripped`, 'yellow')];
  if (phase === 'idle') return [part('nobody on new', 'dim')];
  const worst = (['tripped', 'uncertain', 'no-data'] as const).find((verdict) =>
    judgements.some((judgement) => judgement.verdict === verdict),
  );
  switch (worst) {
    case 'tripped':
      return [part('tripping', 'red')];
    case 'uncertain':
      return [part('uncertain', 'yellow')];
    case 'no-data':
      return [part('no data', 'dim')];
    case undefined:
      return [part('healthy', 'green')];
    default:
      worst satisfies never;
      return [];
  }
}

const percent = (share: number | undefined): string =>
  share === undefined ? '-' : metricValue('errorRate', share);
const ms = (value: number | undefined): string =>
  value === undefined ? '-' : metricValue('meanLatencyMs', value);

/** `3.2`, `1,204` */
function rate(perSecond: number): string {
  return perSecond < 10 ? String(Number(perSecond.toFixed(1))) : Math.round(perSecond).toLocaleString('en');
}

function highest(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

function sideLine(side: Backend, series: SideSeries, { columns, plainBars }: ScreenOptions): Line {
  const { requests, failedShare, meanLatencyMs, now } = series;
  const room = Math.floor((columns - FIGURES_COLUMNS) / 3);
  const width = room < SPARK_MIN ? 0 : Math.min(room, SECONDS_KEPT / 2);
  const chart = (values: readonly (number | undefined)[], least: number, style?: Style): Part =>
    part(sparkline(values, width, Math.max(least, highest(values)), plainBars), style);
  const failing = (now.failedShare ?? 0) > 0;
  return [
    part(`  ${side.padEnd(6)}`, 'dim'),
    part(` ${rate(now.requestsPerSecond).padStart(7)}/s `),
    chart(requests, 1),
    part(`  failed ${percent(now.failedShare).padStart(7)} `, failing ? 'red' : undefined),
    chart(failedShare, 0.1, failing ? 'red' : undefined),
    part(`  mean ${ms(now.meanLatencyMs).padStart(8)} `),
    chart(meanLatencyMs, 10),
    part(`  p99 ${ms(now.p99LatencyMs).padStart(8)}`, 'dim'),
  ];
}

function cohortLines(model: LiveModel, live: LiveDocument, options: ScreenOptions): Line[] {
  const guards = new Map(live.guard?.cohorts.map((guard) => [guard.cohort, guard]) ?? []);
  return live.status.cohorts.flatMap(({ name, stage, ramp, held }) => {
    const guard = guards.get(name);
    const lines: Line[] = [
      [
        part(printable(name), 'bold'),
        part(`  ${stage} ${ramp}  `),
        ...guardParts(guard),
        part(held ? '  HELD: writes wait' : '', 'yellow'),
      ],
    ];
    for (const side of ['legacy', 'new'] as const) {
      lines.push(sideLine(side, model.series(name, side, options.nowMs), options));
    }
    const ramping = guard?.ramp;
    if (ramping !== undefined && ramping !== null && ramping.endedAt === null) {
      lines.push([part('  ramp ', 'dim'), part(runInWords(ramping))]);
    }
    return lines;
  });
}

function changeLines({ status }: LiveDocument): Line[] {
  const { changes } = status;
  if (changes === null || changes.length === 0) return [];
  return [
    [],
    [part('changes in progress', 'dim')],
    ...changes.map((change): Line => {
      const note = change.note === null ? '' : `: ${printable(change.note)}`;
      const whose = change.cohort === null ? '' : `${printable(change.cohort)} `;
      return [part(`  ${whose}${changeInWords(change)}  `), part(`${change.phase}${note}`, 'yellow')];
    }),
  ];
}

function tripLines({ guard }: LiveDocument): Line[] {
  const trips = (guard?.cohorts ?? []).flatMap(({ trip }) => trip ?? []);
  if (trips.length === 0) return [];
  const newest = trips.toSorted((a, b) => (a.trippedAt < b.trippedAt ? 1 : -1));
  return [
    [],
    [part('trips', 'dim')],
    ...newest.map(({ cohort, condition, action, trippedAt, untilInForceMs, clearedAt, figures }): Line => {
      const value = figures.value === null ? '' : ` at ${metricValue(condition.metric, figures.value)}`;
      const back = untilInForceMs === null ? '' : `, in force after ${secondsInWords(untilInForceMs)}`;
      const name = printable(cohort);
      const next = clearedAt !== null ? ', cleared' : action === 'rollback' ? `: turnout guard show` : '';
      const style = clearedAt === null && action === 'rollback' ? 'red' : undefined;
      return [
        part(`  ${timeInWords(trippedAt)}  ${name}  `),
        part(`${condition.name}${value}`, style),
        part(`  ${action}${back}${next}`),
      ];
    }),
  ];
}

/** @returns at most so many lines as the terminal has, none of them wider than it */
export function screenLines(model: LiveModel, options: ScreenOptions): readonly Line[] {
  const { columns, rows } = options;
  const live = model.latest;
  if (live === undefined) return [[part('Waiting for the gateway …')]];
  const body = [
    ...header(live),
    ...connection(model, options),
    [],
    ...(live.guard === null ? [[part('The guard does not answer: rates are not known.', 'yellow')], []] : []),
    ...cohortLines(model, live, options),
    ...changeLines(live),
    ...tripLines(live),
  ];
  const foot: Line[] = [[], [part('q or Ctrl-C ends it', 'dim')]];
  const room = Math.max(1, rows - foot.length);
  const shown =
    body.length <= room
      ? body
      : [
          ...body.slice(0, room - 1),
          [part(`… ${body.length - room + 1} more lines: make the window higher`, 'dim')],
        ];
  return [...shown, ...foot].map((line) => fitted(line, columns));
}

/** One line for each cohort, for what is no terminal. */
export function plainLines(model: LiveModel, nowMs: number): readonly string[] {
  const live = model.latest;
  if (live === undefined) return [];
  const guards = new Map(live.guard?.cohorts.map((guard) => [guard.cohort, guard]) ?? []);
  const at = timeInWords(live.at);
  return live.status.cohorts.map(({ name, stage, ramp, held }) => {
    const sides = (['legacy', 'new'] as const).map((side) => {
      const { now } = model.series(name, side, nowMs);
      return `${side} ${rate(now.requestsPerSecond)}/s failed ${percent(now.failedShare)} mean ${ms(now.meanLatencyMs)}`;
    });
    const guard = guardParts(guards.get(name))
      .map(({ text }) => text)
      .join('');
    return [
      at,
      printable(name),
      `${stage} ${ramp}${held ? ' held' : ''}`,
      guard === '' ? '-' : guard,
      ...sides,
    ].join('  ');
  });
}
