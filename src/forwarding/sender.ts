/** Chooses the way in which a request is sent, by what its head and its body ask for. */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TurnoutError } from '../errors.ts';
import type { ClientRequest, Exchange } from '../intake/exchange.ts';
import type { BackendClient } from '../upstream/backend-client.ts';
import type { WholeBody } from '../upstream/request-bytes.ts';
import { beginRefused } from './begin-attempt.ts';
import type { FallbackRead } from './fallback-read.ts';
import type { FallbackReads } from './fallback-reads.ts';
import { Forward, type ForwardPolicy } from './forward.ts';
import { RequestBody } from './request-body.ts';

/** How long the first piece of a body may take before the head is sent without it, milliseconds. */
const FIRST_PIECE_MS = 10;

/** Bodies up to this are sent in one piece when they are there as a whole, bytes. */
const WHOLE_BYTES_MAX = 65_536;

export class Sender {
  /** Requests that are sending a body, to be found when the body breaks the protocol. */
  readonly #uploads = new WeakMap<Socket, Exchange>();
  /** Connections whose body broke the protocol before its request got so far as to be sent. */
  readonly #broken = new WeakSet<Socket>();
  readonly #fallback: FallbackReads | undefined;

  /** @param fallback without it every read ends as its backend has it */
  constructor(fallback: FallbackReads | undefined) {
    this.#fallback = fallback;
  }

  /**
   * Sends the request now, or as soon as its body has begun. A read that could be sent elsewhere has somebody who stands
   * by, if nothing of it is sent that could not be sent again.
   *
   * @throws TurnoutError `backend_overloaded`
   */
  send(exchange: Exchange, client: BackendClient, policy: ForwardPolicy): void | Promise<void> {
    const standby = this.#fallback?.begin(exchange, policy);
    // Before the body is touched: what nobody will read is then left to node, which discards it.
    if (standby === undefined) expectRoom(exchange, client, policy);
    if (!exchange.hasBody) {
      if (standby === undefined) new Forward(exchange, client, policy, undefined).start();
      else standby.start(client, undefined);
      return undefined;
    }
    const bytes = wholeBytesOf(exchange);
    if (bytes === undefined) return this.#upload(exchange, client, policy, standby);
    return this.#sendWhole(exchange, client, policy, standby, bytes);
  }

  async #sendWhole(
    exchange: Exchange,
    client: BackendClient,
    policy: ForwardPolicy,
    standby: FallbackRead | undefined,
    bytes: number,
  ): Promise<void> {
    // The parser hands over what came with the head later in this turn: nearly always all of a small body. Of a larger
    // one the rest is read in this turn too, if it is there.
    await Promise.resolve();
    if (!exchange.ended && exchange.request.readableLength !== bytes) await nextTurn();
    if (exchange.ended || exchange.failed) return;
    if (standby === undefined) expectRoom(exchange, client, policy);
    const whole = takeWhole(exchange.request, bytes);
    if (whole === undefined) {
      await this.#upload(exchange, client, policy, standby);
      return;
    }
    const { tap } = exchange;
    if (tap !== undefined) for (const piece of whole) tap.requestPiece(piece);
    if (standby === undefined) new Forward(exchange, client, policy, whole).start();
    else standby.start(client, whole);
  }

  /** The body on this connection breaks the protocol. */
  onBrokenBody(socket: Socket): void {
    const exchange = this.#uploads.get(socket);
    if (exchange === undefined || exchange.ended) this.#broken.add(socket);
    else exchange.breakBody();
  }

  #upload(
    exchange: Exchange,
    client: BackendClient,
    policy: ForwardPolicy,
    standby: FallbackRead | undefined,
  ): void | Promise<void> {
    if (!exchange.http2) {
      const { socket } = exchange.request;
      if (this.#broken.has(socket)) {
        exchange.breakBody();
        return undefined;
      }
      this.#uploads.set(socket, exchange);
    }
    const { contentLength } = exchange.head;
    const announced = contentLength === undefined ? undefined : Number(contentLength);
    const body = new RequestBody(exchange.request, announced);
    const mayPass = (): boolean => !policy.fencedOff(exchange);
    if (exchange.requestClass === 'write') body.mayPass = mayPass;
    const { tap } = exchange;
    const onPiece = (piece: Buffer): void => tap?.requestPiece(piece);
    if (tap !== undefined) body.onPiece = onPiece;
    exchange.upload = body;
    if (exchange.head.expectContinue) {
      new Forward(exchange, client, policy, body).start();
      return undefined;
    }
    return body.begins(FIRST_PIECE_MS).then(() => {
      if (exchange.ended || exchange.failed) return;
      const whole = wholeOf(exchange, body);
      if (whole !== undefined && standby !== undefined) {
        standby.start(client, whole);
        return;
      }
      if (!client.hasRoom) body.destroy();
      expectRoom(exchange, client, policy);
      new Forward(exchange, client, policy, whole ?? body).start();
    });
  }
}

function expectRoom(exchange: Exchange, client: BackendClient, policy: ForwardPolicy): void {
  if (client.hasRoom) return;
  beginRefused(exchange, client.backend, policy);
  throw new TurnoutError('backend_overloaded');
}

/** The length of a body that may be there as a whole before its request is sent. */
function wholeBytesOf(exchange: Exchange): number | undefined {
  const { contentLength } = exchange.head;
  if (exchange.http2 || contentLength === undefined || exchange.head.expectContinue) return undefined;
  const bytes = Number(contentLength);
  return bytes <= WHOLE_BYTES_MAX ? bytes : undefined;
}

/** The body, if all of it is here. Reads nothing otherwise. */
function takeWhole(request: ClientRequest, bytes: number): WholeBody | undefined {
  if (request.readableLength !== bytes) return undefined;
  // A stream that flows hands out each piece as it came: nothing is copied to put them together.
  request.resume();
  const pieces: Buffer[] = [];
  for (let piece: unknown = request.read(); Buffer.isBuffer(piece); piece = request.read())
    pieces.push(piece);
  return pieces;
}

/** A small body that was here by the time at which its first piece had been waited for. */
function wholeOf(exchange: Exchange, body: RequestBody): WholeBody | undefined {
  const bytes = Number(exchange.head.contentLength ?? Number.NaN);
  return bytes <= WHOLE_BYTES_MAX ? body.takeWhole(bytes) : undefined;
}
