/** How the answers of the two backends are compared on one route, as people write it. Paths begin with `$`. */
export interface RulesWritten {
  readonly ignore?: readonly string[];
  readonly unordered?: readonly string[];
  /** By the path of an array, the field, or the fields, that tell its items apart. */
  readonly arrays?: { readonly [path: string]: { readonly key: string | readonly string[] } };
  readonly tolerance?: {
    readonly [path: string]: {
      readonly absolute?: number;
      readonly relative?: number;
      readonly timeMs?: number;
    };
  };
  /** By path, the name of a comparator, or several, applied one after the other. */
  readonly comparators?: { readonly [path: string]: string | readonly string[] };
  /** From the path in legacy's answer to the path in new's. */
  readonly rename?: { readonly [path: string]: string };
  readonly nullIsAbsent?: boolean;
  /** `""`, `[]` and `{}`. */
  readonly emptyIsAbsent?: boolean;
  readonly equalStatus?: readonly (readonly number[])[];
  readonly headers?: readonly string[];
  /** `false`: Content-Type is not compared. */
  readonly contentType?: boolean;
}

/** One thing that is wrong with written rules. */
export interface RuleProblem {
  /** Keys and indexes from the rules as a whole: `['arrays', '$.items', 'key']`. */
  readonly place: readonly (string | number)[];
  /** What belongs there, in words that follow "expected". */
  readonly expected: string;
  /** What is wrong with what is there, where more can be said. */
  readonly why: string | undefined;
}
