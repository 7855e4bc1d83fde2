/** Sends one request of the traffic generator and says what became of it; it never rejects. */
import type { Agent, IncomingMessage } from 'node:http';
import { request } from '../../node-http.ts';
import type { Answerer, Observation } from './tally.ts';
import type { Step } from './user-steps.ts';

export interface Caller {
  readonly url: URL;
  readonly agent: Agent;
  readonly user: string;
  readonly plan: string | undefined;
  /** Cuts the request off. */
  readonly signal: AbortSignal;
}

/** Bound on one request, from its start to the end of its answer. */
const ANSWER_MAX_MS = 10_000;

const FAILURES = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['EPIPE', 'connection reset'],
  ['ABORT_ERR', 'cut off'],
]);

export function sendStep(step: Step, caller: Caller): Promise<Observation> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const done = (answerer: Answerer, status: number, failure: string | undefined): void => {
      clearTimeout(timer);
      const { name, method } = step;
      resolve({
        step: name,
        method,
        user: caller.user,
        answerer,
        status,
        failure,
        durationMs: performance.now() - startedMs,
      });
    };
    const body = step.json === undefined ? undefined : JSON.stringify(step.json);
    const sent = request(
      new URL(step.path, caller.url),
      { method: step.method, agent: caller.agent, headers: headersOf(caller, body), signal: caller.signal },
      (response) => {
        response.resume();
        response.on('end', () => done(answererOf(response), response.statusCode ?? 0, undefined));
        response.on('error', (error) => done(answererOf(response), 0, failureOf(error)));
      },
    );
    const timer = setTimeout(() => sent.destroy(new Error('no answer in time')), ANSWER_MAX_MS);
    sent.on('error', (error) => done('nobody', 0, failureOf(error)));
    sent.end(body);
  });
}

function headersOf({ user, plan }: Caller, body: string | undefined): Record<string, string | number> {
  return {
    'user-agent': 'turnout-demo-traffic',
    'x-user-id': user,
    ...(plan === undefined ? {} : { 'x-plan': plan }),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
}

function answererOf(response: IncomingMessage): Answerer {
  const shop = response.headers['x-shop'];
  return shop === 'legacy' || shop === 'new' ? shop : 'gateway';
}

function failureOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return FAILURES.get(code) ?? error.message;
}
