/** Signs tokens with the platform's own cryptography, so that the verifier is not checked against itself. */

import type { KeyObject, webcrypto } from 'node:crypto';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

export interface KeyPair {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As an issuer publishes it. */
  readonly jwk: webcrypto.JsonWebKey & { kid?: string };
}

export function rsaPair(kid: string, modulusLength = 2048): KeyPair {
  const pair = generateKeyPairSync('rsa', { modulusLength });
  return keyPair(kid, 'RS256', pair.privateKey, pair.publicKey);
}

export function ecPair(kid: string, namedCurve = 'P-256', algorithm = 'ES256'): KeyPair {
  const pair = generateKeyPairSync('ec', { namedCurve });
  return keyPair(kid, algorithm, pair.privateKey, pair.publicKey);
}

export function edPair(kid: string): KeyPair {
  const pair = generateKeyPairSync('ed25519');
  return keyPair(kid, 'EdDSA', pair.privateKey, pair.publicKey);
}

function keyPair(kid: string, algorithm: string, privateKey: KeyObject, publicKey: KeyObject): KeyPair {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

export type Claims = Readonly<Record<string, unknown>>;

export function signed(pair: KeyPair, claims: Claims, head: Claims = {}): string {
  const input = unsigned({ alg: pair.algorithm, typ: 'JWT', kid: pair.kid, ...head }, claims);
  const digest = pair.algorithm === 'EdDSA' ? undefined : `sha${pair.algorithm.slice(2)}`;
  const signature = sign(digest, Buffer.from(input), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

export function hmacSigned(secret: string, claims: Claims, head: Claims = {}): string {
  const input = unsigned({ alg: 'HS256', typ: 'JWT', ...head }, claims);
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** Head and payload of a token, without the signature and its dot. */
export function unsigned(head: Claims, claims: Claims): string {
  return [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

export function jwksOf(...pairs: readonly KeyPair[]): string {
  return JSON.stringify({ keys: pairs.map((pair) => pair.jwk) });
}
