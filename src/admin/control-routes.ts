/** Every resource that is about who owns whom: cohorts, members, users, changes, gateways. */
import type { Logger } from 'pino';
import type { AdminSource } from './admin-source.ts';
import { changeRoutes } from './change-routes.ts';
import { cohortRoutes } from './cohort-routes.ts';
import type { ControlAccess } from './control-access.ts';
import { gatewayRoutes, rebuildRoutes } from './gateway-routes.ts';
import { memberRoutes } from './member-routes.ts';
import type { AdminServer } from './type-provider.ts';
import { userRoutes } from './user-routes.ts';

/** @param stopping aborted when the listener closes: long jobs end then */
export function controlRoutes(
  server: AdminServer,
  source: AdminSource,
  access: ControlAccess,
  log: Logger,
  stopping: AbortSignal,
): void {
  cohortRoutes(server, source, access);
  memberRoutes(server, access, log, stopping);
  userRoutes(server, source, access);
  changeRoutes(server, access);
  gatewayRoutes(server, access, log);
  rebuildRoutes(server, access);
}
