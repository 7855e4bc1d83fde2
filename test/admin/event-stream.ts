/** Reads server-sent events (WHATWG HTML, 9.2) of one connection, as they come. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Test } from 'tap';

export interface StreamEvent {
  readonly name: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export interface EventStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Everything that is not an event: `retry` and comments. */
  readonly rest: string[];
  /** @throws when the stream ended before */
  next(): Promise<StreamEvent>;
  /** Resolves when the other side ended it. */
  readonly ended: Promise<unknown>;
  readonly response: IncomingMessage;
}

export async function openStream(
  t: Test,
  port: number,
  { path = '/api/v1/events', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<EventStream> {
  const request = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false });
  request.on('error', () => undefined);
  request.end();
  t.teardown(() => request.destroy());
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('no response');
  const blocks: string[] = [];
  const waiting: (() => void)[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    blocks.push(...parts);
    for (const wake of waiting.splice(0)) wake();
  });
  const ended = Promise.race([once(response, 'end'), once(response, 'close')]).catch(() => undefined);
  let isOver = false;
  void ended.then(() => {
    isOver = true;
    for (const wake of waiting.splice(0)) wake();
  });
  const rest: string[] = [];
  const next = async (): Promise<StreamEvent> => {
    for (;;) {
      const block = blocks.shift();
      if (block === undefined) {
        if (isOver) throw new Error('the stream is over');
        await new Promise<void>((resolve) => waiting.push(resolve));
        continue;
      }
      const fields = new Map(
        block.split('\n').map((line) => {
          const at = line.indexOf(': ');
          return [line.slice(0, at), line.slice(at + 2)] as const;
        }),
      );
      const data = fields.get('data');
      if (data === undefined) {
        rest.push(block);
        continue;
      }
      return { name: fields.get('event') ?? '', id: fields.get('id') ?? '', data: JSON.parse(data) };
    }
  };
  return { status: response.statusCode ?? 0, headers: response.headers, rest, next, ended, response };
}
