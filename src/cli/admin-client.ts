/** How commands talk to a running gateway: its admin API, named by the environment. */

import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout as passed } from 'node:timers/promises';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { PAGE_MAX } from '../admin/page.ts';
import {
  adminOrigin,
  answerTo,
  type Call,
  DEFAULT_ADMIN_URL,
  type Env,
  isRecord,
  openCall,
  refusalOf,
  Unanswered,
  unanswered,
} from './admin-connection.ts';
import { CliError } from './context.ts';

const ANSWER_MS = 15_000;

/** A call whose connection failed is made again, after growing pauses. */
const RETRY_AFTER_MS = [200, 1_000, 3_000];

export const ENVIRONMENT_HELP = `Environment: TURNOUT_ADMIN_URL (default ${DEFAULT_ADMIN_URL}), TURNOUT_TOKEN (where tokens are configured).`;

export interface JsonCall extends Call {
  readonly body?: unknown;
  /** Bound on the whole answer, milliseconds; 15 s unless given. */
  readonly answerMs?: number;
}

/** JSON, or `undefined` for what is none. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function call({ body, answerMs = ANSWER_MS, ...rest }: JsonCall, context: Env): Promise<unknown> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const framing: Readonly<Record<string, string>> =
    sent === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(sent)) };
  let status: number;
  let answer: string;
  try {
    const headers = { ...framing, ...rest.headers };
    const request = openCall({ ...rest, headers }, context, AbortSignal.timeout(answerMs));
    const answered = answerTo(request);
    request.end(sent);
    const response = await answered;
    status = response.statusCode ?? 0;
    answer = await text(response);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw unanswered(cause, context);
  }
  const document = parsed(answer);
  if (status < 200 || status > 299) throw refusalOf(document, status, context);
  if (document === undefined) {
    throw new CliError(`${adminOrigin(context).origin} did not answer with JSON.`);
  }
  return document;
}

function unknownForm(): CliError {
  return new CliError('The gateway answered in a form that this version of the command does not know.');
}

export function inForm<S extends TSchema>(schema: S, document: unknown): Static<S> {
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
 * `Idempotency-Key`, the one of its headers or a new one, so that it does not act twice.
 *
 * @throws as `askAdmin`
 */
export async function tellAdmin<S extends TSchema>(
  schema: S,
  { headers, ...rest }: JsonCall,
  context: Env,
): Promise<Static<S>> {
  const keyed = { ...rest, headers: { 'idempotency-key': randomUUID(), ...headers } };
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

/** As `tellAdmin`, for what must not be repeated by itself. */
export async function tellOnce<S extends TSchema>(
  schema: S,
  wanted: JsonCall,
  context: Env,
): Promise<Static<S>> {
  return inForm(schema, await call(wanted, context));
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
