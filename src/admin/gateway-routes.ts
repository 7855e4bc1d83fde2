/** The resources of gateways: who has to agree to a change, and striking off one that is gone; rebuilding the map. */
import { Type } from '@sinclair/typebox';
import type { Logger } from 'pino';
import { AdminError } from './admin-error.ts';
import type { ControlAccess } from './control-access.ts';
import { GatewaySchema, gatewayDocument } from './control-documents.ts';
import { PageQuery, PageSchema, pageOf } from './page.ts';
import { Reason, STRICT } from './request-parts.ts';
import type { AdminServer } from './type-provider.ts';

/** 10 million users take minutes, in which nothing is sent. */
const REBUILD_MS = 3_600_000;

const EvictBody = Type.Object(
  {
    risk: Type.Literal('accepted', {
      description:
        'Nobody waits for this gateway any more. Should its process still run, it may send writes to a backend ' +
        'that has lost their users. Evict only what is gone for certain.',
    }),
    reason: Reason,
  },
  STRICT,
);

export function gatewayRoutes(server: AdminServer, access: ControlAccess, log: Logger): void {
  server.get(
    '/api/v1/gateways',
    {
      config: { summary: 'The gateways that a change has to wait for' },
      schema: {
        querystring: Type.Object(PageQuery, STRICT),
        response: { 200: PageSchema(GatewaySchema) },
      },
    },
    async ({ query }) => {
      const gateways = await access.ask((control) => control.gateways());
      const sorted = gateways.map(gatewayDocument).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      return pageOf(sorted, ({ id }) => id, Number(query.limit), query.cursor);
    },
  );

  server.delete(
    '/api/v1/gateways/:id',
    {
      config: { summary: 'Evict a gateway that is gone: nobody waits for it any more' },
      schema: {
        params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 256 }) }),
        body: EvictBody,
        response: { 200: Type.Object({ evicted: Type.String() }) },
      },
    },
    async ({ params: { id }, body, actor }) => {
      const gateways = await access.ask((control) => control.gateways());
      const gateway = gateways.find((known) => known.id === id);
      if (gateway?.verdict === 'live') {
        const detail = `Gateway ${id} (${gateway.where}) is live, and acknowledges changes by itself. Stop it instead.`;
        throw new AdminError('gateway_live', detail);
      }
      const author = { actor, reason: body.reason };
      if (gateway === undefined || !(await access.ask((control) => control.evictGateway(id, author)))) {
        throw new AdminError('gateway_unknown', `There is no gateway ${id}.`);
      }
      log.warn({ event: 'gateway_evicted', gateway: id, actor, reason: body.reason }, 'gateway evicted');
      return { evicted: id };
    },
  );
}

export function rebuildRoutes(server: AdminServer, access: ControlAccess): void {
  server.post(
    '/api/v1/rebuild',
    {
      config: {
        summary: 'Replace the state map by one that is made from the record',
        description:
          'For a map that is damaged: one that is lost is rebuilt without being asked. Gateways are detached until ' +
          'the new map is there. Needs the role admin.',
        role: 'admin',
      },
      schema: {
        body: Type.Object({ reason: Reason }, STRICT),
        response: { 200: Type.Object({ mapId: Type.String(), epoch: Type.Integer() }) },
      },
    },
    async ({ body, actor, raw }) => {
      raw.socket.setTimeout(REBUILD_MS);
      return access.ask((control) => control.rebuild({ actor, reason: body.reason }));
    },
  );
}
