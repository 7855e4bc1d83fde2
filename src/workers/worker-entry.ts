/** The first file of a worker process. */
import { openGateway } from './open-gateway.ts';
import { runWorker } from './run-worker.ts';

runWorker(openGateway);
