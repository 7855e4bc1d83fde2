/** How commands talk to a running gateway: its admin API, named by the environment. */

import { randomUUID } from 'node:crypto';
import { setTimeout as passed } from 'node:timers/promises';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { PAGE_MAX } from '../admin/page.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';

export const DEFAULT_ADMIN_URL = 'http://127.0.0.1:8081';

const ANSWER_MS = 15_000;

/** A call whose connection failed is made again, after growing pauses. */
const RETRY_AFTER_MS = [200, 1_000, 3_000];

export const ENVIRONMENT_HELP = `Environment: TURNOUT_ADMIN_URL (default ${DEFAULT_ADMIN_URL}), TURNOUT_TOKEN (where tokens are configured).`;

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

/** The call may or may not have arrived: nobody answered. */
export class Unanswered extends CliError {}

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type Env = Pick<CliContext, 'env'>;

function adminUrl(path: string, env: CliContext['env']): URL {
  const base = env['TURNOUT_ADMIN_URL'] ?? '';
  try {
    return new URL(path, base === '' ? DEFAULT_ADMIN_URL : base);
  } catch (cause) {
    throw new CliError(`TURNOUT_ADMIN_URL is not a URL: ${base}`, EXIT.failure, { cause });
  }
}

/** The innermost reason: `fetch` wraps the one that helps. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_MS / 1_000} s`;
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}

function parsed(body: string, url: URL): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new CliError(`${url.origin} did not answer with JSON.`, EXIT.failure, { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function refusal(body: string, status: number, { origin }: URL): CliError {
  let problem: unknown;
  try {
    problem = JSON.parse(body);
  } catch {
    // Not ours: something else listens there.
  }
  if (!isRecord(problem) || !('detail' in problem) || !('title' in problem)) {
    return new CliError(`${origin} answered: status ${status}, and not in the form of a Turnout admin API`);
  }
  const words = `${String(problem['title'])}: ${String(problem['detail'])}`;
  if (status === 401) {
    return new CliError(`${words} Set TURNOUT_TOKEN to a token of the gateway at ${origin}.`);
  }
  const first =
    problem['code'] === 'change_conflict' ||
    problem['code'] === 'epoch_mismatch' ||
    problem['code'] === 'rules_conflict';
  return new Refused(`${origin} answered: ${words}`, problem, first ? EXIT.conflict : EXIT.failure);
}

async function call({ method, path, headers, body }: Call, { env }: Env): Promise<unknown> {
  const url = adminUrl(path, env);
  const token = env['TURNOUT_TOKEN'] ?? '';
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    const hint = 'Is the gateway running? TURNOUT_ADMIN_URL says where its admin listener is.';
    const message = `No admin API at ${url.origin}: ${reasonOf(cause)}. ${hint}`;
    throw new Unanswered(message, EXIT.failure, { cause });
  }
  if (status < 200 || status > 299) throw refusal(text, status, url);
  return parsed(text, url);
}

function unknownForm(): CliError {
  return new CliError('The gateway answered in a form that this version of the command does not know.');
}

function inForm<S extends TSchema>(schema: S, document: unknown): Static<S> {
  if (Value.Check(schema, document)) return document;
  throw unknownForm();
}

/**
 * Reads from the admin API.
 *
 * @param path with the query
 * @throws CliError in one line; Refused when the API answered with a problem
 */
export async function askAdmin<S extends TSchema>(schema: S, path: string, context: Env): Promise<Static<S>> {
  return inForm(schema, await call({ method: 'GET', path }, context));
}

/**
 * Changes something through the admin API. A call that nobody answered is made again under the same
 * `Idempotency-Key`, so that it does not act twice.
 *
 * @throws as `askAdmin`
 */
export async function tellAdmin<S extends TSchema>(
  schema: S,
  { headers, ...rest }: Call,
  context: Env,
): Promise<Static<S>> {
  const keyed = { ...rest, headers: { ...headers, 'idempotency-key': randomUUID() } };
  for (const pauseMs of RETRY_AFTER_MS) {
    try {
      return inForm(schema, await call(keyed, context));
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      await passed(pauseMs);
    }
  }
  return inForm(schema, await call(keyed, context));
}

/**
 * Reads a list to its end, or until `max` items are there.
 *
 * @param path with a query, to which limit and cursor are added
 */
export async function askPages<S extends TSchema>(
  schema: S,
  path: string,
  max: number,
  context: Env,
): Promise<Static<S>[]> {
  const items: Static<S>[] = [];
  let cursor: string | undefined;
  do {
    const query = `limit=${Math.min(PAGE_MAX, max - items.length)}${cursor === undefined ? '' : `&cursor=${cursor}`}`;
    const page = await call(
      { method: 'GET', path: `${path}${path.includes('?') ? '&' : '?'}${query}` },
      context,
    );
    if (!isRecord(page) || !Array.isArray(page['items'])) throw unknownForm();
    for (const item of page['items']) items.push(inForm(schema, item));
    cursor = typeof page['next'] === 'string' ? page['next'] : undefined;
  } while (cursor !== undefined && items.length < max);
  return items;
}
