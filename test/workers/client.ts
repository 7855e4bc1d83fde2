/** Clients that know, for each answer, which worker gave it, and that report each failure. */
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface Answered {
  readonly ok: boolean;
  /** The worker that answered; of a failed request on a kept connection, the one that answered before. */
  readonly worker: number;
  readonly problem?: string;
}

function workerOf(response: IncomingMessage): number {
  return Number(/w(\d+)/u.exec(String(response.headers['via']))?.[1] ?? 0);
}

/** One request. @param agent `false` for a connection of its own */
export async function get(port: number, agent: Agent | false, path = '/'): Promise<Answered> {
  const sent: ClientRequest = request({ host: '127.0.0.1', port, path, agent });
  sent.end();
  try {
    const [response]: IncomingMessage[] = await once(sent, 'response');
    if (response === undefined) return { ok: false, worker: 0, problem: 'no response' };
    response.resume();
    await once(response, 'end');
    const worker = workerOf(response);
    return response.statusCode === 200
      ? { ok: true, worker }
      : { ok: false, worker, problem: `status ${response.statusCode}` };
  } catch (error) {
    return { ok: false, worker: 0, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Requests one after the other on one kept connection, which it opens again only when it was told to. */
export class KeptConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  worker = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async get(path = '/'): Promise<Answered> {
    const answered = await get(this.#port, this.#agent, path);
    if (!answered.ok) return { ...answered, worker: this.worker };
    this.worker = answered.worker;
    return answered;
  }

  close(): void {
    this.#agent.destroy();
  }
}
