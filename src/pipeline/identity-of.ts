import { TurnoutError } from '../errors.ts';
import type { ExchangeRoute } from '../intake/exchange.ts';
import type { Claims, RequestView } from '../intake/request-view.ts';
import type { User } from '../model.ts';

/** What the identity sources found. */
export interface IdentifiedUser {
  readonly user: User | undefined;
  readonly claims: Claims | undefined;
  /** Why sources that spoke were not believed, from a fixed list. */
  readonly rejected: readonly string[];
  /** Two sources named different users; the first listed won. */
  readonly conflict: boolean;
  /** There is a token and no key to check it with: nobody knows whether there is a user. */
  readonly unverifiable: boolean;
}

export interface Identifier {
  /** Waits only when a key has to be fetched. */
  identify(request: RequestView): IdentifiedUser | Promise<IdentifiedUser>;
  /** Fetches keys ahead of the first request. Never rejects. */
  warmUp(): Promise<void>;
}

/** A route with a backend of its own serves everybody alike, unless it demands a user. */
export function needsUser(route: ExchangeRoute | undefined): boolean {
  return route === undefined || route.backend === undefined || route.requireUser;
}

export interface IdentityObserver {
  identityConflict(): void;
  identityRejected(reason: string): void;
}

/** @throws TurnoutError `user_required`, `identity_unavailable` */
export function applyIdentity(
  request: RequestView & { readonly route: ExchangeRoute | undefined },
  found: IdentifiedUser,
  observer: IdentityObserver,
): void {
  request.user = found.user;
  request.claims = found.claims;
  if (found.conflict) observer.identityConflict();
  for (const reason of found.rejected) observer.identityRejected(reason);
  // As an anonymous request it could reach a backend that does not own its user.
  if (found.unverifiable) throw new TurnoutError('identity_unavailable');
  if (found.user === undefined && request.route?.requireUser === true)
    throw new TurnoutError('user_required');
}
