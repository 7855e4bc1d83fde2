import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection behind the one that is served. No honest client sends more ahead. */
export const WAITING_MAX = 1_000;

const waitingBySocket = new WeakMap<Socket, number>();

/** Whether a request was sent ahead, while another one of the same connection is still being served. */
export function isAhead(response: ServerResponse): boolean {
  return response.socket === null;
}

/** Whether the connection was ended, by this side, before the request came: what it says is not read any more. */
export function isTooLate(response: ServerResponse): boolean {
  return response.socket?.writableEnded === true;
}

/**
 * Serves a request that was sent ahead when its turn comes. Node parses such requests at once and only puts the
 * answers in order; but a request may rely on the effect of the one before it (RFC 9112, 9.3.2), so the
 * gateway takes them one after the other. A client that leaves meanwhile has never asked.
 */
export function inTurn(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
  const { socket } = request;
  const waiting = (waitingBySocket.get(socket) ?? 0) + 1;
  if (waiting > WAITING_MAX) {
    socket.destroy();
    return;
  }
  waitingBySocket.set(socket, waiting);
  // Emitted when the answer before this one is out and the connection belongs to this answer.
  response.once('socket', () => {
    waitingBySocket.set(socket, (waitingBySocket.get(socket) ?? 1) - 1);
    serve();
  });
}
