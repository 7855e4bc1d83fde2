/** The log: one JSON object a line, written without blocking the event loop, credentials taken out. */
import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Names whose values never reach the log, on the top level, inside one object, or inside one more. */
const SECRET_NAMES = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'token',
  'password',
  'secret',
];

/** While nobody reads the log, at most this much waits in memory; then lines are dropped. */
const BUFFER_BYTES_MAX = 4 * 1024 * 1024;

function redactedPaths(): string[] {
  return SECRET_NAMES.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
}

export interface LogOptions {
  readonly level: LogLevel;
  /** In every line, to tell the processes of one gateway apart. */
  readonly worker: string;
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
}

export interface OpenLog {
  readonly log: Logger;
  /** Writes what is still buffered; blocks until it is written. */
  flush(): void;
}

export function openLog({ level, worker, destination: given }: LogOptions): OpenLog {
  const options = {
    level,
    base: { pid: process.pid, worker },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths(), censor: '[redacted]' },
  };
  if (given !== undefined) return { log: pino(options, given), flush: () => {} };
  const stdout = destination({ fd: 1, sync: false, maxLength: BUFFER_BYTES_MAX });
  return {
    log: pino(options, stdout),
    flush: () => {
      try {
        stdout.flushSync();
      } catch {
        // Not open yet, or its reader is gone: there is nowhere left to say so.
      }
    },
  };
}
