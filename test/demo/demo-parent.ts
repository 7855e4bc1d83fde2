/**
 * Not a test: a process that starts one sample backend, prints its pid and port as JSON, then whatever it
 * reports, and waits. It stands for the demo in tests that kill it.
 */
import { SampleBackend } from '../../src/demo/sample-backend.ts';

const [file = ''] = process.argv.slice(2);
const backend = new SampleBackend({
  shop: 'legacy',
  host: '127.0.0.1',
  port: 0,
  file,
  faults: true,
  report: (line) => console.log(line),
});
await backend.start();
console.log(JSON.stringify({ pid: backend.pid, port: backend.port }));
