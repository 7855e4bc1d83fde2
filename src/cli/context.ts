/** What the commands get from the process they run in. `main.ts` makes the real one, tests make their own. */
import type { Readable } from 'node:stream';
import type { Writer } from './writer.ts';

/** The signals of a long-running command. The first one who asks for them takes them over from Node. */
export interface Signals {
  /** Aborted by the first SIGINT or SIGTERM: finish, then end. */
  readonly stop: AbortSignal;
  /** Aborted by the second one: end at once. */
  readonly stopNow: AbortSignal;
  /** SIGHUP: read the configuration again. */
  onReload(listener: () => void): void;
  /** SIGUSR2: replace the workers. */
  onReplace(listener: () => void): void;
}

export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly writer: Writer;
  /** Asks a person, and resolves with the line that was typed. `undefined` where no person sits at a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** What is piped in. */
  readonly stdin: Readable;
  /**
   * Has each key told that a person presses, Ctrl-C too, until what it returns is called. Absent where no person sits at
   * a terminal.
   */
  readonly keys?: ((pressed: (key: string) => void) => () => void) | undefined;
  /** Only a command that acts on them calls this. */
  signals(): Signals;
}

/** What a command ends with. */
export const EXIT = {
  ok: 0,
  /** Something that could be right another time: a port in use, a gateway that does not answer. */
  failure: 1,
  /** Somebody else was first: another change is open, or the map has moved on. */
  conflict: 2,
  /** It goes on, but the command waits no longer. */
  underWay: 3,
  /** Done, but for lines of an upload that were refused. */
  partly: 4,
  /** `sysexits.h`: the command line is wrong. */
  usage: 64,
  /** `sysexits.h`: the configuration is wrong. */
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with one line for a person. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
