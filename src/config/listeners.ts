/**
 * Where the gateway and its admin API listen, and who may use the latter.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Address, ListenModel, TokenModel } from './model.ts';
import type { Place } from './place.ts';
import { isFromEnvironment, type Reading } from './reading.ts';
import type { ListenWritten, TokenWritten } from './schema.ts';
import { readSecretFile } from './secret-file.ts';
import { checkTlsFiles } from './tls-files.ts';

const TOKEN_CHARACTERS_MIN = 16;
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?)*$/;

export function isHost(host: string): boolean {
  return isIP(host) > 0 || HOST_NAME.test(host);
}

/** Only processes of the same machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

export function readAddress(written: Address, place: Place, { report }: Reading): Address {
  if (!isHost(written.host)) {
    report.problem([...place, 'host'], 'expected a host name or an IP address', {
      expected: 'a host name or an IP address',
    });
  }
  return { host: written.host, port: written.port };
}

export function readListen(written: ListenWritten, place: Place, reading: Reading): ListenModel {
  if (written.tls !== undefined) checkTlsFiles(written.tls, [...place, 'tls'], reading.report);
  return { ...readAddress(written, place, reading), tls: written.tls };
}

/** Two listeners on one port: on the same host, or one of them on every host. */
export function checkListenersApart(listen: Address, admin: Address, { report }: Reading): void {
  const everyHost = (host: string) => host === '0.0.0.0' || host === '::';
  const sameHost = listen.host === admin.host || everyHost(listen.host) || everyHost(admin.host);
  if (listen.port === 0 || listen.port !== admin.port || !sameHost) return;
  report.problem(
    ['admin', 'listen', 'port'],
    `\`listen\` has the same address (port ${listen.port}); the two need one each`,
  );
}

/** An admin API that others can reach needs tokens: it moves users' data. */
export function checkAdminGuarded(admin: Address, tokenCount: number, { report }: Reading): void {
  if (tokenCount > 0 || isLoopback(admin.host)) return;
  report.problem(
    ['admin', 'listen', 'host'],
    'this host is not loopback, and `admin.tokens` is empty: anybody who reaches it could move users; write tokens, or listen on 127.0.0.1',
  );
}

/** @returns the token's hash; `undefined` if it has a problem, reported */
export function readToken(written: TokenWritten, place: Place, reading: Reading): TokenModel | undefined {
  const { report } = reading;
  const given = (['token', 'tokenFile', 'tokenHash'] as const).filter((key) => written[key] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.join(' and ');
    report.problem(place, `expected exactly one of token, tokenFile, tokenHash; found ${found}`, { found });
    return undefined;
  }
  const sha256 = tokenHash(written, place, reading);
  return sha256 === undefined ? undefined : { name: written.name, role: written.role, sha256 };
}

function tokenHash(written: TokenWritten, place: Place, { report, variables }: Reading): string | undefined {
  if (written.tokenHash !== undefined) return written.tokenHash.replace(/^sha256:/, '').toLowerCase();
  const key = written.token === undefined ? 'tokenFile' : 'token';
  const inner = [...place, key];
  const token = written.token ?? readSecretFile(written.tokenFile ?? '', inner, report);
  if (token === undefined) return undefined;
  if (!/^[!-~]*$/.test(token)) {
    report.problem(inner, 'a token is visible ASCII without spaces: it travels in a header');
    return undefined;
  }
  if (token.length < TOKEN_CHARACTERS_MIN) {
    const source = isFromEnvironment({ report, variables }, inner) ? ' (it comes from the environment)' : '';
    report.problem(
      inner,
      `expected a token of at least ${TOKEN_CHARACTERS_MIN} characters; found ${token.length}${source}`,
    );
    return undefined;
  }
  return createHash('sha256').update(token).digest('hex');
}

/** Names and tokens belong to one entry each: the audit names who did something by them. */
export function checkTokensUnique(
  tokens: readonly (TokenModel | undefined)[],
  place: Place,
  { report }: Reading,
): void {
  const byName = new Set<string>();
  const byHash = new Map<string, string>();
  tokens.forEach((token, index) => {
    if (token === undefined) return;
    if (byName.has(token.name))
      report.problem([...place, index, 'name'], `another token is named \`${token.name}\``);
    const other = byHash.get(token.sha256);
    if (other !== undefined)
      report.problem([...place, index], `this is the same token as that of \`${other}\``);
    byName.add(token.name);
    byHash.set(token.sha256, token.name);
  });
}
