/** `turnout status --watch`: what a running gateway is doing, drawn anew each second. */
import { setTimeout as passed } from 'node:timers/promises';
import { Refused, Unanswered } from '../admin-connection.ts';
import { type CliContext, type CliError, EXIT, type ExitCode } from '../context.ts';
import type { Writer } from '../writer.ts';
import { liveEvents } from './live-events.ts';
import { LiveModel } from './live-model.ts';
import { type Line, plainLines, screenLines } from './screen-lines.ts';

const AGAIN_MS = 1_000;
const REDRAW_MS = 1_000;

/** Another screen, no cursor; and back. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** The terminal shows what is between them at once, where it knows them; elsewhere they do nothing. */
const [BEGIN, END] = ['\u001b[?2026h\u001b[H', '\u001b[J\u001b[?2026l'];
const TO_LINE_END = '\u001b[K';

const CTRL_C = '\u0003';

interface Lost {
  readonly sinceMs: number;
  readonly why: string;
}

/** One way of showing. */
interface Display {
  begin(): void;
  /** @param news whether there is any */
  draw(model: LiveModel, lost: Lost | undefined, news: boolean): void;
  end(): void;
}

/** Every line is written over the one before it, so that nothing flickers. */
class ScreenDisplay implements Display {
  readonly #writer: Writer;
  readonly #plainBars: boolean;

  constructor({ writer, env }: CliContext) {
    this.#writer = writer;
    const locale = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? '';
    this.#plainBars = !/utf-?8/iu.test(locale);
  }

  begin(): void {
    this.#writer.raw(ENTER);
  }

  draw(model: LiveModel, lost: Lost | undefined): void {
    const { columns, rows } = this.#writer.screen ?? { columns: 80, rows: 24 };
    const options = { columns, rows, plainBars: this.#plainBars, nowMs: performance.now(), lost };
    const lines = screenLines(model, options).map((line) => `${this.#styled(line)}${TO_LINE_END}`);
    this.#writer.raw(`${BEGIN}${lines.join('\r\n')}${END}`);
  }

  #styled(line: Line): string {
    return line
      .map(({ text, style }) => (style === undefined || text === '' ? text : this.#writer.style(style, text)))
      .join('');
  }

  end(): void {
    this.#writer.raw(LEAVE);
  }
}

/** A line for each cohort and second, and one when the connection is lost or there again. */
class LinesDisplay implements Display {
  readonly #writer: Writer;
  #isLost = false;

  constructor({ writer }: CliContext) {
    this.#writer = writer;
  }

  begin(): void {}

  draw(model: LiveModel, lost: Lost | undefined, news: boolean): void {
    if (lost !== undefined) {
      if (!this.#isLost) this.#writer.note(`Connection lost: ${lost.why} Trying again.`);
      this.#isLost = true;
      return;
    }
    if (!news) return;
    if (this.#isLost) this.#writer.note('Connected again.');
    this.#isLost = false;
    for (const line of plainLines(model, performance.now())) this.#writer.line(line);
  }

  end(): void {}
}

/** Every event as it comes, a document a line. */
class JsonDisplay implements Display {
  readonly #writer: Writer;

  constructor({ writer }: CliContext) {
    this.#writer = writer;
  }

  begin(): void {}

  draw(model: LiveModel, lost: Lost | undefined, news: boolean): void {
    if (news && lost === undefined) this.#writer.line(JSON.stringify(model.latest));
  }

  end(): void {}
}

function displayOf(json: boolean, context: CliContext): Display {
  if (json) return new JsonDisplay(context);
  return context.writer.screen === undefined ? new LinesDisplay(context) : new ScreenDisplay(context);
}

/** Ctrl-C and `q` end it, and so does whoever tells the process to stop. */
function endedBy(context: CliContext): { readonly signal: AbortSignal; readonly release: () => void } {
  const quit = new AbortController();
  const release = context.keys?.((key) => {
    if (key === 'q' || key === 'Q' || key === CTRL_C) quit.abort();
  });
  return {
    signal: AbortSignal.any([quit.signal, context.signals().stop]),
    release: () => release?.(),
  };
}

/**
 * Shows until somebody ends it. A connection that is lost is made again.
 *
 * @throws CliError when the gateway does not answer at first, or refuses
 */
export async function watchStatus(json: boolean, context: CliContext): Promise<ExitCode> {
  const model = new LiveModel();
  const display = displayOf(json, context);
  const { signal, release } = endedBy(context);
  let lost: Lost | undefined;
  let isShown = false;
  const draw = (news: boolean): void => {
    if (!isShown) display.begin();
    isShown = true;
    display.draw(model, lost, news);
  };
  const clock = setInterval(() => {
    // While there is news it is drawn as it comes.
    if (isShown && model.ageMs(performance.now()) > REDRAW_MS * 1.5) draw(false);
  }, REDRAW_MS);
  try {
    while (!signal.aborted) {
      try {
        for await (const { document } of liveEvents(context, signal)) {
          lost = undefined;
          model.take(document, performance.now());
          draw(true);
        }
      } catch (error) {
        // Whoever may not look, or has the wrong address, is told so at first, in plain text.
        if (!isShown || !isPassing(error)) throw error;
        lost ??= { sinceMs: performance.now(), why: reasonIn(error) };
        draw(false);
        await passed(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return EXIT.ok;
  } finally {
    clearInterval(clock);
    if (isShown) display.end();
    release();
  }
}

/** The gateway is gone, starts, or has as many live views as it takes. */
function isPassing(error: unknown): error is CliError {
  return error instanceof Unanswered || (error instanceof Refused && error.problem['status'] === 503);
}

/** What the error says of itself, without the advice for whoever has the wrong address. */
function reasonIn({ message }: CliError): string {
  const [reason = message] = message.split(' Is the gateway running?');
  return reason;
}
