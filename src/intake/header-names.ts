/**
 * What the gateway does with a header, by name. Names arrive in any case and are forwarded in that case, so
 * the lower-case form is looked up once for each spelling and remembered.
 */

/** What happens to a request header on its way to the backend. */
export const HeaderKind = {
  /** Forwarded as it came. */
  endToEnd: 0,
  /** Speaks of the connection to the client only (RFC 9110, 7.6.1): never forwarded. */
  hopByHop: 1,
  connection: 2,
  host: 3,
  contentLength: 4,
  transferEncoding: 5,
  expect: 6,
  trailer: 7,
  upgrade: 8,
  te: 9,
  forwardedFor: 10,
  forwardedProto: 11,
  forwardedHost: 12,
  forwarded: 13,
  requestId: 14,
  traceparent: 15,
} as const;
export type HeaderKind = (typeof HeaderKind)[keyof typeof HeaderKind];

const KINDS = new Map<string, HeaderKind>([
  ['connection', HeaderKind.connection],
  ['keep-alive', HeaderKind.hopByHop],
  ['proxy-connection', HeaderKind.hopByHop],
  ['proxy-authenticate', HeaderKind.hopByHop],
  ['proxy-authorization', HeaderKind.hopByHop],
  ['http2-settings', HeaderKind.hopByHop],
  // The gateway's own words: nobody else's are passed on, in either direction.
  ['x-turnout-shadow', HeaderKind.hopByHop],
  ['x-turnout-shadow-of', HeaderKind.hopByHop],
  ['x-turnout-backend', HeaderKind.hopByHop],
  ['x-turnout-epoch', HeaderKind.hopByHop],
  ['host', HeaderKind.host],
  ['content-length', HeaderKind.contentLength],
  ['transfer-encoding', HeaderKind.transferEncoding],
  ['expect', HeaderKind.expect],
  ['trailer', HeaderKind.trailer],
  ['upgrade', HeaderKind.upgrade],
  ['te', HeaderKind.te],
  ['x-forwarded-for', HeaderKind.forwardedFor],
  ['x-forwarded-proto', HeaderKind.forwardedProto],
  ['x-forwarded-host', HeaderKind.forwardedHost],
  ['forwarded', HeaderKind.forwarded],
  ['x-request-id', HeaderKind.requestId],
  ['traceparent', HeaderKind.traceparent],
]);

export interface HeaderName {
  readonly lower: string;
  readonly kind: HeaderKind;
}

/** Bounds the memory that clients can make us spend on spellings. */
const SPELLINGS_MAX = 2_000;
const spellings = new Map<string, HeaderName>();

/**
 * First letters of the names that are not simply forwarded, by length: a bit for each of a to z. Most headers
 * are told by this alone, without hashing a name that the parser has just made.
 */
const FIRST_LETTERS = firstLetters(KINDS.keys());

function firstLetters(names: Iterable<string>): Uint32Array {
  const letters = new Uint32Array(64);
  for (const { length, 0: first = '' } of names) {
    letters[length] = (letters[length] ?? 0) | (1 << (first.charCodeAt(0) - 97));
  }
  return letters;
}

/** What happens to a header, by its name in any spelling. */
export function headerKind(spelling: string): HeaderKind {
  const letters = FIRST_LETTERS[spelling.length];
  if (letters === undefined || (letters & (1 << ((spelling.charCodeAt(0) | 0x20) - 97))) === 0) {
    return HeaderKind.endToEnd;
  }
  return headerName(spelling).kind;
}

/** Whether a header's name in any spelling is the given one in lower case. */
export function isHeaderName(spelling: string, lower: string): boolean {
  return spelling.length === lower.length && (spelling === lower || headerName(spelling).lower === lower);
}

/** The lower-case form and the kind of a header name in any spelling. */
export function headerName(spelling: string): HeaderName {
  return spellings.get(spelling) ?? learn(spelling);
}

function learn(spelling: string): HeaderName {
  const lower = copyOf(spelling.toLowerCase());
  const name = { lower, kind: KINDS.get(lower) ?? HeaderKind.endToEnd };
  // A copy: a name that is a piece of a head would keep all of the head.
  if (spellings.size < SPELLINGS_MAX) spellings.set(copyOf(spelling), name);
  return name;
}

function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** The members of a comma-separated header value, lower case, without white space. */
export function listMembers(value: string): string[] {
  const members: string[] = [];
  for (const part of value.split(',')) {
    const member = part.trim().toLowerCase();
    if (member !== '') members.push(member);
  }
  return members;
}
