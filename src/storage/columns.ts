/**
 * Reads typed values out of a row. The two clients hand out 64-bit integers and bytes differently (a string or
 * a number or a bigint; a Buffer or a Uint8Array); what is not of the expected type is an error, never a guess.
 */
import type { Row } from './sql.ts';

function wrong(row: Row, column: string, expected: string): TypeError {
  return new TypeError(`column ${column}: expected ${expected}, got ${typeof row[column]}`);
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw wrong(row, column, 'text');
  return value;
}

export function textOrNone(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

/** An integer within ±(2^53 - 1). */
export function integer(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw wrong(row, column, 'an integer');
  return number;
}

export function integerOrNone(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : integer(row, column);
}

export function flag(row: Row, column: string): boolean {
  const value = row[column];
  if (typeof value !== 'boolean') throw wrong(row, column, 'a boolean');
  return value;
}

/** Bytes that hold well-formed UTF-8. */
export function utf8(row: Row, column: string): string {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrong(row, column, 'bytes');
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrong(row, column, 'bytes');
  return value;
}

/** A timestamp with time zone, whole milliseconds. */
export function moment(row: Row, column: string): Date {
  const value = row[column];
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrong(row, column, 'a timestamp');
  return value;
}

export function momentOrNone(row: Row, column: string): Date | undefined {
  return row[column] === null ? undefined : moment(row, column);
}
