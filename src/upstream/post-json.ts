/** Sends a small JSON document to somebody who wants to be told. */

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
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'turnout' },
    redirect: 'manual',
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`answered ${response.status}`);
}
