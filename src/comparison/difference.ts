/**
 * What a comparison finds. Left is always the authoritative answer, right the secondary's.
 */

export const DIFFERENCE_KINDS = [
  /** The secondary, or the authoritative backend, did not answer in time. */
  'timeout',
  /** One of them failed otherwise. */
  'error',
  'status',
  'header',
  'content-type',
  /** A body cannot be decoded as its Content-Encoding says. */
  'encoding',
  /** One body is JSON, the other says that it is and is not. */
  'invalid-json',
  /** Only the left answer has it. */
  'missing',
  /** Only the right answer has it. */
  'extra',
  /** Values of different JSON types; null is a type of its own. */
  'type',
  /** Values of one type. */
  'value',
  /** The same items in another order. */
  'order',
  /** A key appears more than once in an object, and not with the same values on both sides. */
  'duplicate-key',
  'text',
  'binary',
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export type ShownType = 'absent' | 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'bytes';

/** A value of one side, copied and bounded. Not redacted: that is done before anything is stored. */
export interface ShownValue {
  readonly type: ShownType;
  /**
   * The value; `undefined` for `absent`. A number that a double cannot hold is its text. Long texts and large
   * trees are cut, see `show-value.ts`.
   */
  readonly value: unknown;
}

export interface Difference {
  /** `status`, `header.etag`, `body`, or a path into the document such as `$.items[3].price`. */
  readonly path: string;
  /** The path with indexes as `[]` and keys of maps as `{}`: `$.items[].price`, `$.byId{}.name`. */
  readonly pattern: string;
  readonly kind: DifferenceKind;
  readonly left: ShownValue;
  readonly right: ShownValue;
}

/** Why the bodies, or a part of them, were not compared. */
export type Uncompared =
  | 'not-kept'
  | 'truncated'
  | 'too-large'
  | 'too-deep'
  | 'too-much-work'
  | 'event-stream'
  | 'unknown-encoding'
  | 'both-failed';

export interface Comparison {
  /**
   * `matched`: the same without the help of a rule. `ignored`: the same because rules cover every difference.
   * `mismatched`: differences are left. `uncompared`: none was found in what could be compared, and that was not
   * everything.
   */
  readonly verdict: 'matched' | 'ignored' | 'mismatched' | 'uncompared';
  /** In the order in which they were found; no more than `differencesMax`. */
  readonly differences: readonly Difference[];
  /** There are more differences than are listed. */
  readonly truncated: boolean;
  /** The rules that covered something, as `ignore $.generatedAt`; each once. */
  readonly coveredBy: readonly string[];
  readonly uncompared: Uncompared | undefined;
}

/** Bounds of one comparison. */
export interface Limits {
  /** Of one body after decoding its content encoding. */
  readonly decodedBytesMax: number;
  readonly depthMax: number;
  /** Visits of values; each value is visited a few times, more where arrays have to be matched. */
  readonly workMax: number;
  readonly differencesMax: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  decodedBytesMax: 8 * 1024 * 1024,
  depthMax: 200,
  workMax: 4_000_000,
  differencesMax: 100,
});
