/** Sends requests to several gateways at one fixed rate, and says how long those of each took. */
import { Pool } from 'undici';
import { percentile } from '../statistics.ts';
import type { PacedLoad, PacedResult } from './shadow-cases.ts';

class Target {
  readonly #pool: Pool;
  readonly #tookMs: number[] = [];
  #errors = 0;

  constructor(port: number) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections: 64, pipelining: 1, allowH2: false });
  }

  async ask(number: number, dueMs: number): Promise<void> {
    try {
      const headers = { 'x-user-id': `u${number % 1_000}` };
      const answer = await this.#pool.request({ method: 'GET', path: '/api/items', headers });
      await answer.body.dump();
      if (answer.statusCode === 200) this.#tookMs.push(performance.now() - dueMs);
      else this.#errors += 1;
    } catch {
      this.#errors += 1;
    }
  }

  async close(): Promise<PacedResult> {
    await this.#pool.close();
    const tookMs = this.#tookMs;
    return {
      answers: tookMs.length,
      errors: this.#errors,
      p50Ms: percentile(tookMs, 0.5),
      p99Ms: percentile(tookMs, 0.99),
    };
  }
}

const orphaned = (): never => process.exit(1);
process.on('disconnect', orphaned);
const load: PacedLoad = JSON.parse(process.argv[2] ?? '');
const result = JSON.stringify(await run(load));
process.off('disconnect', orphaned);
process.send?.(result, () => process.disconnect?.());

async function run({ ports, rate, seconds }: PacedLoad): Promise<PacedResult[]> {
  const targets = ports.map((port) => new Target(port));
  const startedMs = performance.now();
  const total = Math.round(rate * seconds);
  const under: Promise<void>[] = [];
  for (let sent = 0; sent < total; ) {
    const dueMs = startedMs + (sent * 1_000) / rate;
    if (performance.now() >= dueMs) {
      // Whoever is asked second waits for the first: each of them half of the times.
      const inTurn = sent % 2 === 0 ? targets : targets.toReversed();
      for (const target of inTurn) under.push(target.ask(sent, dueMs));
      sent += 1;
    } else await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(under);
  return Promise.all(targets.map((target) => target.close()));
}
