/**
 * Watches one exchange whose answer is to be compared with another one. It is told of bytes by reference, in the
 * turns in which they pass anyway; it keeps what it wants of them, waits for nothing, and does not throw.
 */
export interface ExchangeTap {
  /** A piece of the request's body went to the backend. */
  requestPiece(piece: Buffer): void;
  /** The backend's final head. @param raw name, value, name, value … as they came */
  head(status: number, raw: readonly string[]): void;
  /** A piece of the answer's body. */
  piece(piece: Buffer): void;
  /** The backend's answer has ended as it should. */
  whole(): void;
  /**
   * The exchange is over.
   *
   * @param delivered the client has got the whole answer, and the backend the whole request
   */
  over(delivered: boolean): void;
}
