/** One request to somebody who is no backend: an issuer of tokens, whoever wants to be told. */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { request as httpRequest } from '../node-http.ts';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bounds all of it, the answer's body included. */
  readonly signal: AbortSignal;
}

/**
 * Sends it over a connection of its own. Redirects are not followed, and the body is as it came over the wire: somebody has
 * to read or destroy it.
 *
 * @throws Error without an answer; when the signal ended it, the signal's reason
 */
export async function ask(url: URL, { method, headers, body, signal }: Question): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    send(url, { method, headers, signal, agent: false }, resolve)
      .on('error', (error) => reject(signal.aborted ? reasonOf(signal) : error))
      .end(body);
  });
}

/** Why it was ended. */
export function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
