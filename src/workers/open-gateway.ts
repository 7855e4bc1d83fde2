/**
 * Everything that one worker runs, opened in order and closed in the reverse order: the record, the state
 * map, the gateway. The same in a process of its own and in a single process.
 */

import type { HypotheticalRequest } from '../admin/admin-source.ts';
import type { ConfigModel } from '../config/model.ts';
import { createGateway } from '../gateway.ts';
import type { Explanation } from '../pipeline/explain-request.ts';
import { createState } from '../state/create-state.ts';
import type { StateMap } from '../state/state-map.ts';
import { createRecord } from '../storage/create-record.ts';
import type { ProcessTelemetry } from '../telemetry/create-telemetry.ts';

/** The part of a gateway that its process uses. */
export interface OpenGateway {
  readonly address: { readonly host: string; readonly port: number };
  readonly state: Pick<StateMap, 'snapshot' | 'status'>;
  explain(request: HypotheticalRequest): Promise<Explanation>;
  reload(next: ConfigModel): void;
  inFlight(): number;
  /**
   * @param options.graceMs bound on requests in flight, milliseconds
   * @returns the number of connections that were cut
   */
  close(options: { graceMs: number }): Promise<{ cut: number }>;
}

/** Opens a gateway; a test has one that needs no stores. Rejects in words for an operator. */
export type OpenGatewayFn = (config: ConfigModel, telemetry: ProcessTelemetry) => Promise<OpenGateway>;

export async function openGateway(config: ConfigModel, telemetry: ProcessTelemetry): Promise<OpenGateway> {
  const { log } = telemetry;
  const closers: (() => Promise<unknown>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close();
  };
  try {
    const record = await createRecord(config.record, log);
    closers.push(() => record.close());
    const state = createState({ config, record, log, clock: () => performance.now() });
    await state.start();
    closers.push(() => state.close());
    telemetry.watchState(state);
    const gateway = await createGateway({ config, state, telemetry });
    return {
      address: gateway.address,
      state,
      explain: (request) => gateway.explain(request),
      reload: (next) => gateway.reload(next),
      inFlight: () => gateway.inFlight(),
      close: async ({ graceMs }) => {
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
