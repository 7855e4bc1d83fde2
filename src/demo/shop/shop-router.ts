/** Finds the handler of a request among a shop's routes. */
import { ShopError } from './shop-error.ts';
import { userNumber } from './user-key.ts';

export interface ShopRequest {
  readonly query: URLSearchParams;
  readonly params: ReadonlyMap<string, string>;
  /** The value of `x-user-id`, as sent. */
  readonly user: string | undefined;
  /** The parsed JSON body; `undefined` when there is none. */
  readonly body: unknown;
  readonly requestId: string;
}

export type ShopAnswer =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: number; readonly text: string; readonly contentType: string };

export interface ShopRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Literal segments and `:name` for one segment. */
  readonly path: string;
  /** Whether it changes nothing although its method could. */
  readonly isRead?: true;
  readonly handle: (request: ShopRequest) => ShopAnswer | Promise<ShopAnswer>;
}

export interface RouteMatch {
  readonly route: ShopRoute;
  readonly params: ReadonlyMap<string, string>;
}

/**
 * The first listed route that fits wins, so `/orders/history` has to stand before `/orders/:number`.
 * `HEAD` is answered by the route of `GET`.
 * @throws ShopError `not_found`, or `method_not_allowed` with the methods that the path does have.
 */
export function matchRoute(routes: readonly ShopRoute[], method: string, path: string): RouteMatch {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed = new Set<string>();
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (params === undefined) continue;
    if (route.method === wanted) return { route, params };
    allowed.add(route.method);
  }
  if (allowed.size === 0) throw new ShopError('not_found', `There is nothing at ${path}.`);
  throw new ShopError('method_not_allowed', `${path} takes ${[...allowed].join(', ')}.`, {
    headers: { allow: [...allowed].join(', ') },
  });
}

/**
 * The number of the user on whose behalf the request is made.
 * @throws ShopError when the header is missing or is no user key.
 */
export function callingUser(request: ShopRequest): number {
  if (request.user === undefined) {
    throw new ShopError('user_required', 'Say who you are: send the header x-user-id, such as u-17.');
  }
  const number = userNumber(request.user);
  if (number === undefined) {
    throw new ShopError('bad_request', 'The header x-user-id has to look like u-17.');
  }
  return number;
}

function matchPath(pattern: string, path: string): ReadonlyMap<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params = new Map<string, string>();
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? '';
    if (segment.startsWith(':') && value !== '') params.set(segment.slice(1), value);
    else if (segment !== value) return undefined;
  }
  return params;
}
