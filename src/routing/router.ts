/** The route for a method and a path: the first in the order of the configuration that fits. */
import type { RequestClass, RoutePolicy } from '../model.ts';
import { canonicalPath, scanPath } from './canonical-path.ts';
import type { Pattern } from './pattern.ts';
import { captures, compilePattern, meets } from './pattern.ts';
import { percentDecodeBytes, percentDecodeUtf8 } from './percent-decode.ts';

/** What routing needs of a route. */
export interface Route extends RoutePolicy {
  /** A pattern, see `pattern.ts`. */
  readonly match: string;
  /** Upper case; empty means every method. */
  readonly methods: readonly string[];
  /** `undefined`: by method. */
  readonly class: RequestClass | undefined;
}

/** The route of requests that no configured route takes. Nothing is compared or mirrored that nobody listed. */
export const DEFAULT_ROUTE = Object.freeze({
  name: 'default',
  match: '/*',
  methods: Object.freeze<string[]>([]),
  class: undefined,
  backend: undefined,
  shadow: false,
  mirror: false,
  requireUser: false,
  shadowSample: 0,
} as const satisfies Route & Record<string, unknown>);

/** The values of a route's parameters in one path. */
export class Params {
  readonly #names: readonly string[];
  readonly #values: readonly (string | undefined)[];

  constructor(names: readonly string[], values: readonly (string | undefined)[]) {
    this.#names = names;
    this.#values = values;
  }

  /**
   * The value as text, percent-decoded; `undefined` if the route has no such parameter, and if the value is
   * not valid UTF-8 or has a broken escape.
   */
  get(name: string): string | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.#values[index];
  }
}

export interface RouteMatch<R extends Route = Route> {
  readonly route: R;
  readonly class: RequestClass;
  readonly params: Params;
}

/**
 * The path, as sent and as a backend may read it, belongs to different routes or names different parameters.
 * The gateway answers `ambiguous_path`.
 */
export const AMBIGUOUS = 'ambiguous';

export interface Router<R extends Route = Route> {
  /**
   * Never throws.
   * @param method as sent
   * @param rawTarget the path with its query, one character for a byte; anything that is not a path meets
   *   only patterns that meet everything
   */
  match(method: string, rawTarget: string): RouteMatch<R | typeof DEFAULT_ROUTE> | typeof AMBIGUOUS;
}

const NO_PARAMS = new Params([], []);

/** Reads do not change anything by the meaning of their method; what is not known to be a read is a write. */
export function classOfMethod(method: string): RequestClass {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'read' : 'write';
}

/**
 * Prepares routes for matching. A last route `default` is added, which takes what the others leave.
 * @throws Error for an invalid pattern
 */
export function compileRoutes<R extends Route>(routes: readonly R[]): Router<R> {
  return new CompiledRouter<R | typeof DEFAULT_ROUTE>(
    routes.map((route) => new CompiledRoute<R | typeof DEFAULT_ROUTE>(route)),
    new CompiledRoute<R | typeof DEFAULT_ROUTE>(DEFAULT_ROUTE),
  );
}

class CompiledRoute<R extends Route> {
  readonly route: R;
  readonly pattern: Pattern;
  readonly methods: readonly string[];
  readonly hasParams: boolean;
  /** The answers of a route without parameters: always the same two. */
  readonly read: RouteMatch<R>;
  readonly write: RouteMatch<R>;

  constructor(route: R) {
    this.route = route;
    this.pattern = compilePattern(route.match);
    this.methods = route.methods;
    this.hasParams = this.pattern.paramNames.length > 0;
    this.read = Object.freeze({ route, class: 'read', params: NO_PARAMS });
    this.write = Object.freeze({ route, class: 'write', params: NO_PARAMS });
  }

  plainMatch(method: string): RouteMatch<R> {
    return (this.route.class ?? classOfMethod(method)) === 'read' ? this.read : this.write;
  }
}

class CompiledRouter<R extends Route> implements Router<R> {
  readonly #routes: readonly CompiledRoute<R>[];
  readonly #fallback: CompiledRoute<R>;

  constructor(routes: readonly CompiledRoute<R>[], fallback: CompiledRoute<R>) {
    this.#routes = routes;
    this.#fallback = fallback;
  }

  match(method: string, rawTarget: string): RouteMatch<R> | typeof AMBIGUOUS {
    const scanned = scanPath(rawTarget);
    const end = scanned < 0 ? ~scanned : scanned;
    const found = this.#findRaw(method, rawTarget, end);
    if (scanned >= 0) {
      if (!found.hasParams) return found.plainMatch(method);
      // Nothing in such a path is escaped or outside ASCII: the values are text as they are.
      return matchWithParams(found, method, captures(found.pattern.raw, rawTarget, end));
    }
    return this.#matchBothForms(found, method, rawTarget, end);
  }

  #matchBothForms(
    found: CompiledRoute<R>,
    method: string,
    rawTarget: string,
    end: number,
  ): RouteMatch<R> | typeof AMBIGUOUS {
    const canonical = canonicalPath(rawTarget.slice(0, end));
    if (this.#findCanonical(method, canonical) !== found) return AMBIGUOUS;
    if (!found.hasParams) return found.plainMatch(method);
    const asSent = captures(found.pattern.raw, rawTarget, end);
    const asRead = captures(found.pattern.canonical, canonical, canonical.length);
    for (const [index, value] of asSent.entries()) {
      if (percentDecodeBytes(value) !== asRead[index]) return AMBIGUOUS;
    }
    return matchWithParams(found, method, asSent.map(percentDecodeUtf8));
  }

  #findRaw(method: string, path: string, end: number): CompiledRoute<R> {
    for (const candidate of this.#routes) {
      if (meets(candidate.pattern.raw, path, end) && takes(candidate.methods, method)) return candidate;
    }
    return this.#fallback;
  }

  #findCanonical(method: string, path: string): CompiledRoute<R> {
    for (const candidate of this.#routes) {
      if (meets(candidate.pattern.canonical, path, path.length) && takes(candidate.methods, method)) {
        return candidate;
      }
    }
    return this.#fallback;
  }
}

function takes(methods: readonly string[], method: string): boolean {
  return methods.length === 0 || methods.includes(method);
}

function matchWithParams<R extends Route>(
  found: CompiledRoute<R>,
  method: string,
  values: readonly (string | undefined)[],
): RouteMatch<R> {
  return {
    route: found.route,
    class: found.route.class ?? classOfMethod(method),
    params: new Params(found.pattern.paramNames, values),
  };
}
