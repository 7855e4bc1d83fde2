import type { ErrorCode, ErrorRow } from '../errors.ts';
import { ERRORS } from '../errors.ts';

/**
 * The problem document (RFC 9457) of one error, as the bytes of its body.
 *
 * @param detail what is known about this very request, when it says more than the table's row
 */
export function problemBody(code: ErrorCode, requestId: string | undefined, detail?: string): Buffer {
  const row: ErrorRow = ERRORS[code];
  return Buffer.from(
    `${JSON.stringify({
      type: `urn:turnout:problem:${code}`,
      title: row.title,
      status: row.status,
      detail: detail ?? row.detail,
      code,
      stage: row.stage,
      requestId,
    })}\n`,
  );
}

/** The headers that go with `problemBody`. */
export function problemHeaders(code: ErrorCode, requestId: string | undefined, body: Buffer): string[] {
  const row: ErrorRow = ERRORS[code];
  const headers = ['content-type', 'application/problem+json', 'content-length', String(body.length)];
  if (row.retryAfterS !== undefined) headers.push('retry-after', String(row.retryAfterS));
  if (requestId !== undefined) headers.push('x-request-id', requestId);
  headers.push('cache-control', 'no-store');
  return headers;
}
