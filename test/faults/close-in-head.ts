import type { Script } from '../harness/raw-backend.ts';
import { closeAfterBytes } from './close-after-bytes.ts';

/** Closes the connection in the middle of a header line. */
export function closeInHead(): Script {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/pl';
  return closeAfterBytes(head, head.length);
}
