/** A primary in a process of its own, which a test can kill. Tells its port and its workers, then waits. */

import type { ConfigModel } from '../../src/config/model.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { startTurnout } from '../../src/workers/start-turnout.ts';
import { MEMORY_WORKER } from './running-workers.ts';

process.once('message', (config: ConfigModel) => {
  const telemetry = createTelemetry({ level: 'error', accessSample: 0, worker: 'primary' });
  void startTurnout({ config: { ...config, workers: 2 }, telemetry, workerEntry: MEMORY_WORKER }).then(
    async ({ address, adminAddress }) => {
      const response = await fetch(`http://127.0.0.1:${adminAddress.port}/api/v1/status`);
      process.send?.({ port: address.port, status: await response.json() });
    },
  );
});
