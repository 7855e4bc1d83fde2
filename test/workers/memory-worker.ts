/**
 * A worker process with the real gateway and a state map in memory, so that it needs no stores. Its pseudonym
 * in `Via` is its process id: a client sees which worker answered.
 */
import { createGateway } from '../../src/gateway.ts';
import { runWorker } from '../../src/workers/run-worker.ts';
import { MemoryState } from '../harness/memory-state.ts';

runWorker(async (config, telemetry) => {
  const state = new MemoryState(config.cohorts);
  telemetry.watchState(state);
  const forwarding = { ...config.forwarding, via: `w${process.pid}` };
  const gateway = await createGateway({ config: { ...config, forwarding }, state, telemetry });
  return {
    address: gateway.address,
    state,
    explain: (request) => gateway.explain(request),
    reload: (next) => gateway.reload({ ...next, forwarding }),
    inFlight: () => gateway.inFlight(),
    close: (options) => gateway.close(options),
  };
});
