import type { AttributeRef, Attributes, User } from '../model.ts';
import { utf8OfBytes } from '../routing/percent-decode.ts';
import { cookieValue } from './cookies.ts';
import { isHeaderName } from './header-names.ts';
import { queryValue } from './query.ts';

/** Looks up one of a token's claims as text. */
export interface Claims {
  get(name: string): string | undefined;
}

/** Looks up one parameter of the route's pattern. */
export interface PathParams {
  get(name: string): string | undefined;
}

/** What identity and rules may know of a request, whether it is on the wire or was pasted by an operator. */
export class RequestView implements Attributes {
  readonly method: string;
  /** Path and query, byte for byte as the client sent them. */
  target: string;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: readonly string[];
  params: PathParams | undefined;
  user: User | undefined;
  claims: Claims | undefined;

  constructor(method: string, target: string, rawHeaders: readonly string[]) {
    this.method = method;
    this.target = target;
    this.rawHeaders = rawHeaders;
  }

  /** The query without its question mark; empty when there is none. */
  get query(): string {
    const at = this.target.indexOf('?');
    return at < 0 ? '' : this.target.slice(at + 1);
  }

  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined {
    const { rawHeaders } = this;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      if (isHeaderName(rawHeaders[i] ?? '', name)) return rawHeaders[i + 1];
    }
    return undefined;
  }

  /** How often a header was sent, by its lower-case name. */
  headerCount(name: string): number {
    const { rawHeaders } = this;
    let count = 0;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      if (isHeaderName(rawHeaders[i] ?? '', name)) count += 1;
    }
    return count;
  }

  param(name: string): string | undefined {
    return this.params?.get(name);
  }

  attribute(ref: AttributeRef): string | undefined {
    switch (ref.source) {
      case 'header': {
        // Rules are written in UTF-8; a value that is not is an attribute that nothing can match.
        const value = this.header(ref.name);
        return value === undefined ? undefined : utf8OfBytes(value);
      }
      case 'claim':
        return this.claims?.get(ref.name);
      case 'cookie': {
        const cookies = this.header('cookie');
        return cookies === undefined ? undefined : cookieValue(cookies, ref.name);
      }
      case 'query':
        return queryValue(this.query, ref.name);
      case 'path':
        return this.params?.get(ref.name);
      case 'user':
        return this.user;
      default: {
        const never: never = ref.source;
        throw new Error(`unknown attribute source ${String(never)}`);
      }
    }
  }
}
