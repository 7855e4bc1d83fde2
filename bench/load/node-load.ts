/** Load by a Node process of our own, where wrk is not installed: the same requests, at a higher cost. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Processes } from '../processes.ts';
import { type Burst, type LoadGenerator, parseBurstResult } from './load.ts';

const WORKER = fileURLToPath(new URL('./node-load-worker.js', import.meta.url));

export function createNodeLoad(processes: Processes): LoadGenerator {
  return {
    name: 'node (undici)',
    run: async (burst: Burst) => {
      const { child } = processes.start(process.execPath, [WORKER, JSON.stringify(burst)], {
        core: 'rest',
        ipc: true,
      });
      let result = '';
      child.on('message', (message) => {
        if (typeof message === 'string') result = message;
      });
      await once(child, 'exit');
      return parseBurstResult(result);
    },
  };
}
