/** The cookie of a session, and what a browser has to show besides it before something is changed. */
import { AdminError } from './admin-error.ts';

/** Sent by the console with whatever changes something. A page of another site cannot, without being asked first. */
const CONSOLE_HEADER = 'x-turnout-console';
/** Nothing else of the listener wants it. */
const COOKIE_PATH = '/api/v1';
const ID = /^[A-Za-z0-9_-]{43}$/u;

/** Cookies are shared by all ports of a host: each listener has a name of its own. */
export function cookieName(port: number): string {
  return `turnout_session_${port}`;
}

/** @returns the id in the cookie, if there is one that can be an id */
export function sessionIdOf(cookies: string | undefined, name: string): string | undefined {
  for (const cookie of (cookies ?? '').split(';')) {
    const [key, value = ''] = cookie.split('=', 2).map((part) => part.trim());
    if (key === name && ID.test(value)) return value;
  }
  return undefined;
}

export interface CookieOptions {
  readonly name: string;
  readonly maxAgeS: number;
  /** The page came over TLS, which something in front ended. */
  readonly isSecure: boolean;
}

/** @param id empty, with an age of 0, takes it away */
export function sessionCookie(id: string, { name, maxAgeS, isSecure }: CookieOptions): string {
  const secure = isSecure ? '; Secure' : '';
  return `${name}=${id}; Path=${COOKIE_PATH}; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${secure}`;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * A cookie is sent by the browser whoever's page asks. So what changes something by one has to carry a header that only
 * a page of this listener can set, and to come from this listener's origin.
 *
 * @throws AdminError `origin_refused`
 */
export function expectOwnPage(headers: Headers): void {
  const { host, origin } = headers;
  const named = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin).host : undefined;
  const isOwn = named !== undefined && named === hostOf(host);
  const site = headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site';
  if (isOwn && !isForeign && headers[CONSOLE_HEADER] === '1') return;
  throw new AdminError(
    'origin_refused',
    `With a session, changes need the header ${CONSOLE_HEADER}: 1 and the Origin of this listener.`,
  );
}

/** As a browser writes it in an origin: lower case, without the port where it is the scheme's own. */
function hostOf(host: string | string[] | undefined): string | undefined {
  if (typeof host !== 'string') return undefined;
  const written = `http://${host}`;
  return URL.canParse(written) ? new URL(written).host : undefined;
}
