/**
 * What lets somebody in is taken out before anything leaves this room: credentials in headers, on the way there
 * and back, and in the query. Personal data is another matter, and is redacted where samples are made.
 */
import type { Comparison, Difference, ShownValue } from '../comparison/difference.ts';
import type { Observation } from '../comparison/observation.ts';

const NAMED = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'set-cookie2',
  'x-amz-security-token',
  'x-goog-iap-jwt-assertion',
  'cf-access-jwt-assertion',
]);

/** As whole words of a name: `x-auth-token`, `sessionId`, `api_key`; not `keyword`, `author`. */
const WORDS =
  /(?:^|[-_.])(?:auth|authentication|authorization|bearer|cookie|credentials?|csrf|jwt|pass|passwd|password|pwd|saml|secret|session|sessionid|sid|sig|signature|ticket|token|xsrf)(?:[-_.]|$)/;
const KEYS =
  /(?:^|[-_.])(?:api|access|app|auth|client|private|secret|subscription)[-_.]?(?:key|token|secret)s?(?:[-_.]|$)/;
/** Parameters only: an authorization code of OAuth, a signed address. */
const QUERY_NAMES = new Set(['code', 'key', 'state', 'samlresponse', 'samlrequest']);

/** What a credential becomes in a query. */
export const HIDDEN = 'redacted';

/** Whether a header or a parameter of that name may carry a credential. @param name in any case */
export function isCredentialName(name: string): boolean {
  // sessionId and accessToken are words too.
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  return NAMED.has(words) || WORDS.test(words) || KEYS.test(words);
}

/**
 * @param headers name, value, name, value …
 * @param more names besides, in lower case: where the configuration looks for tokens
 */
export function withoutCredentials(headers: readonly string[], more: ReadonlySet<string>): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (more.has(name.toLowerCase()) || isCredentialName(name)) continue;
    kept.push(name, headers[i + 1] ?? '');
  }
  return Object.freeze(kept);
}

/** The target with the values of credentials replaced. Without any it is the same text. */
export function targetWithoutCredentials(target: string): string {
  const at = target.indexOf('?');
  if (at < 0) return target;
  const parts = target.slice(at + 1).split('&');
  let found = false;
  const kept = parts.map((part) => {
    const equals = part.indexOf('=');
    const name = decoded(equals < 0 ? part : part.slice(0, equals));
    if (equals < 0 || !(QUERY_NAMES.has(name.toLowerCase()) || isCredentialName(name))) return part;
    found = true;
    return `${part.slice(0, equals)}=${HIDDEN}`;
  });
  return found ? `${target.slice(0, at)}?${kept.join('&')}` : target;
}

/** Whether a target was changed by `targetWithoutCredentials`, so that it cannot be asked for again. */
export function isHiddenTarget(target: string): boolean {
  return new RegExp(`[?&][^=&]*=${HIDDEN}(?:&|$)`).test(target);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const NONE: ReadonlySet<string> = new Set();

export function observationWithoutCredentials(observation: Observation): Observation {
  return Object.freeze({ ...observation, headers: withoutCredentials(observation.headers, NONE) });
}

const HIDDEN_VALUE: ShownValue = Object.freeze({ type: 'string', value: HIDDEN });

/** A route may compare `set-cookie`; that it differs may be told, what is in it may not. */
export function comparisonWithoutCredentials(comparison: Comparison): Comparison {
  if (!comparison.differences.some(isOfCredential)) return comparison;
  return Object.freeze({
    ...comparison,
    differences: comparison.differences.map((difference) =>
      isOfCredential(difference) ? hidden(difference) : difference,
    ),
  });
}

function isOfCredential({ kind, path }: Difference): boolean {
  return kind === 'header' && isCredentialName(path.replace(/^header\./, ''));
}

function hidden(difference: Difference): Difference {
  const hide = (value: ShownValue): ShownValue => (value.type === 'absent' ? value : HIDDEN_VALUE);
  return Object.freeze({ ...difference, left: hide(difference.left), right: hide(difference.right) });
}
