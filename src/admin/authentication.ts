/**
 * Who may use the admin API. With tokens configured, every call needs one; without, the configuration
 * allows a loopback listener only; whoever is on this machine may read and operate, since nobody else gets
 * there, and a browser is kept from being used as a way in (DNS rebinding, requests from other sites).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { TokenModel } from '../config/model.ts';
import { AdminError } from './admin-error.ts';
import type { FailedLogins } from './failed-logins.ts';

export type Role = TokenModel['role'];

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

const TOKEN_CHARS_MAX = 512;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Who made a call, for the audit. */
export interface Actor {
  readonly name: string;
  readonly role: Role;
}

export interface Caller {
  /** The address of the peer; empty when the connection is gone. */
  readonly address: string;
  readonly authorization: string | undefined;
}

function isLoopback(address: string): boolean {
  return LOOPBACK.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Compares with every token, and always to the end, so that the time tells nothing about any of them. */
function tokenOf(presented: string, tokens: readonly TokenModel[]): TokenModel | undefined {
  const digest = createHash('sha256').update(presented).digest();
  let found: TokenModel | undefined;
  for (const token of tokens) {
    const expected = Buffer.from(token.sha256, 'hex');
    if (expected.length === digest.length && timingSafeEqual(expected, digest)) found = token;
  }
  return found;
}

function anonymousActor({ address }: Caller): Actor {
  if (!isLoopback(address)) {
    throw new AdminError('local_only', 'No tokens are configured: only callers on this machine may use it.');
  }
  return { name: 'local', role: 'operator' };
}

function bearerOf(authorization: string): string | undefined {
  const [, token] = /^bearer +([\x21-\x7e]+) *$/iu.exec(authorization) ?? [];
  return token === undefined || token.length > TOKEN_CHARS_MAX ? undefined : token;
}

/**
 * @param required the role that the call needs
 * @throws AdminError when the caller is nobody, may not, or has guessed too often
 */
export function authenticate(
  caller: Caller,
  required: Role,
  tokens: readonly TokenModel[],
  failedLogins: FailedLogins,
): Actor {
  const actor = tokens.length === 0 ? anonymousActor(caller) : byToken(caller, tokens, failedLogins);
  expectRole(actor, required, tokens);
  return actor;
}

/** @throws AdminError `role_insufficient` */
export function expectRole(actor: Actor, required: Role, tokens: readonly TokenModel[]): void {
  if (RANK[actor.role] >= RANK[required]) return;
  const hint = tokens.length === 0 ? ' Configure a token with that role under admin.tokens.' : '';
  throw new AdminError(
    'role_insufficient',
    `This needs the role ${required}; ${actor.name} is ${actor.role}.${hint}`,
  );
}

function byToken(caller: Caller, tokens: readonly TokenModel[], failedLogins: FailedLogins): Actor {
  const { address, authorization } = caller;
  if (authorization === undefined) {
    throw new AdminError('token_required', 'Send "Authorization: Bearer TOKEN".');
  }
  const { name, role } = expectToken(bearerOf(authorization), address, tokens, failedLogins);
  return { name, role };
}

/**
 * For a session: which token that is.
 *
 * @returns `undefined` where no tokens are configured and the caller is on this machine
 * @throws AdminError as `authenticate` does
 */
export function logIn(
  presented: string,
  address: string,
  tokens: readonly TokenModel[],
  failedLogins: FailedLogins,
): TokenModel | undefined {
  if (tokens.length > 0) return expectToken(presented, address, tokens, failedLogins);
  anonymousActor({ address, authorization: undefined });
  return undefined;
}

function expectToken(
  presented: string | undefined,
  address: string,
  tokens: readonly TokenModel[],
  failedLogins: FailedLogins,
): TokenModel {
  if (!failedLogins.allowed(address)) {
    const detail = 'Too many tokens from this address were refused. Wait a moment.';
    throw new AdminError('too_many_failed_logins', detail, { retryAfterS: 1 });
  }
  const token = presented === undefined ? undefined : tokenOf(presented, tokens);
  if (token === undefined) {
    failedLogins.failed(address);
    throw new AdminError('token_invalid', 'The token is not one of the configured ones.');
  }
  return token;
}

export interface BrowserHints {
  readonly host: string | undefined;
  /** `Sec-Fetch-Site`: what a browser says about where a request comes from. */
  readonly fetchSite: string | undefined;
  /** `Origin`: sent by every browser with what may change something, also by those without `Sec-Fetch-Site`. */
  readonly origin: string | undefined;
}

/**
 * Without tokens, a web page in the operator's browser could reach the listener: by a name of its own that
 * resolves to this machine (its Host betrays it), or simply across sites (the browser says so).
 *
 * @param ownHost the configured host of the listener, accepted besides addresses and `localhost`
 */
export function refuseForeignPages({ host, fetchSite, origin }: BrowserHints, ownHost: string): void {
  const name = (host ?? '').replace(/:\d+$/u, '').toLowerCase();
  const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  const known = isIP(bare) !== 0 || bare === 'localhost' || bare === ownHost.toLowerCase();
  if (!known) {
    throw new AdminError('host_refused', 'Without tokens, use an IP address or localhost as the host.');
  }
  const ownOrigin = origin === undefined || origin.toLowerCase() === `http://${(host ?? '').toLowerCase()}`;
  if (!ownOrigin || fetchSite === 'cross-site' || fetchSite === 'same-site') {
    throw new AdminError('origin_refused', 'Without tokens, pages of other sites may not call this.');
  }
}
