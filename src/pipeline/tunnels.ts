/** What is special about a request that becomes a tunnel: nobody sees what is sent through it. */
import { decide } from '../decision/decide.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { UserRecord } from '../model.ts';
import type { Stage } from './pipeline.ts';
import type { Deciding } from './stages.ts';

/** A tunnel may carry writes whatever its method, unless its route says that it only reads. */
export const takeForWrite: Stage = (exchange) => {
  if (exchange.route?.class === undefined) exchange.requestClass = 'write';
};

/** Whether an open tunnel still goes where its user's data is, and may go on. */
export function mayStay(exchange: Exchange, deciding: Deciding): boolean | Promise<boolean> {
  const { user, route } = exchange;
  if (user === undefined || route?.backend !== undefined) return true;
  const record = deciding.state.cached(user);
  if (record !== undefined) return goesOn(exchange, record, deciding);
  return deciding.state.load(user).then((loaded) => goesOn(exchange, loaded, deciding));
}

function goesOn(exchange: Exchange, record: UserRecord, { state, anonymous }: Deciding): boolean {
  const { route, requestClass, user, backend } = exchange;
  if (route === undefined) return false;
  const facts = { route, class: requestClass, user, attributes: exchange, stickyKey: user };
  const { target, held, ownerUnknown } = decide(facts, state.snapshot, record, anonymous);
  return target === backend && !held && !ownerUnknown;
}
