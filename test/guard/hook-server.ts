/** A real server that is told things, and takes them or not. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Teardown } from '../harness/teardown.ts';

export interface Told {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body. */
  readonly body: {
    readonly event: string;
    readonly id: string;
    readonly cohort: string;
    readonly [key: string]: unknown;
  };
  readonly status: number;
}

/** A status; `hang`: never answers; `cut`: closes the connection. */
export type Answer = number | 'hang' | 'cut';

export class HookServer {
  readonly told: Told[] = [];
  /** For the next ones, one after the other; then 204. */
  readonly answers: Answer[] = [];
  readonly url: string;
  readonly #waiting = new Set<() => void>();

  private constructor(url: string) {
    this.url = url;
  }

  static async start(t: Teardown): Promise<HookServer> {
    const http = createServer((request, response) => {
      void (async () => {
        let text = '';
        for await (const chunk of request) text += String(chunk);
        const answer = server.answers.shift() ?? 204;
        server.#note({ headers: request.headers, text, body: JSON.parse(text), status: Number(answer) });
        if (answer === 'cut') request.destroy();
        else if (answer !== 'hang') response.writeHead(answer).end('thanks');
      })();
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.teardown(() => {
      http.closeAllConnections();
      http.close();
    });
    const address: AddressInfo | string | null = http.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const server = new HookServer(`http://127.0.0.1:${port}/hook/s3cret`);
    return server;
  }

  #note(told: Told): void {
    this.told.push(told);
    for (const wake of this.#waiting) wake();
  }

  /** Resolves when there are that many. */
  async until(count: number): Promise<void> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}

/** As a receiver checks it. */
export function isSigned({ headers, text }: Told, secret: string): boolean {
  const found = /^t=(\d+),v1=([0-9a-f]{64})$/u.exec(String(headers['turnout-signature']));
  const [, seconds, digest] = found ?? [];
  const isFresh = Math.abs(Date.now() / 1_000 - Number(seconds)) < 60;
  return isFresh && createHmac('sha256', secret).update(`${seconds}.${text}`).digest('hex') === digest;
}
