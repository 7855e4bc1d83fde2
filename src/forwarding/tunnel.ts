/**
 * Carries a WebSocket: the upgrade is forwarded to the backend, and once the backend has agreed, bytes go
 * both ways untouched (frames, extensions, subprotocols and back-pressure are the ends' own business).
 * A backend that refuses is answered for like any other answer.
 */

import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { TurnoutError } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import { request as httpRequest } from '../node-http.ts';
import type { BackendClient } from '../upstream/backend-client.ts';
import { backendFailure, type Progress } from '../upstream/failure.ts';
import { AnswerRelay } from './answer-relay.ts';
import { beginAttempt, beginRefused } from './begin-attempt.ts';
import type { ForwardPolicy } from './forward.ts';
import type { OpenTunnels } from './open-tunnels.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHead } from './response-headers.ts';

export interface TunnelClient {
  readonly socket: Socket;
  /** Takes the socket away from the answer that was prepared for a refusal. */
  readonly detach: () => void;
  /** What the client sent behind its request. */
  readonly early: Buffer;
}

/** Sends the upgrade of `exchange` to the backend. `exchange.answer` is used only if the backend refuses. */
export function tunnel(
  exchange: Exchange,
  { socket, early, detach }: TunnelClient,
  client: BackendClient,
  policy: ForwardPolicy,
  tunnels: OpenTunnels,
): void {
  if (!client.hasRoom) {
    beginRefused(exchange, client.backend, policy);
    exchange.fail(new TurnoutError('backend_overloaded'));
    return;
  }
  client.apart += 1;
  beginAttempt(exchange, client.backend, policy, undefined);
  let progress: Progress = 'connecting';
  let over = false;

  const sending = (client.secure ? httpsRequest : httpRequest)({
    // No pool: the connection is the tunnel's for as long as it lives.
    agent: false,
    ...client.tls,
    host: client.hostname,
    port: client.port,
    method: exchange.method,
    path: client.model.basePath + exchange.target,
    headers: upgradeHeaders(exchange, client, policy.pseudonym),
    setHost: false,
    setDefaultHeaders: false,
    maxHeaderSize: 64 * 1024,
  });
  const giveUp = (code: ErrorCode | undefined): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    sending.destroy();
    if (code !== undefined) exchange.fail(new TurnoutError(code));
  };
  let timer = setTimeout(() => giveUp('backend_connect_timeout'), client.model.connectMs);
  exchange.onInterrupt = giveUp;

  sending
    .on('socket', (backendSocket) => {
      backendSocket.once(client.secure ? 'secureConnect' : 'connect', () => {
        progress = 'sent';
        exchange.atBackend = true;
        clearTimeout(timer);
        timer = setTimeout(() => giveUp('backend_headers_timeout'), client.model.headersMs);
      });
    })
    .on('upgrade', (incoming, backendSocket, backendEarly) => {
      clearTimeout(timer);
      over = true;
      exchange.onInterrupt = undefined;
      exchange.handedOver(101);
      detach();
      socket.write(switchingProtocols(incoming, policy), 'latin1');
      if (backendEarly.length > 0) socket.write(backendEarly);
      if (early.length > 0) backendSocket.write(early);
      const close = (): void => {
        socket.destroy();
        backendSocket.destroy();
      };
      join(socket, backendSocket, () => !policy.fencedOff(exchange), close);
      tunnels.add({ exchange, close });
    })
    .on('response', (incoming) => {
      clearTimeout(timer);
      progress = 'answering';
      refuse(exchange, incoming, policy, () => giveUp('client_stalled'));
    })
    .on('error', (error) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      exchange.onInterrupt = undefined;
      exchange.fail(backendFailure(error, progress));
    })
    .on('close', () => {
      client.apart -= 1;
      clearTimeout(timer);
    })
    .end();
}

function upgradeHeaders(exchange: Exchange, client: BackendClient, pseudonym: string): string[] {
  const { head, connection, requestId } = exchange;
  const host = client.model.hostHeader === 'client' && head.host !== undefined ? head.host : client.host;
  const { httpVersion } = exchange.request;
  const headers = requestHeaders({ head, connection, requestId, http2: false, httpVersion }, host, pseudonym);
  headers.push('host', host, 'connection', 'Upgrade', 'upgrade', head.upgrade ?? 'websocket');
  return headers;
}

function switchingProtocols(incoming: IncomingMessage, policy: ForwardPolicy): string {
  const { headers } = responseHead(incoming.rawHeaders);
  let text = `HTTP/1.1 101 ${incoming.statusMessage ?? 'Switching Protocols'}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  text += `connection: Upgrade\r\nupgrade: ${incoming.headers.upgrade ?? 'websocket'}\r\n`;
  return `${text}via: ${policy.via}\r\n\r\n`;
}

/**
 * Joins two sockets until both directions have ended. What one side sent before it closed still reaches the
 * other; an error on either side ends both at once.
 *
 * @param mayPass asked before each piece that the client sent: a gateway that is fenced passes nothing on
 */
function join(client: Socket, backend: Socket, mayPass: () => boolean, close: () => void): void {
  client
    .on('data', (chunk: Buffer) => {
      if (!mayPass()) close();
      else if (!backend.write(chunk)) client.pause();
    })
    .once('end', () => backend.end());
  backend.on('drain', () => client.resume()).pipe(client);
  endWith(client, backend);
  endWith(backend, client);
}

function endWith(socket: Socket, other: Socket): void {
  socket.setTimeout(0).setKeepAlive(true, 15_000);
  socket.on('error', () => other.destroy()).on('close', () => other.destroySoon());
}

function refuse(
  exchange: Exchange,
  incoming: IncomingMessage,
  policy: ForwardPolicy,
  abandon: () => void,
): void {
  const relay = new AnswerRelay(exchange, policy, {
    pause: () => incoming.pause(),
    resume: () => incoming.resume(),
    abandon,
  });
  exchange.answer.closeAfter();
  relay.head(incoming.statusCode ?? 502, incoming.statusMessage ?? '', incoming.rawHeaders);
  incoming
    .on('data', (chunk: Buffer) => relay.data(chunk))
    .on('end', () => relay.end(incoming.rawTrailers))
    .on('error', (error) => exchange.fail(backendFailure(error, 'answering')));
}
