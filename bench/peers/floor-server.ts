/**
 * The least that an honest proxy does: it streams both ways with back-pressure, drops hop-by-hop headers both
 * ways, tells the backend when the client has left, and answers 502 when the backend fails. No routing, no
 * identity, no metrics, no logs, no deadlines of its own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import { announceReady } from '../announce-ready.ts';
import { BACKEND_CONNECTIONS } from './peer.ts';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, {
  connections: BACKEND_CONNECTIONS,
  pipelining: 1,
  allowH2: false,
});

const server = createServer((request, response) => {
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  pool.dispatch(
    {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: endToEnd(request.rawHeaders, request.headers.connection),
      body: hasBody ? request : null,
    },
    new Relay(request, response),
  );
});

class Relay implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('the client has left'));
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#response.destroyed) controller.abort(new Error('the client has left'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    message?: string,
  ): void {
    if (status < 200) return;
    const { rawHeaders } = controller;
    const raw: string[] = [];
    if (Array.isArray(rawHeaders)) {
      for (const field of rawHeaders) raw.push(typeof field === 'string' ? field : field.toString('latin1'));
    }
    const connection = headers['connection'];
    const named = Array.isArray(connection) ? connection.join(',') : connection;
    this.#response.writeHead(status, message, endToEnd(raw, named));
    this.#response.on('drain', () => controller.resume());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    if (this.#response.headersSent) {
      this.#response.destroy();
    } else {
      this.#request.resume();
      this.#response.writeHead(502, { 'content-length': 0 }).end();
    }
  }
}

/** Drops the hop-by-hop headers and those that `Connection` names. */
function endToEnd(raw: readonly string[], connection: string | undefined): string[] {
  const named =
    connection === undefined || connection === 'keep-alive'
      ? undefined
      : new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named?.has(lower) === true) continue;
    kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

await announceReady([server], { keepAliveMs: 600_000 });
