/** Why a connection failed under its request. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
  readonly kind: 'closed' | 'connect_timeout' | 'headers_timeout' | 'body_timeout';
  /** The connection had carried an answer before: the backend may have closed it while it was idle. */
  readonly wasUsed: boolean;

  constructor(kind: ConnectionFailure['kind'], wasUsed: boolean, options?: ErrorOptions) {
    super(`the connection to the backend: ${kind}`, options);
    this.kind = kind;
    this.wasUsed = wasUsed;
  }
}
