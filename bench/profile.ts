/** CPU profiles of the peers that run in Node, taken through their inspector while they are under load. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const SAMPLING_INTERVAL_US = 200;

/**
 * Profiles a process while `work` runs.
 *
 * @param inspectorUrl what Node printed as the debugger's address
 * @param file where the `.cpuprofile` goes; any developer tools open it
 */
export async function profileWhile(
  inspectorUrl: string,
  file: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const inspector = await connect(inspectorUrl);
  try {
    await inspector.call('Profiler.enable');
    await inspector.call('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
    await inspector.call('Profiler.start');
    await work();
    const answer = await inspector.call('Profiler.stop');
    if (!isProfiled(answer)) throw new Error('the inspector sent no profile');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(answer.profile));
  } finally {
    inspector.close();
  }
}

interface Inspector {
  call(method: string, params?: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

async function connect(url: string): Promise<Inspector> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (answer: unknown) => void>();
  let lastId = 0;
  socket.addEventListener('message', ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    if (!isAnswer(message)) return;
    waiting.get(message.id)?.(message.result);
    waiting.delete(message.id);
  });
  await new Promise<void>((done, failed) => {
    socket.addEventListener('open', () => done());
    socket.addEventListener('error', () => failed(new Error(`no inspector at ${url}`)));
  });
  return {
    call: (method, params = {}) =>
      new Promise((done) => {
        lastId += 1;
        waiting.set(lastId, done);
        socket.send(JSON.stringify({ id: lastId, method, params }));
      }),
    close: () => socket.close(),
  };
}

function isAnswer(message: unknown): message is { id: number; result: unknown } {
  return typeof message === 'object' && message !== null && 'id' in message && 'result' in message;
}

function isProfiled(answer: unknown): answer is { profile: unknown } {
  return typeof answer === 'object' && answer !== null && 'profile' in answer;
}
