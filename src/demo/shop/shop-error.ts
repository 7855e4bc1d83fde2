/** What a shop tells a client that asked for something it cannot have. */

const STATUS_BY_CODE = {
  bad_request: 400,
  user_required: 401,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  internal: 500,
} as const;

export type ShopErrorCode = keyof typeof STATUS_BY_CODE;

export class ShopError extends Error {
  readonly code: ShopErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ShopErrorCode,
    message: string,
    options?: ErrorOptions & { headers?: Readonly<Record<string, string>> },
  ) {
    super(message, options);
    this.name = 'ShopError';
    this.code = code;
    this.status = STATUS_BY_CODE[code];
    this.headers = options?.headers ?? {};
  }
}
