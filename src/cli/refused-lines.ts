/** The lines of an upload that were refused: shown, counted, and written to a file for who mends them. */
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { printable } from '../wording/printable.ts';
import type { CliContext } from './context.ts';
import type { RefusedLine } from './member-job.ts';

/** Refused lines that are shown; a file gets all that the gateway lists. */
const SHOWN = 20;

/** Shows the first refused lines, and writes all of them to a file when there is one. */
export class RefusedLines {
  readonly #context: CliContext;
  readonly #file: WriteStream | undefined;
  readonly list: RefusedLine[] = [];
  #broken: unknown;

  /** @param resumed the file of an upload that goes on is added to */
  constructor(context: CliContext, file: string | undefined, resumed: boolean) {
    this.#context = context;
    this.#file = file === undefined ? undefined : createWriteStream(file, { flags: resumed ? 'a' : 'w' });
    this.#file?.on('error', (error) => {
      this.#broken = error;
    });
  }

  add(refused: RefusedLine): void {
    this.list.push(refused);
    const { line, user, reason } = refused;
    const words = [String(line), printable(reason), printable(user)];
    this.#file?.write(`${words.join('\t')}\n`);
    if (this.list.length > SHOWN) return;
    this.#context.writer.status('');
    this.#context.writer.note(`line ${line} refused: ${printable(reason)}: ${printable(user).slice(0, 80)}`);
  }

  /** @param count how many there were, listed or not */
  async end(count: number): Promise<void> {
    if (this.#file !== undefined && !this.#file.destroyed) {
      this.#file.end();
      await once(this.#file, 'close').catch(() => undefined);
    }
    const { writer } = this.#context;
    if (this.#broken instanceof Error)
      writer.note(`The refused lines were not written: ${this.#broken.message}`);
    const hidden = count - Math.min(SHOWN, this.list.length);
    if (hidden > 0) writer.note(`and ${hidden.toLocaleString('en')} more lines refused`);
  }
}
