import { TurnoutError } from '../errors.ts';
import type { ExchangeRoute } from '../intake/exchange.ts';
import type { PathParams, RequestView } from '../intake/request-view.ts';
import type { RequestClass } from '../model.ts';
import { AMBIGUOUS } from '../routing/router.ts';

/** The routes of one configuration. */
export interface RouteTable {
  match(
    method: string,
    rawTarget: string,
  ): { route: ExchangeRoute; class: RequestClass; params: PathParams } | typeof AMBIGUOUS;
}

/** A request that has a route, or will have. */
export interface Routed extends RequestView {
  route: ExchangeRoute | undefined;
  requestClass: RequestClass;
}

/** @throws TurnoutError `ambiguous_path` */
export function applyRoute(request: Routed, routes: RouteTable): void {
  const match = routes.match(request.method, request.target);
  if (match === AMBIGUOUS) throw new TurnoutError('ambiguous_path');
  request.route = match.route;
  request.requestClass = match.class;
  request.params = match.params;
}
