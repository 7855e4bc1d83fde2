/** Requests and sources for the tests of identity. */
import type { IdentitySource } from '../../src/config/model.ts';
import type { Identified, Identity, IdentityInput } from '../../src/intake/identity.ts';

export interface Sent {
  readonly headers?: readonly (readonly [string, string])[];
  readonly query?: string;
  readonly params?: Readonly<Record<string, string>>;
}

export function request({ headers = [], query = '', params = {} }: Sent): IdentityInput {
  return {
    query,
    header: (name) => headers.find(([sent]) => sent === name)?.[1],
    headerCount: (name) => headers.filter(([sent]) => sent === name).length,
    param: (name) => params[name],
  };
}

export const bearer = (token: string): IdentityInput =>
  request({ headers: [['authorization', `Bearer ${token}`]] });

type TokenSource = Extract<IdentitySource, { from: 'jwt' }>;

export const SECRET = 'a secret of thirty-two bytes or more';

export function secretSource(changes: Partial<TokenSource> = {}): TokenSource {
  return {
    from: 'jwt',
    claim: 'sub',
    header: 'authorization',
    cookie: undefined,
    key: { kind: 'secret', secret: SECRET },
    algorithms: ['HS256'],
    issuer: undefined,
    audience: undefined,
    clockToleranceMs: 0,
    ...changes,
  };
}

export function jwksSource(url: string, changes: Partial<TokenSource> = {}): TokenSource {
  return secretSource({
    key: { kind: 'jwks', url, cacheMs: 600_000, cooldownMs: 30_000 },
    algorithms: ['RS256', 'ES256', 'ES384', 'EdDSA'],
    ...changes,
  });
}

/** The outcome of a request that must not wait for anything. */
export function identifyNow(identity: Identity, input: IdentityInput): Identified {
  const found = identity.identify(input);
  if (found instanceof Promise) throw new Error('the identity of this request should be known at once');
  return found;
}

/** The user, or the problems that stood in the way. */
export function outcome(found: Identified): string | readonly string[] {
  return found.user ?? found.rejected;
}

/** Two clocks that stand still until they are moved. */
export class Clocks {
  epochMs = Date.UTC(2027, 0, 15);
  elapsed = 1_000;
  readonly nowMs = (): number => this.epochMs;
  readonly elapsedMs = (): number => this.elapsed;

  pass(ms: number): void {
    this.epochMs += ms;
    this.elapsed += ms;
  }

  /** Now, as tokens write it: whole seconds. */
  get seconds(): number {
    return this.epochMs / 1000;
  }
}
