/** The part of the configuration that shadow reads go by. It may change while the gateway runs. */
export interface ShadowSettings {
  /** Reads at a time, by worker. */
  readonly concurrencyMax: number;
  /** For one read, its wait in the queue and its body included. */
  readonly deadlineMs: number;
  readonly bodyBytesMax: number;
  readonly confirmAfterMs: number;
  /** The share of chosen reads that ask the authoritative side again, 0 to 1. */
  readonly noiseSample: number;
  /** Headers besides the usual ones in which credentials are looked for, in lower case. */
  readonly tokenHeaders: ReadonlySet<string>;
  /** This gateway's pseudonym in `Via`. */
  readonly pseudonym: string;
}
