/** How commands talk to a running gateway: its admin API, named by the environment. */
import { type CliContext, CliError } from './context.ts';

export const DEFAULT_ADMIN_URL = 'http://127.0.0.1:8081';

const ANSWER_MS = 10_000;

export const ENVIRONMENT_HELP = `Environment: TURNOUT_ADMIN_URL (default ${DEFAULT_ADMIN_URL}), TURNOUT_TOKEN (where tokens are configured).`;

function adminUrl(path: string, env: CliContext['env']): URL {
  const base = env['TURNOUT_ADMIN_URL'] ?? '';
  try {
    return new URL(path, base === '' ? DEFAULT_ADMIN_URL : base);
  } catch (cause) {
    throw new CliError(`TURNOUT_ADMIN_URL is not a URL: ${base}`, 1, { cause });
  }
}

/** The innermost reason: `fetch` wraps the one that helps. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_MS / 1_000} s`;
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}

function problemIn(body: string, status: number): string {
  try {
    const problem: unknown = JSON.parse(body);
    if (typeof problem === 'object' && problem !== null && 'detail' in problem && 'title' in problem) {
      return `${String(problem.title)}: ${String(problem.detail)}`;
    }
  } catch {
    // Not ours: something else listens there.
  }
  return `status ${status}, and not in the form of a Turnout admin API`;
}

/**
 * @param path with the query
 * @returns the JSON document
 * @throws CliError in one line
 */
export async function askAdmin(path: string, { env }: Pick<CliContext, 'env'>): Promise<unknown> {
  const url = adminUrl(path, env);
  const token = env['TURNOUT_TOKEN'] ?? '';
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  let status: number;
  let body: string;
  try {
    const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) });
    status = response.status;
    body = await response.text();
  } catch (cause) {
    const hint = 'Is the gateway running? TURNOUT_ADMIN_URL says where its admin listener is.';
    throw new CliError(`No admin API at ${url.origin}: ${reasonOf(cause)}. ${hint}`, 1, { cause });
  }
  if (status === 401) {
    throw new CliError(
      `${problemIn(body, status)} Set TURNOUT_TOKEN to a token of the gateway at ${url.origin}.`,
    );
  }
  if (status !== 200) throw new CliError(`${url.origin} answered: ${problemIn(body, status)}`);
  return parsed(body, url);
}

function parsed(body: string, url: URL): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new CliError(`${url.origin} did not answer with JSON.`, 1, { cause });
  }
}
