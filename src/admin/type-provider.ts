/** Fastify as the admin listener uses it: handlers have the types of their TypeBox schemas, and know the caller. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Static, TSchema } from '@sinclair/typebox';
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify';
import type { Role } from './authentication.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the token that the call was made with, or `local`. Empty for paths that need none. */
    actor: string;
    /** Of the actor. `viewer` for paths that need nobody. */
    role: Role;
  }
  interface FastifyContextConfig {
    /** What a route is for, in a line; for the OpenAPI document. */
    readonly summary?: string;
    readonly description?: string;
    /** The type of an answer that is not JSON. */
    readonly produces?: string;
    /** The schema of an answer, or of a line of it, that no serialiser is made from; for the OpenAPI document. */
    readonly answers?: TSchema;
    /** Another type that the answer may have, for who asks for it. */
    readonly alsoProduces?: string;
    /** The type of a body that is not JSON. */
    readonly consumes?: string;
    /** The body may take as long as it moves: it is read piece by piece. */
    readonly streams?: boolean;
    /** Who may call it, where the method does not say so. */
    readonly role?: Role;
  }
}

export interface TypeBoxProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

export type AdminServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;
