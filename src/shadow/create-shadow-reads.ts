/** Shadow reads as one gateway has them: clients of its own, and the rules of its configuration. */
import { type CompiledRules, compileRules, NO_RULES } from '../comparison/compile-rules.ts';
import type { ConfigModel, RouteModel } from '../config/model.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { ShadowClient } from '../upstream/shadow-client.ts';
import type { DecidedRead } from './chosen-read.ts';
import { CountedSink } from './counted-sink.ts';
import { LoopLag } from './loop-lag.ts';
import type { ReportSink } from './report-sink.ts';
import type { RunTimeRules } from './rule-book.ts';
import type { ShadowSettings } from './settings.ts';
import { ShadowReads } from './shadow-reads.ts';

/** Where shadow reads are told to, and what a test decides for itself. */
export interface ShadowReports {
  readonly sink: ReportSink;
  readonly rules?: RunTimeRules;
  /** Whether the event loop is late; measured unless given. */
  readonly lagging?: () => boolean;
  /** 0 to 1. */
  readonly random?: () => number;
  /** Bound on the bodies that are kept at a time; 64 of the largest that are allowed unless given. */
  readonly keptBytesMax?: number;
  /** How long a backend that is down is left alone, milliseconds. */
  readonly breakerResetMs?: number;
}

export interface ShadowWiring {
  readonly config: ConfigModel;
  readonly reports: ShadowReports;
  readonly telemetry: Telemetry;
  readonly stands: (decided: DecidedRead) => boolean | Promise<boolean>;
  readonly now: () => number;
}

/** What a gateway does with its shadow reads. */
export interface GatewayShadow {
  readonly reads: ShadowReads;
  reconfigure(config: ConfigModel): void;
  close(): Promise<void>;
}

export function createShadowReads({ config, reports, telemetry, stands, now }: ShadowWiring): GatewayShadow {
  const { backends } = config;
  const { lagging, random = Math.random, rules: runTime, keptBytesMax, breakerResetMs } = reports;
  const lag = new LoopLag(now);
  const onDefect = (error: unknown): void => {
    telemetry.log.error({ event: 'defect', err: error }, 'a shadow read met a defect of the gateway');
  };
  const clientOptions = { now, ...(breakerResetMs === undefined ? {} : { resetMs: breakerResetMs }) };
  let configured = rulesByRoute(config.routes);
  const reads = new ShadowReads(shadowSettings(config), {
    clients: {
      legacy: new ShadowClient('legacy', backends.legacy, clientOptions),
      new: new ShadowClient('new', backends.new, clientOptions),
    },
    rules: { rulesOf: (route) => runTime?.rulesOf(route) ?? configured.get(route) ?? NO_RULES },
    sink: new CountedSink(reports.sink, telemetry, onDefect),
    stands,
    lagging: lagging ?? (() => lag.lagging),
    random,
    now,
    keptBytesMax,
    onDefect,
  });
  return {
    reads,
    reconfigure: (next) => {
      configured = rulesByRoute(next.routes);
      reads.reconfigure(shadowSettings(next));
    },
    close: async () => {
      await reads.close();
      lag.stop();
    },
  };
}

/** The rules of the configuration, by the name of their route. */
export function rulesByRoute(routes: readonly RouteModel[]): ReadonlyMap<string, CompiledRules> {
  const rules = new Map<string, CompiledRules>();
  for (const { name, compare } of routes) {
    if (compare === undefined) continue;
    const compiled = compileRules(compare);
    // The configuration was refused otherwise.
    if (compiled.rules !== undefined) rules.set(name, compiled.rules);
  }
  return rules;
}

function shadowSettings({ shadow, identity, forwarding }: ConfigModel): ShadowSettings {
  const tokenHeaders = new Set(identity.flatMap((source) => (source.from === 'jwt' ? [source.header] : [])));
  return { ...shadow, tokenHeaders, pseudonym: forwarding.via };
}
