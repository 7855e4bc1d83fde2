/** The admin API as the console speaks it: JSON in, JSON out, every failure an `ApiProblem`. */

/** Tells the API that no page of another site sent this: such a page cannot set it without being asked first. */
const CONSOLE_HEADER = { 'x-turnout-console': '1' };

/** What a problem document says besides its standard members: the other change's id, the epoch, users. */
export type ProblemMembers = Readonly<Record<string, unknown>>;

export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Stable: what a program looks at. `unreachable` when there was no answer. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly members: ProblemMembers;

  constructor(status: number, code: string, title: string, detail: string, members: ProblemMembers = {}) {
    super(`${title}: ${detail}`);
    this.status = status;
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.members = members;
  }
}

let onUnauthorized: () => void = () => {};

/** @param listener called whenever the API asks who this is: the session shows the login then */
export function whenUnauthorized(listener: () => void): void {
  onUnauthorized = listener;
}

/** @throws ApiProblem */
export async function getJson<T>(path: string): Promise<T> {
  return await answerOf<T>(await send(path, { headers: { accept: 'application/json' } }));
}

/**
 * @param body becomes JSON; none is sent when it is absent
 * @param headers further ones, such as `idempotency-key`
 * @throws ApiProblem
 */
export async function sendJson<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  return await answerOf<T>(
    await send(path, {
      method,
      headers: { accept: 'application/json', ...CONSOLE_HEADER, ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}

/**
 * Any request under the session, for bodies and answers that are not JSON. A refusal is an `ApiProblem` as well.
 *
 * @throws ApiProblem
 */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (init.method !== undefined && init.method !== 'GET') headers.set('x-turnout-console', '1');
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(
      0,
      'unreachable',
      'The gateway does not answer',
      'Check that it runs and that this machine reaches its admin listener, then try again.',
    );
  }
  if (response.ok) return response;
  if (response.status === 401) onUnauthorized();
  throw await problemOf(response);
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  // The API's own documents: their shapes are its schemas, from which the types follow.
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const { status, statusText } = response;
  try {
    const document: unknown = await response.json();
    if (typeof document === 'object' && document !== null) {
      const { code, title, detail, type: _type, status: _status, ...members } = document as ProblemMembers;
      return new ApiProblem(status, textOf(code), textOf(title), textOf(detail), members);
    }
  } catch {
    // Not a problem document: something between answered. Its status says what there is to say.
  }
  return new ApiProblem(status, 'unknown', `HTTP ${status} ${statusText}`.trim(), 'The answer says no more.');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * A key for one request, by which a repeated one begins nothing twice. Not `randomUUID`: that is there on secure origins
 * only, and the console may be reached by plain HTTP.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
