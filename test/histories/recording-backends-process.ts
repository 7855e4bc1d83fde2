/**
 * Both backends, in one process so that their writes have one order. Each write is noted on disk when it begins
 * and when it is applied. A write that came as a whole is applied, also when nobody waits for it any more.
 */
import { createWriteStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Backend } from './checker/history.ts';
import { nowMs } from './clock.ts';
import { Seeded } from './seeded.ts';

export interface BackendsPlan {
  readonly file: string;
  readonly seed: number;
  /** How long a write takes: usually up to `quickMs`, and a share of them up to `slowMs`. */
  readonly quickMs: number;
  readonly slowMs: number;
  readonly slowShare: number;
}

/** What `new` does with reads from now on. */
export type ReadsOrder = 'serve' | 'fail' | 'reset' | 'hang';

/** One line of the log: `b` begins a write, `a` applies it. */
export type LogLine = readonly [
  seq: number,
  what: 'b' | 'a',
  backend: Backend,
  user: string,
  value: string,
  atMs: number,
  /** Of `a`: where and when it began. */
  beganSeq: number,
  beganMs: number,
];

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  let body = '';
  request.setEncoding('utf8');
  try {
    for await (const piece of request) body += String(piece);
  } catch {
    return undefined;
  }
  return request.complete ? body : undefined;
}

async function serve(plan: BackendsPlan): Promise<{ readonly [B in Backend]: number }> {
  const random = new Seeded(plan.seed).fork('backends');
  const log = createWriteStream(plan.file);
  const note = (line: LogLine): void => void log.write(`${JSON.stringify(line)}\n`);
  let seq = 0;
  let reads: ReadsOrder = 'serve';
  const open = async (backend: Backend): Promise<number> => {
    const last = new Map<string, string>();
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const user = String(request.headers['x-user']);
      if (request.method === 'GET' && backend === 'new' && reads !== 'serve') {
        if (reads === 'fail') response.writeHead(500).end();
        else if (reads === 'reset') request.socket.resetAndDestroy();
        return;
      }
      if (request.method === 'GET') {
        response.end(JSON.stringify({ backend, user, value: last.get(user) ?? null }));
        return;
      }
      const value = String(request.headers['x-value']);
      seq += 1;
      const [beganSeq, beganMs] = [seq, nowMs()];
      note([beganSeq, 'b', backend, user, value, beganMs, beganSeq, beganMs]);
      const slow = random.chance(plan.slowShare);
      const takesMs = random.between(0, slow ? plan.slowMs : plan.quickMs);
      if ((await bodyOf(request)) === undefined) return;
      await delay(takesMs);
      seq += 1;
      last.set(user, value);
      note([seq, 'a', backend, user, value, nowMs(), beganSeq, beganMs]);
      response.end(JSON.stringify({ backend, user, value }));
    };
    const server = createServer((request, response) => void answer(request, response));
    server.keepAliveTimeout = 30_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  };
  process.on('message', (order: { readonly reads: ReadsOrder }) => {
    reads = order.reads;
    process.send?.({ reads });
  });
  process.on('disconnect', () => log.end(() => process.exit(0)));
  return { legacy: await open('legacy'), new: await open('new') };
}

process.once('message', (plan: BackendsPlan) => {
  void serve(plan).then((ports) => process.send?.(ports));
});
