import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Backend } from '../../src/model.ts';
import { startGateway, type TestGateway } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';
import type { Transfer, TransferResult } from './large-body-ends.ts';

const MIB = 1024 * 1024;
/** What one transfer may add to the memory of the process, whatever its size. */
const GROWTH_MAX = 80 * MIB;

type Message = { port?: number; result?: TransferResult; failure?: string };

class Ends {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async message(): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const exited = (code: number | null): void => reject(new Error(`the ends exited with ${code}`));
    this.#child.once('exit', exited);
    this.#child.once('message', (message: Message) => {
      this.#child.off('exit', exited);
      resolve(message);
    });
    return within(promise, 'the ends of the transfer', 60_000);
  }

  async transfer(asked: Transfer): Promise<TransferResult> {
    const answered = this.message();
    this.#child.send(asked);
    const { result, failure } = await answered;
    if (result === undefined) throw new Error(failure ?? 'no result');
    return result;
  }
}

async function startEnds(t: Test): Promise<{ ends: Ends; port: number }> {
  const script = new URL(`./large-body-ends${extname(import.meta.url)}`, import.meta.url);
  const child = fork(fileURLToPath(script), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.teardown(async () => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await exited;
  });
  const ends = new Ends(child);
  const { port = 0 } = await ends.message();
  return { ends, port };
}

/** The largest resident size of this process while `work` runs, bytes. */
async function peakWhile<T>(work: Promise<T>): Promise<{ peak: number; value: T }> {
  let peak = process.memoryUsage.rss();
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  try {
    return { value: await work, peak };
  } finally {
    clearInterval(timer);
  }
}

interface Case {
  readonly side: Backend;
  readonly direction: Transfer['direction'];
  readonly framing: Transfer['framing'];
  readonly bytes: number;
}

const GIB = 1024 * MIB;
/** Twice what the process may grow by, so that a body that is kept shows. */
const LESS = 160 * MIB;

/** Each framing and each direction crosses at the full size once, and every form on both backends. */
const CASES: readonly Case[] = [
  { side: 'legacy', direction: 'down', framing: 'sized', bytes: GIB },
  { side: 'new', direction: 'up', framing: 'chunked', bytes: GIB },
  { side: 'new', direction: 'down', framing: 'sized', bytes: LESS },
  { side: 'legacy', direction: 'up', framing: 'chunked', bytes: LESS },
  { side: 'legacy', direction: 'down', framing: 'chunked', bytes: LESS + 1 },
  { side: 'new', direction: 'down', framing: 'chunked', bytes: LESS + 1 },
  { side: 'legacy', direction: 'up', framing: 'sized', bytes: LESS + 1 },
  { side: 'new', direction: 'up', framing: 'sized', bytes: LESS + 1 },
];

async function cross(t: Test, ends: Ends, gateway: TestGateway, one: Case): Promise<void> {
  const user = one.side === 'legacy' ? 'leo' : 'nina';
  const { direction, framing, bytes } = one;
  const before = process.memoryUsage.rss();
  const work = ends.transfer({ gatewayPort: gateway.port, user, direction, framing, bytes });
  const { peak, value } = await peakWhile(work);
  t.equal(value.receivedBytes, bytes);
  t.equal(value.receivedCrc, value.sentCrc);
  const grown = Math.round((peak - before) / MIB);
  t.ok(peak - before < GROWTH_MAX, `${bytes / MIB} MiB cost ${grown} MiB of memory`);
}

// Far beyond what it takes, so that a busy machine does not fail it.
t.setTimeout(150_000);

void t.test(
  'a body of 1 GiB crosses in either direction and framing at constant memory',
  { timeout: 150_000 },
  async (t) => {
    const { ends, port } = await startEnds(t);
    const gateway = await startGateway(t, { backends: { legacy: port, new: port } });
    // Code is compiled and buffers are taken by the first one.
    await ends.transfer({
      gatewayPort: gateway.port,
      user: 'leo',
      direction: 'down',
      framing: 'sized',
      bytes: 64 * MIB,
    });
    await ends.transfer({
      gatewayPort: gateway.port,
      user: 'nina',
      direction: 'up',
      framing: 'chunked',
      bytes: 64 * MIB,
    });
    for (const one of CASES) {
      await t.test(
        `${one.direction}, ${one.framing}, ${Math.round(one.bytes / MIB)} MiB (${one.side})`,
        (t) => cross(t, ends, gateway, one),
      );
    }
    const counted = (await gateway.count('2xx', 'legacy')) + (await gateway.count('2xx', 'new'));
    t.equal(counted, CASES.length + 2);
  },
);
