import { decide } from '../decision/decide.ts';
import { explain } from '../decision/explain.ts';
import type { ExchangeRoute } from '../intake/exchange.ts';
import { RequestView } from '../intake/request-view.ts';
import type { Backend, Decision, RequestClass, Snapshot, User, UserRecord } from '../model.ts';
import { ABSENT_RECORD } from '../model.ts';
import { applyIdentity, type Identifier, needsUser } from './identity-of.ts';
import { applyRoute, type RouteTable } from './route-of.ts';

/** A request that may never have been sent. */
export interface HypotheticalRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Stands for whatever the identity sources would find. */
  readonly user?: string;
}

/** Where a request would go, and the whole chain of reasons. */
export interface Explanation {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly route: string;
  readonly class: RequestClass;
  readonly user: string | null;
  /** How the user was found, one sentence each. */
  readonly identity: string[];
  readonly decision: Decision;
  readonly sentences: string[];
  readonly epoch: number;
}

class ExplainedRequest extends RequestView {
  route: ExchangeRoute | undefined;
  requestClass: RequestClass = 'write';
}

export interface ExplainParts {
  readonly routes: RouteTable;
  readonly identifier: Identifier;
  readonly anonymous: Backend;
  readonly snapshot: () => Snapshot;
  readonly recordOf: (user: User) => UserRecord | Promise<UserRecord>;
}

/**
 * Takes a request through routing, identity and decision, and changes nothing: no membership is recorded, no
 * counter moves.
 *
 * @throws TurnoutError `ambiguous_path`, `user_required`, `state_unknown`
 */
export async function explainRequest(
  request: HypotheticalRequest,
  parts: ExplainParts,
): Promise<Explanation> {
  const view = new ExplainedRequest(request.method.toUpperCase(), request.target, request.headers.flat());
  applyRoute(view, parts.routes);
  const identity: string[] = [];
  if (!needsUser(view.route)) {
    identity.push('The route has a backend of its own and demands no user: nobody was looked for.');
  } else if (request.user === undefined) {
    const found = await parts.identifier.identify(view);
    applyIdentity(view, found, { identityConflict: () => undefined, identityRejected: () => undefined });
    identity.push(...sentencesOf(found.user, found.rejected, found.conflict));
  } else {
    view.user = request.user;
    identity.push(`The user ${JSON.stringify(request.user)} was given with the question.`);
  }
  const { route } = view;
  if (route === undefined) throw new Error('a request without a route');
  const needsRecord = view.user !== undefined && route.backend === undefined;
  const record = needsRecord && view.user !== undefined ? await parts.recordOf(view.user) : ABSENT_RECORD;
  const snapshot = parts.snapshot();
  const decision = decide(
    { route, class: view.requestClass, user: view.user, attributes: view, stickyKey: view.user },
    snapshot,
    record,
    parts.anonymous,
  );
  return {
    method: view.method,
    path: view.target.split('?', 1)[0] ?? '',
    route: route.name,
    class: view.requestClass,
    user: view.user ?? null,
    identity,
    decision,
    sentences: explain(decision),
    epoch: snapshot.epoch,
  };
}

function sentencesOf(user: string | undefined, rejected: readonly string[], conflict: boolean): string[] {
  const sentences = rejected.map((reason) => `An identity source was refused: ${reason}.`);
  if (conflict) sentences.push('Two identity sources name different users; the first listed won.');
  sentences.push(
    user === undefined
      ? 'No identity source names a user.'
      : `The identity sources name the user ${JSON.stringify(user)}.`,
  );
  return sentences;
}
