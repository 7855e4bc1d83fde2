/** What the demo and its sample backends say to each other over the channel between the processes. */
import type { Backend } from '../model.ts';

/** From the demo, once, after `ready`. */
export interface StartMessage {
  readonly kind: 'start';
  readonly shop: Backend;
  readonly host: string;
  readonly port: number;
  readonly file: string;
  readonly faults: boolean;
}

/** From the demo, at any time: where the other shop is, to which writes are copied. */
export interface CopyToMessage {
  readonly kind: 'copy-to';
  readonly host: string;
  readonly port: number;
}

/** From a sample backend. */
export type ShopMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly reason: string }
  /** A request met a defect in the shop. */
  | { readonly kind: 'defect'; readonly reason: string };

/** @returns `undefined` for anything that is not a start message. */
export function asStartMessage(message: unknown): StartMessage | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { kind, shop, host, port, file, faults }: Record<string, unknown> = { ...message };
  if (kind !== 'start' || (shop !== 'legacy' && shop !== 'new')) return undefined;
  if (typeof host !== 'string' || typeof port !== 'number') return undefined;
  if (typeof file !== 'string' || typeof faults !== 'boolean') return undefined;
  return { kind, shop, host, port, file, faults };
}

/** @returns `undefined` for anything that is not such a message. */
export function asCopyToMessage(message: unknown): CopyToMessage | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { kind, host, port }: Record<string, unknown> = { ...message };
  if (kind !== 'copy-to' || typeof host !== 'string' || typeof port !== 'number') return undefined;
  return { kind, host, port };
}

/** @returns `undefined` for anything that no sample backend says. */
export function asShopMessage(message: unknown): ShopMessage | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { kind, port, reason }: Record<string, unknown> = { ...message };
  if (kind === 'ready') return { kind };
  if (kind === 'listening' && typeof port === 'number') return { kind, port };
  if ((kind === 'failed' || kind === 'defect') && typeof reason === 'string') return { kind, reason };
  return undefined;
}
