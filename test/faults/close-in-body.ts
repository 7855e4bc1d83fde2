import type { Script } from '../harness/raw-backend.ts';
import { closeAfterBytes } from './close-after-bytes.ts';

/** The answers that `closeInBody` cuts: 5 of 10 bytes, or one chunk and no last one. */
export const CUT_ANSWERS = {
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n',
} as const;

/** Closes the connection in order after half of the body. */
export function closeInBody(framing: keyof typeof CUT_ANSWERS): Script {
  const answer = CUT_ANSWERS[framing];
  return closeAfterBytes(answer, answer.length);
}
