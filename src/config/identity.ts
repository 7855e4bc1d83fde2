/**
 * The sources of identity, in the order in which they are asked.
 */
import { readHttpUrl } from './backends.ts';
import {
  type IdentityWritten,
  type JwtWritten,
  PUBLIC_KEY_ALGORITHMS,
  SECRET_ALGORITHMS,
} from './identity-schema.ts';
import type { IdentitySource } from './model.ts';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';
import { readSecretFile } from './secret-file.ts';

/** RFC 7518, 3.2: a key of at least the size of the hash; 256 bits for HS256. */
const SECRET_BYTES_MIN = 32;

type JwtSource = Extract<IdentitySource, { from: 'jwt' }>;

/** @returns the source; `undefined` if it has a problem, reported */
export function readIdentity(
  written: IdentityWritten,
  place: Place,
  reading: Reading,
): IdentitySource | undefined {
  switch (written.from) {
    case 'jwt':
      return readJwt(written, place, reading);
    case 'header':
      if (!written.trusted) {
        reading.report.problem(
          [...place, 'trusted'],
          "any client can send this header and so name itself anybody; write `trusted: true` if something in front of Turnout sets it and drops the client's own, else remove this source",
          { expected: 'true' },
        );
      }
      return { from: 'header', name: written.name.toLowerCase() };
    case 'cookie':
      return { from: 'cookie', name: written.name };
    case 'path':
      return { from: 'path', name: written.name };
    case 'query':
      return { from: 'query', name: written.name };
    default:
      written satisfies never;
      return undefined;
  }
}

function readJwt(written: JwtWritten, place: Place, reading: Reading): JwtSource | undefined {
  const { report } = reading;
  const given = (['jwksUrl', 'secret', 'secretFile'] as const).filter((key) => written[key] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.join(' and ');
    report.problem(place, `expected exactly one of jwksUrl, secretFile, secret; found ${found}`, { found });
    return undefined;
  }
  const key = readKey(written, place, reading);
  const usable: readonly string[] = written.jwksUrl === undefined ? SECRET_ALGORITHMS : PUBLIC_KEY_ALGORITHMS;
  written.algorithms?.forEach((algorithm, index) => {
    if (usable.includes(algorithm)) return;
    const source = written.jwksUrl === undefined ? 'a secret' : 'the public keys of `jwksUrl`';
    report.problem(
      [...place, 'algorithms', index],
      `${algorithm} does not go with ${source}; expected one of ${usable.join(', ')}`,
    );
  });
  if (key === undefined) return undefined;
  return {
    from: 'jwt',
    claim: written.claim,
    header: written.header.toLowerCase(),
    cookie: written.cookie,
    key,
    algorithms: written.algorithms ?? (key.kind === 'jwks' ? PUBLIC_KEY_ALGORITHMS : ['HS256']),
    issuer: written.issuer,
    audience: written.audience,
    clockToleranceMs: written.clockToleranceMs,
  };
}

function readKey(written: JwtWritten, place: Place, { report }: Reading): JwtSource['key'] | undefined {
  if (written.jwksUrl !== undefined) {
    const url = readHttpUrl(written.jwksUrl, [...place, 'jwksUrl'], report);
    if (url === undefined) return undefined;
    return { kind: 'jwks', url: url.href, cacheMs: written.jwksCacheMs, cooldownMs: written.jwksCooldownMs };
  }
  const inner = [...place, written.secret === undefined ? 'secretFile' : 'secret'];
  const secret = written.secret ?? readSecretFile(written.secretFile ?? '', inner, report);
  if (secret === undefined) return undefined;
  const length = Buffer.byteLength(secret);
  if (length < SECRET_BYTES_MIN) {
    report.problem(inner, `expected a secret of at least ${SECRET_BYTES_MIN} bytes; found ${length}`);
    return undefined;
  }
  return { kind: 'secret', secret };
}
