/** A gateway in a process of its own: told its configuration, says its port, ends in order when it is told to. */
import type { ConfigModel } from '../../src/config/model.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { type OpenGateway, openGateway } from '../../src/workers/open-gateway.ts';

export interface StartMessage {
  readonly id: string;
  readonly config: ConfigModel;
}

let gateway: OpenGateway | undefined;

async function start({ id, config }: StartMessage): Promise<void> {
  const telemetry = createTelemetry({ ...config.log, worker: id });
  // A worker's: the control service is in another process.
  gateway = await openGateway(config, telemetry, { id, worker: id });
  process.send?.({ port: gateway.address.port });
}

process.on('message', (message: StartMessage) => void start(message));
process.on('disconnect', () => {
  void (async () => {
    await gateway?.close({ graceMs: 1_000 });
    process.exit(0);
  })();
});
