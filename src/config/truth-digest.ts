/**
 * The part of a configuration that bears on truth, as one short text: gateways whose digests differ could send
 * one user's write to different backends, so no truth moves while they do.
 */
import { createHash } from 'node:crypto';
import type { ConfigModel, IdentitySource, RouteModel } from './model.ts';

/**
 * SHA-256, in lower-case hex, over what decides whose request goes where: the routes in their order (path,
 * methods, class, fixed backend, mirroring), the identity sources in their order, and the anonymous policy.
 * Names, timeouts, comparisons and `requireUser` do not move anybody and are left out.
 */
export function truthDigest(config: Pick<ConfigModel, 'routes' | 'identity' | 'anonymous'>): string {
  const canonical = {
    routes: config.routes.map(routeTruth),
    identity: config.identity.map(identityTruth),
    anonymous: config.anonymous,
  };
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex');
}

function routeTruth(route: RouteModel): unknown {
  const { match, class: requestClass, backend, mirror } = route;
  return [match, route.methods.toSorted(), requestClass ?? null, backend ?? null, mirror];
}

/** Field by field: the order in which an object was built, or a field that is absent, changes nothing. */
function identityTruth(source: IdentitySource): unknown {
  if (source.from !== 'jwt') return [source.from, source.name];
  const { key } = source;
  return [
    source.from,
    source.claim,
    source.header,
    source.cookie ?? null,
    key.kind,
    // Another secret lets other tokens in; the digest is published, the secret is at least 32 bytes long.
    key.kind === 'jwks' ? key.url : createHash('sha256').update(key.secret).digest('hex'),
    source.algorithms.toSorted(),
    source.issuer ?? null,
    source.audience ?? null,
    source.clockToleranceMs,
  ];
}
