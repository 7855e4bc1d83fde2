/** What a shop was asked for, shown at `/health`. Copies that a gateway sends for comparison are no customers. */
export interface RequestCounts {
  requests: number;
  /** Those with the header `x-turnout-shadow`. */
  shadowReads: number;
  /** Writes that the other shop has copied here, with the header `x-shop-copy`. */
  copies: number;
}
