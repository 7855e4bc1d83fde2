/** Sessions of the console: a token once, a cookie from then on. */
import { Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Doorkeeper } from './admit.ts';
import { logIn } from './authentication.ts';
import { STRICT } from './request-parts.ts';
import { sessionCookie, sessionIdOf } from './session-cookie.ts';
import { SESSION_PATH, SessionSchema } from './session-document.ts';
import { SESSION_IDLE_MS } from './sessions.ts';
import type { AdminServer } from './type-provider.ts';

const LoginBody = Type.Object({ token: Type.String({ minLength: 1, maxLength: 512 }) }, STRICT);

/** @param onEnd a session ended: whoever looks is to show again that it may */
export function sessionRoutes(server: AdminServer, door: Doorkeeper, onEnd: () => void): void {
  const setCookie = (request: FastifyRequest, reply: FastifyReply, id: string, maxAgeS: number): void => {
    const isSecure = request.headers.origin?.startsWith('https://') === true;
    reply.header('set-cookie', sessionCookie(id, { name: door.cookie(), maxAgeS, isSecure }));
  };

  server.post(
    SESSION_PATH,
    {
      config: {
        summary: 'Log in to the console',
        description:
          'Sets a cookie for 12 hours of silence. Needs `x-turnout-console: 1` and the Origin of this listener. ' +
          'Where no tokens are configured there is nothing to log in to: who calls is `local`.',
      },
      schema: { body: LoginBody, response: { 200: SessionSchema } },
    },
    async (request, reply) => {
      const address = request.socket.remoteAddress ?? '';
      const token = logIn(request.body.token, address, door.tokens(), door.failedLogins);
      if (token === undefined) return { name: 'local', role: 'operator' as const, canLogOut: false };
      setCookie(request, reply, door.sessions.begin(token), SESSION_IDLE_MS / 1_000);
      return { name: token.name, role: token.role, canLogOut: true };
    },
  );
  server.get(
    SESSION_PATH,
    {
      config: { summary: 'Who is calling, and in which role' },
      schema: { response: { 200: SessionSchema } },
    },
    async (request) => {
      const { authorization, cookie } = request.headers;
      const bySession = authorization === undefined && sessionIdOf(cookie, door.cookie()) !== undefined;
      const canLogOut = bySession && door.tokens().length > 0;
      return { name: request.actor, role: request.role, canLogOut };
    },
  );
  server.delete(
    SESSION_PATH,
    {
      config: { summary: 'Log out of the console', role: 'viewer' },
      schema: { response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const id = sessionIdOf(request.headers.cookie, door.cookie());
      if (id !== undefined) {
        door.sessions.end(id);
        onEnd();
      }
      setCookie(request, reply, '', 0);
      return reply.code(204).send(null);
    },
  );
}
