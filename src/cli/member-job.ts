/** A job on members as the API runs it: lines go up, what became of them comes down, both at once. */
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Static } from '@sinclair/typebox';
import { JobLineSchema } from '../admin/member-job.ts';
import { inForm } from './admin-client.ts';
import {
  answerTo,
  type Call,
  type Env,
  isRecord,
  openCall,
  reasonOf,
  refusalOf,
} from './admin-connection.ts';
import { CliError } from './context.ts';

/** A server that sends nothing and takes nothing for so long is gone. A batch may wait for a minute. */
const DEAD_MS = 180_000;

export type JobLine = Static<typeof JobLineSchema>;
export type JobDone = Extract<JobLine, { done: true }>;
export type JobProgress = Pick<JobDone, 'line' | 'changed' | 'unchanged'> & { readonly refused: number };
export interface RefusedLine {
  readonly line: number;
  readonly user: string;
  readonly reason: string;
}

export interface JobListener {
  readonly onProgress: (progress: JobProgress) => void;
  readonly onRefused: (refused: RefusedLine) => void;
  /** Bytes that were handed to the connection so far. */
  readonly onSent: (bytes: number) => void;
}

export interface Job extends Call {
  /** JSON, or the lines. */
  readonly body: string | Readable;
  readonly stop: AbortSignal;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, void> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function counting(onSent: (bytes: number) => void): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onSent(bytes);
      done(null, chunk);
    },
  });
}

/** @returns the end of the job, if this line is it @throws CliError when the line says that it failed */
function read(line: string, { onProgress, onRefused }: JobListener, context: Env): JobDone | undefined {
  const told = inForm(JobLineSchema, parsed(line));
  if ('error' in told) throw refusalOf(told.error, 200, context);
  if ('done' in told) return told;
  if (isRecord(told.refused)) onRefused(told.refused);
  else if ('changed' in told) onProgress(told);
  return undefined;
}

/**
 * Runs the job to its end.
 *
 * @throws CliError in one line: Refused when the API said why; what broke the connection otherwise
 */
export async function runJob(job: Job, listener: JobListener, context: Env): Promise<JobDone> {
  const request = openCall(job, context, job.stop);
  request.setTimeout(DEAD_MS, () => void request.destroy(new Error('nothing moved for three minutes')));
  const answered = answerTo(request);
  // A connection that breaks is told by the answer; an answer may also come while lines are still sent.
  let unreadable: unknown;
  if (typeof job.body === 'string') request.end(job.body);
  else {
    const { body } = job;
    body.once('error', (error) => {
      // A connection that broke ends the body too.
      if (!request.destroyed) unreadable = error;
    });
    pipeline(body, counting(listener.onSent), request).catch(() => undefined);
  }
  try {
    const response = await answered;
    const { statusCode = 0 } = response;
    if (statusCode !== 200) throw refusalOf(parsed(await text(response)), statusCode, context);
    for await (const line of linesOf(response)) {
      const done = read(line, listener, context);
      if (done !== undefined) return done;
    }
    throw new CliError('The answer ended before the job did.');
  } catch (error) {
    if (job.stop.aborted) throw new CliError('Stopped.');
    if (unreadable !== undefined) throw new CliError(`The lines cannot be read: ${reasonOf(unreadable)}.`);
    if (error instanceof CliError) throw error;
    throw new CliError(`The connection broke: ${reasonOf(error)}.`);
  } finally {
    request.destroy();
  }
}
