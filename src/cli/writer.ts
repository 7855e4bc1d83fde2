/** The one way in which commands write: text for people, or JSON for programs, in colour where that is seen. */
import { styleText } from 'node:util';

export interface Output {
  /** False: wait for `drain` before writing more. */
  write(text: string): unknown;
  once?(name: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean | undefined;
  /** Of a terminal, as it is now. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface WriterOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** https://no-color.org: set and not empty means none. */
function wantsColour(output: Output, env: WriterOptions['env']): boolean {
  return output.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

export class Writer {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #canDraw: boolean;
  /** Whether what goes to standard output, or to standard error, may be coloured. */
  readonly colours: { readonly out: boolean; readonly err: boolean };

  constructor({ stdout, stderr, env }: WriterOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#canDraw = env['TERM'] !== 'dumb';
    this.colours = { out: wantsColour(stdout, env), err: wantsColour(stderr, env) };
  }

  /** How large the terminal is now; `undefined` where standard output is none, or one that cannot be drawn on. */
  get screen(): { readonly columns: number; readonly rows: number } | undefined {
    const { isTTY, columns = 80, rows = 24 } = this.#stdout;
    return isTTY === true && this.#canDraw ? { columns, rows } : undefined;
  }

  /** One line of the result. */
  line(text = ''): void {
    this.#stdout.write(`${text}\n`);
  }

  /** As it is, without a line end. */
  raw(text: string): void {
    this.#stdout.write(text);
  }

  /** For results that are larger than memory: resolves when more can be written. */
  async piece(text: string): Promise<void> {
    const stdout = this.#stdout;
    if (stdout.write(text) !== false || stdout.once === undefined) return;
    await new Promise<void>((resolve) => void stdout.once?.('drain', resolve));
  }

  json(value: unknown): void {
    this.#stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** One line about the command itself: what went wrong, what is going on. */
  note(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  rawNote(text: string): void {
    this.#stderr.write(text);
  }

  /** One line that the next one replaces. Only a person at a terminal gets it; an empty one ends it. */
  status(text: string): void {
    if (this.#stderr.isTTY === true) this.#stderr.write(`\r\u001b[K${text}`);
  }

  /** For text that goes to standard output. */
  style(style: Style, text: string): string {
    return this.colours.out ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Columns of text, as wide as their widest cell. The first row is the heading. */
  table(rows: readonly (readonly string[])[]): void {
    const widths: number[] = [];
    for (const row of rows) {
      for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
    for (const [index, row] of rows.entries()) {
      const text = row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd();
      this.line(index === 0 ? this.style('dim', text) : text);
    }
  }
}
