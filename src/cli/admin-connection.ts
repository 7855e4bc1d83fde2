/** One call of the admin API, and what its failures are called. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { request as httpRequest } from '../node-http.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';

export const DEFAULT_ADMIN_URL = 'http://127.0.0.1:8081';

export type Env = Pick<CliContext, 'env'>;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As it is sent, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The API answered with a problem document. */
export class Refused extends CliError {
  /** Of the problem; stable. */
  readonly code: string;
  /** The whole problem document. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(message: string, problem: Readonly<Record<string, unknown>>, exitCode: ExitCode) {
    super(message, exitCode);
    this.problem = problem;
    this.code = String(problem['code']);
  }
}

/** The call may or may not have arrived: nobody answered, or not to the end. */
export class Unanswered extends CliError {}

/** @throws CliError when the environment has no URL there */
export function adminOrigin({ env }: Env): URL {
  const base = env['TURNOUT_ADMIN_URL'] ?? '';
  let url: URL | undefined;
  try {
    url = new URL(base === '' ? DEFAULT_ADMIN_URL : base);
  } catch {
    // Below.
  }
  if (url !== undefined && /^https?:$/u.test(url.protocol)) return url;
  throw new CliError(`TURNOUT_ADMIN_URL is not a URL: ${base}`);
}

/**
 * A request that is open: the caller sends a body and ends it. The path goes as it is, because the platform's URLs
 * take a user named `..` for a step.
 *
 * @param signal ends it
 */
export function openCall({ method, path, headers }: Call, context: Env, signal?: AbortSignal): ClientRequest {
  const { protocol, hostname, port } = adminOrigin(context);
  const token = context.env['TURNOUT_TOKEN'] ?? '';
  const send = protocol === 'https:' ? httpsRequest : httpRequest;
  return send({
    hostname: hostname.replace(/^\[(.*)\]$/u, '$1'),
    ...(port === '' ? {} : { port }),
    method,
    path,
    agent: false,
    headers: { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(signal === undefined ? {} : { signal }),
  });
}

/** @throws the request's own error when nobody answers */
export function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // It stays, so that what fails after the answer began is the answer's own failure.
    request.on('error', reject);
  });
}

/** The innermost reason: the platform wraps the one that helps. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if (error.message === 'aborted') return 'it was cut before the answer was complete';
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}

export function unanswered(cause: unknown, context: Env): Unanswered {
  const hint = 'Is the gateway running? TURNOUT_ADMIN_URL says where its admin listener is.';
  const message = `No admin API at ${adminOrigin(context).origin}: ${reasonOf(cause)}. ${hint}`;
  return new Unanswered(message, EXIT.failure, { cause });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The codes that say that somebody else was first. */
const FIRST = new Set(['change_conflict', 'epoch_mismatch', 'cohort_exists', 'rules_conflict']);

/** @param status of the answer, or of the problem itself where it came inside an answer */
export function refusalOf(problem: unknown, status: number, context: Env): CliError {
  const { origin } = adminOrigin(context);
  if (!isRecord(problem) || !('detail' in problem) || !('title' in problem)) {
    return new CliError(`${origin} answered: status ${status}, and not in the form of a Turnout admin API`);
  }
  const words = `${String(problem['title'])}: ${String(problem['detail'])}`;
  if (status === 401) {
    return new CliError(`${words} Set TURNOUT_TOKEN to a token of the gateway at ${origin}.`);
  }
  const exitCode = FIRST.has(String(problem['code'])) ? EXIT.conflict : EXIT.failure;
  return new Refused(`${origin} answered: ${words}`, problem, exitCode);
}
