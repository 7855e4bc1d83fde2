/**
 * Everything that one worker runs, opened in order and closed in the reverse order: the record, the state
 * map, the agent that speaks for the gateway, the gateway. The same in a process of its own and in a single process,
 * which also runs the control service.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { HypotheticalRequest } from '../admin/admin-source.ts';
import type { ConfigModel } from '../config/model.ts';
import { truthDigest } from '../config/truth-digest.ts';
import type { Control } from '../cutover/control.ts';
import { GatewayAgent } from '../cutover/gateway-agent.ts';
import { InFlightWrites } from '../cutover/in-flight-writes.ts';
import { createGateway } from '../gateway.ts';
import { AttemptCounter } from '../guard/attempt-counter.ts';
import type { GuardEngine } from '../guard/guard-engine.ts';
import { guardSettings } from '../guard/guard-settings.ts';
import type { CountingSettings } from '../guard/open-attempts.ts';
import { ReportLoop } from '../guard/report-loop.ts';
import type { Explanation } from '../pipeline/explain-request.ts';
import type { ReportReader } from '../reports/create-report-reader.ts';
import { createControlMap } from '../state/create-control-map.ts';
import { createSlotFeed } from '../state/create-slot-feed.ts';
import { createState } from '../state/create-state.ts';
import type { StateMap } from '../state/state-map.ts';
import { createRecord } from '../storage/create-record.ts';
import type { RecordStore } from '../storage/record-store.ts';
import type { ProcessTelemetry } from '../telemetry/create-telemetry.ts';
import { CountedComparisons } from './counted-comparisons.ts';
import { controlOf } from './open-control.ts';
import { guardOf } from './open-guard.ts';
import { readerOf, reportSettings, reportsOf } from './open-reports.ts';

/** The part of a gateway that its process uses. */
export interface OpenGateway {
  readonly address: { readonly host: string; readonly port: number };
  readonly state: Pick<StateMap, 'snapshot' | 'status'>;
  /** In a single process. */
  readonly control?: Control;
  /** In a single process. */
  readonly guard?: GuardEngine;
  /** In a single process. */
  readonly reports?: ReportReader;
  explain(request: HypotheticalRequest): Promise<Explanation>;
  reload(next: ConfigModel): void;
  inFlight(): number;
  /**
   * @param options.graceMs bound on requests in flight, milliseconds
   * @returns the number of connections that were cut
   */
  close(options: { graceMs: number }): Promise<{ cut: number }>;
}

/** What a gateway calls itself among the gateways. */
export interface GatewayName {
  /** Unique for each start. */
  readonly id: string;
  /** The number of its worker; `undefined` in a single process. */
  readonly worker: string | undefined;
}

/** Opens a gateway; a test has one that needs no stores. Rejects in words for an operator. */
export type OpenGatewayFn = (
  config: ConfigModel,
  telemetry: ProcessTelemetry,
  name?: GatewayName,
) => Promise<OpenGateway>;

/** For people who look for the process. */
function whereOf({ worker }: GatewayName): string {
  const place = `${hostname()}, process ${process.pid}`;
  return worker === undefined ? place : `${place}, worker ${worker}`;
}

function countingSettings({ guard }: ConfigModel): CountingSettings {
  const { failures, stalledMs } = guardSettings(guard);
  return { failures, stalledAfterMs: stalledMs };
}

/** An embedded map has one process, which is this one: whoever is registered besides it has crashed. */
async function strikeOffPredecessors({ changes }: RecordStore): Promise<void> {
  for (const { id } of await changes.registeredGateways()) await changes.deregisterGateway(id);
}

export async function openGateway(
  first: ConfigModel,
  telemetry: ProcessTelemetry,
  name: GatewayName = { id: randomUUID(), worker: undefined },
): Promise<OpenGateway> {
  const { log } = telemetry;
  const now = (): number => performance.now();
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close();
  };
  let config = first;
  try {
    const record = await createRecord(config.record, log);
    closers.push(() => record.close());
    const reports = reportsOf(config, record, log);
    closers.push(() => reports.stop());
    telemetry.watchReports(reports);
    await reports.start();
    const state = createState({ config, record, log, clock: now });
    await state.start();
    closers.push(() => state.close());
    telemetry.watchState(state);
    const map = createControlMap({ config, record, log, state });
    closers.push(() => map.close());
    const alone = config.state.kind === 'embedded';
    if (alone) await strikeOffPredecessors(record);
    const attempts = new AttemptCounter(countingSettings(config), now);
    const writes = new InFlightWrites();
    const agent = new GatewayAgent({
      id: name.id,
      where: whereOf(name),
      registry: record.changes,
      map,
      state,
      writes,
      digest: truthDigest(config),
      selfFenceAfterMs: config.cutover.selfFenceAfterMs,
      alone,
      log,
      now,
    });
    // Before it listens: whoever moves a truth has to wait for this gateway too.
    await agent.start();
    closers.push(() => agent.close());
    const feed = createSlotFeed(config, log);
    closers.push(() => feed.close());
    const telling = new ReportLoop({ gateway: name.id, counter: attempts, feed, log, now });
    telling.start();
    closers.push(() => telling.close());
    telemetry.watchCounts({
      totals: () => attempts.totals(),
      get published() {
        return telling.published;
      },
      get dropped() {
        return telling.dropped;
      },
    });
    const gateway = await createGateway({
      config,
      state,
      telemetry,
      writes,
      fence: agent,
      reports: { sink: new CountedComparisons(reports, attempts), rules: reports },
      attempts,
      now,
    });
    const isSingle = name.worker === undefined;
    const control = isSingle ? controlOf(() => config, record, map, log) : undefined;
    const guard =
      control === undefined
        ? undefined
        : guardOf({
            config: () => config,
            record,
            control,
            feed,
            log,
            hints: { epoch: () => state.snapshot.epoch, alone },
          });
    if (guard !== undefined) telemetry.watchGuard(guard);
    const reader = isSingle ? readerOf(() => config, record) : undefined;
    if (reader !== undefined) closers.push(() => reader.close());
    return {
      address: gateway.address,
      state,
      ...(control === undefined ? {} : { control }),
      ...(guard === undefined ? {} : { guard }),
      ...(reader === undefined ? {} : { reports: reader }),
      explain: (request) => gateway.explain(request),
      reload: (next) => {
        config = next;
        gateway.reload(next);
        reports.configure(reportSettings(next));
        attempts.reconfigure(countingSettings(next));
        agent.reconfigure(truthDigest(next));
      },
      inFlight: () => gateway.inFlight(),
      close: async ({ graceMs }) => {
        // While the gateway still answers to it.
        const guarded = guard?.close();
        await control?.close();
        await guarded;
        const result = await gateway.close({ graceMs });
        await closeAll();
        return result;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
