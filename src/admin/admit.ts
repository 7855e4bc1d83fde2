/** Before anything is read or parsed: who is calling, by a token or by a session of the console, and may they. */
import type { FastifyRequest } from 'fastify';
import type { TokenModel } from '../config/model.ts';
import { AdminError } from './admin-error.ts';
import { OPEN_PATHS } from './admin-routes.ts';
import { type Actor, authenticate, expectRole, type Role, refuseForeignPages } from './authentication.ts';
import { CONSOLE_PATHS } from './console-routes.ts';
import type { FailedLogins } from './failed-logins.ts';
import { expectOwnPage, sessionIdOf } from './session-cookie.ts';
import { SESSION_PATH } from './session-document.ts';
import type { Sessions } from './sessions.ts';

export interface Doorkeeper {
  readonly tokens: () => readonly TokenModel[];
  readonly failedLogins: FailedLogins;
  readonly sessions: Sessions;
  /** The name of the cookie. */
  readonly cookie: () => string;
  /** The configured host of the listener. */
  readonly host: string;
}

/** Reads are for viewers; whatever changes something is for operators. */
function roleFor(method: string): Role {
  return changesSomething(method) ? 'operator' : 'viewer';
}

function changesSomething(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/**
 * @returns who is calling; `undefined` where nobody has to be anybody
 * @throws AdminError when the caller is nobody, may not, has guessed too often, or is another site's page
 */
export function admit(request: FastifyRequest, door: Doorkeeper): Actor | undefined {
  const { headers, method, routeOptions } = request;
  const { url = '', config } = routeOptions;
  // The page and its script say nothing of the migration, and a link from elsewhere may lead to them.
  if (CONSOLE_PATHS.has(url)) return undefined;
  const tokens = door.tokens();
  if (tokens.length === 0) {
    const { host, origin } = headers;
    refuseForeignPages({ host, origin, fetchSite: oneOf(headers['sec-fetch-site']) }, door.host);
  }
  if (OPEN_PATHS.has(url)) return undefined;
  if (url === SESSION_PATH && method === 'POST') {
    expectOwnPage(headers);
    return undefined;
  }
  const role = config.role ?? roleFor(method);
  const { authorization } = headers;
  if (tokens.length > 0 && authorization === undefined) {
    const actor = bySession(request, door);
    if (actor !== undefined) {
      expectRole(actor, role, tokens);
      return actor;
    }
  }
  const caller = { address: request.socket.remoteAddress ?? '', authorization };
  return authenticate(caller, role, tokens, door.failedLogins);
}

/** @throws AdminError `login_required` for a session that is over, and where the console asks whether there is one */
function bySession({ headers, method, routeOptions }: FastifyRequest, door: Doorkeeper): Actor | undefined {
  const id = sessionIdOf(headers.cookie, door.cookie());
  if (id === undefined && routeOptions.url !== SESSION_PATH) return undefined;
  const actor = id === undefined ? undefined : door.sessions.find(id);
  if (actor === undefined)
    throw new AdminError('login_required', 'There is no session, or it is over. Log in.');
  if (changesSomething(method)) expectOwnPage(headers);
  return actor;
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
