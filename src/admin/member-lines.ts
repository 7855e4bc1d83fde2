/**
 * Reads an upload of users, one a line, as fast as somebody takes them and no faster. What is no user is
 * refused by itself, with the number of its line; the rest goes on.
 */
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { MemberLine } from '../cutover/control.ts';
import { TurnoutError } from '../errors.ts';
import { USER_BYTES_MAX } from '../model.ts';
import { AdminError } from './admin-error.ts';

export const UPLOAD_BYTES_MAX = 1_000_000_000;
export const LINE_BYTES_MAX = 1_024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export interface RefusedLine {
  readonly line: number;
  /** As much of it as can be shown. */
  readonly user: string;
  readonly reason: string;
}

export interface MemberLinesOptions {
  /** 1-based; lines before it are skipped. */
  readonly fromLine: number;
  /** Bound on the silence of the client while its next line is waited for, milliseconds. */
  readonly silentMs: number;
  readonly stopping: AbortSignal;
  readonly onRefused: (refused: RefusedLine) => void;
}

export class MemberLines {
  readonly #body: Readable;
  readonly #options: MemberLinesOptions;
  /** The last line that was read whole, 1-based. */
  line = 0;
  #bytes = 0;
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** The line is too long already: what is left of it is dropped. */
  #dropping = false;

  constructor(body: Readable, options: MemberLinesOptions) {
    this.#body = body;
    this.#options = options;
  }

  /**
   * The good lines, in their order. Ends with the upload.
   *
   * @throws AdminError when the upload is too large, stalls or is cut off, the line it was cut in unread;
   *   TurnoutError `shutting_down`
   */
  async *users(): AsyncGenerator<MemberLine, void, void> {
    for (;;) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      for (const line of this.#lines(this.#bytes === 0 ? withoutMark(chunk) : chunk)) yield line;
      this.#bytes += chunk.length;
      if (this.#bytes > UPLOAD_BYTES_MAX) {
        const detail = `An upload has at most ${UPLOAD_BYTES_MAX} bytes. Split the file, or go on from the line after the last one that is in force.`;
        throw new AdminError('body_too_large', detail);
      }
    }
    if (this.#rest.length === 0 && !this.#dropping) return;
    const last = this.#whole(Buffer.alloc(0));
    if (last !== undefined) yield last;
  }

  *#lines(chunk: Buffer): Generator<MemberLine, void, void> {
    let begin = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, begin);
      if (end === -1) break;
      const line = this.#whole(chunk.subarray(begin, end));
      begin = end + 1;
      if (line !== undefined) yield line;
    }
    if (begin === chunk.length || this.#dropping) return;
    const rest = chunk.subarray(begin);
    this.#dropping = this.#rest.length + rest.length > LINE_BYTES_MAX + 1;
    // A copy: a view would keep the whole chunk.
    this.#rest = Buffer.concat([this.#rest, rest]).subarray(0, LINE_BYTES_MAX + 2);
  }

  /** Ends a line. @returns the user, unless the line is skipped, empty or refused */
  #whole(tail: Buffer): MemberLine | undefined {
    const dropped = this.#dropping;
    let text = this.#rest.length === 0 ? tail : Buffer.concat([this.#rest, tail]);
    this.#rest = Buffer.alloc(0);
    this.#dropping = false;
    this.line += 1;
    if (this.line < this.#options.fromLine) return undefined;
    if (text.at(-1) === RETURN) text = text.subarray(0, -1);
    if (dropped || text.length > LINE_BYTES_MAX) {
      return this.#refuse(text, `the line has more than ${LINE_BYTES_MAX} bytes`);
    }
    if (text.length === 0) return undefined;
    if (!isUtf8(text)) return this.#refuse(text, 'not UTF-8');
    if (text.length > USER_BYTES_MAX) {
      return this.#refuse(text, `a user has at most ${USER_BYTES_MAX} bytes, this one has ${text.length}`);
    }
    return { line: this.line, user: text.toString() };
  }

  #refuse(text: Buffer, reason: string): undefined {
    const user = text.subarray(0, USER_BYTES_MAX).toString();
    this.#options.onRefused({ line: this.line, user, reason });
  }

  /** @returns the next piece of the upload, `undefined` at its end */
  async #next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#options.stopping.aborted) throw new TurnoutError('shutting_down');
      const chunk: unknown = this.#body.read();
      if (Buffer.isBuffer(chunk)) return chunk;
      if (this.#body.readableEnded) return undefined;
      if (this.#body.destroyed) {
        throw new AdminError('upload_cut', 'The connection ended inside the upload.');
      }
      await this.#something();
    }
  }

  /** Resolves when there may be something new. */
  #something(): Promise<void> {
    const body = this.#body;
    const { silentMs, stopping } = this.#options;
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        for (const event of EVENTS) body.off(event, heard);
        stopping.removeEventListener('abort', heard);
        if (error === undefined) resolve();
        else reject(error);
      };
      const heard = (): void => settle();
      const timer = setTimeout(() => {
        settle(new AdminError('upload_stalled', `Nothing came for ${silentMs / 1_000} s.`));
      }, silentMs);
      for (const event of EVENTS) body.on(event, heard);
      stopping.addEventListener('abort', heard);
    });
  }
}

const EVENTS = ['readable', 'end', 'close', 'error'] as const;

/** Some editors begin a file with a mark that is no part of its first line. @throws AdminError for UTF-16 */
function withoutMark(first: Buffer): Buffer {
  const [a, b] = first;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    throw new AdminError('invalid_request', 'The upload is UTF-16. Send it as UTF-8.');
  }
  return first.subarray(0, 3).equals(UTF8_MARK) ? first.subarray(3) : first;
}
