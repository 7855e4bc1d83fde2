/**
 * The sources of identity as they are written.
 */
import { type Static, Type } from '@sinclair/typebox';
import { choice, headerName, list, mapping, milliseconds, path, text, variants } from './schema-terms.ts';

/** Verified with one public key of the set that the issuer publishes. */
export const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

/** Verified with a secret that both sides have. */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;

const cookieName = () =>
  text({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", maxLength: 128, expected: 'the name of a cookie' });

const JwtSchema = mapping(
  {
    from: Type.Literal('jwt'),
    claim: text({ default: 'sub', maxLength: 128, expected: 'the name of a claim' }),
    header: headerName({ default: 'authorization' }),
    cookie: Type.Optional(cookieName()),
    jwksUrl: Type.Optional(text({ secret: true, expected: 'an http or https URL' })),
    jwksCacheMs: milliseconds(600_000, 1000, 86_400_000),
    jwksCooldownMs: milliseconds(30_000, 0, 3_600_000),
    secret: Type.Optional(text({ minLength: 0, secret: true, expected: 'a secret of at least 32 bytes' })),
    secretFile: Type.Optional(path()),
    algorithms: Type.Optional(
      list(choice([...PUBLIC_KEY_ALGORITHMS, ...SECRET_ALGORITHMS]), { minItems: 1, uniqueItems: true }),
    ),
    issuer: Type.Optional(text()),
    audience: Type.Optional(text()),
    clockToleranceMs: milliseconds(5000, 0, 300_000),
  },
  { secret: true },
);

export const IdentitySchema = variants('from', [
  JwtSchema,
  mapping({
    from: Type.Literal('header'),
    name: headerName(),
    trusted: Type.Boolean({ default: false }),
  }),
  mapping({ from: Type.Literal('cookie'), name: cookieName() }),
  mapping({
    from: Type.Literal('path'),
    name: text({ maxLength: 64, expected: 'the name of a path parameter' }),
  }),
  mapping({
    from: Type.Literal('query'),
    name: text({ maxLength: 128, expected: 'the name of a query parameter' }),
  }),
]);

export type IdentityWritten = Static<typeof IdentitySchema>;
export type JwtWritten = Static<typeof JwtSchema>;
