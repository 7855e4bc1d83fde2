/** Sends a small JSON document to somebody who wants to be told. */
import { ask } from './ask.ts';

/**
 * Resolves when it was answered with 2xx. Redirects are not followed: what is signed for one is sent to nobody else. The
 * answer's body is not read.
 *
 * @param options.timeoutMs for connecting, sending and the head of the answer
 * @throws Error when it was not taken, with the status but neither URL nor answer
 */
export async function postJson(
  url: string,
  body: string,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { headers, timeoutMs } = options;
  const answer = await ask(new URL(url), {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'turnout' },
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]),
  });
  answer.destroy();
  const { statusCode: status = 0 } = answer;
  if (status < 200 || status > 299) throw new Error(`answered ${status}`);
}
