/** The first file of a worker process. */
import './keep-heap-small.ts';
import { openGateway } from './open-gateway.ts';
import { runWorker } from './run-worker.ts';

runWorker(openGateway);
